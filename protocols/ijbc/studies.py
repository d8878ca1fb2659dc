"""Build the studies of IJB-C from its lists: the search of 1:N mixed media, and the pairs of 1:1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.errors import DataError, UsageError
from bench.studies import VerificationSet
from bench.types import IdentificationSet
from protocols.ijbc.files import Files
from protocols.ijbc.media import Framing, media_of, repeated, unusable
from protocols.ijbc.pairs import Pairs, indices_of, people_by_pairs, read_pairs
from protocols.ijbc.releases import Release, read_lists
from protocols.ijbc.rows import Lists, Rows
from protocols.ijbc.rows import joined as joined_rows

OFFICIAL_SEARCH = {"G1 templates": 1772, "G2 templates": 1759, "probe templates": 19_593}
OFFICIAL_PAIRS = {"genuine pairs": 19_557, "impostor pairs": 15_638_932}
OFFICIAL_ROWS = 469_375


def read_search_set(root: Path, release: Release, framing: Framing, *, scored: bool, joined: bool) -> IdentificationSet:
    """Read the 1:N search: probe templates searched in G1, in G2 and, where ``joined``, in both as one.

    Args:
        root: the located root.
        release: of the lists.
        framing: how faces are cropped; its LR side applies to probes only.
        scored: whether to store the detector's score in the media.
        joined: whether to add a third gallery of both.

    Raises:
        DataError: see `protocols.ijbc.protocol.IjbC.read`.
        UsageError: scores or whole crops are requested of a release without them.
    """
    lists = read_lists(root, "identification", release)
    _check_release(lists, framing, scored=scored)
    owners = {name: rows.subjects(name) for name, rows in lists.gallery.items()}
    searched = lists.probes.subjects("probes")
    in_both = set(owners["G1"]) & set(owners["G2"])
    if in_both:
        raise DataError(f"{len(in_both)} templates are enrolled in both galleries: {sorted(in_both)[:5]}.")
    files = Files(root, lists.base)
    gallery = tuple(
        media
        for rows in lists.gallery.values()
        for media in media_of(rows, "gallery", files, replace(framing, side=None), scored=scored)
    )
    probes = media_of(lists.probes, "probe", files, framing, scored=scored)
    galleries = {name: tuple(map(str, templates)) for name, templates in owners.items()}
    if joined:
        from bench.evaluation.identification.galleries import JOINED

        galleries[JOINED] = galleries["G1"] + galleries["G2"]
    counts = {"G1 templates": len(owners["G1"]), "G2 templates": len(owners["G2"]), "probe templates": len(searched)}
    everything = joined_rows([*lists.gallery.values(), lists.probes])
    published = _note_counts(lists, counts, OFFICIAL_SEARCH)
    complete = _note_faults(lists, files, framing, everything)
    disjoint = _note_people(lists, owners, searched)
    return IdentificationSet(
        gallery,
        probes,
        official=published and complete and disjoint,
        notes=tuple(lists.notes),
        galleries=galleries,
        open_set=True,
    )


def read_pairs_set(root: Path, release: Release, framing: Framing, *, scored: bool) -> VerificationSet:
    """Read the 1:1 pairs of templates; see `read_search_set`."""
    lists = read_lists(root, "verification", release)
    _check_release(lists, framing, scored=scored)
    if lists.matches is None:
        raise DataError(f"{root}: no list of pairs.")
    pairs = read_pairs(lists.matches, labelled=lists.release == "C")
    enrolled, first, enrolled_owners = _side(lists, lists.gallery["enrolled"], pairs, "first")
    verified, second, verified_owners = _side(lists, lists.probes, pairs, "second")
    one, other = (
        np.array(list(owners.values()), np.int64)[at]
        for owners, at in ((enrolled_owners, first), (verified_owners, second))
    )
    same = one == other if pairs.same is None else pairs.same
    if same.all() or not same.any():
        raise DataError(
            f"{lists.matches}: each of {len(same):,} pairs is of {'one person' if same.all() else 'two people'}; a "
            "true accept rate needs pairs of both kinds."
        )
    names = None
    if pairs.same is not None:
        names = _people(lists, pairs, {**enrolled_owners, **verified_owners})
        wrong = int(((one == other) != pairs.same)[(one >= 0) & (other >= 0)].sum())
        if wrong:
            lists.notes.append(
                f"{wrong:,} labels of pairs contradict the subjects of the 1:N lists; the labels are used."
            )
    files = Files(root, lists.base)
    enrolled_media = media_of(enrolled, "gallery", files, replace(framing, side=None), scored=scored, names=names)
    verified_media = media_of(verified, "probe", files, framing, scored=scored, names=names)
    counts = {"genuine pairs": int(same.sum()), "impostor pairs": int((~same).sum())}
    published = _note_counts(lists, counts, OFFICIAL_PAIRS)
    complete = _note_faults(lists, files, framing, joined_rows([enrolled, verified]))
    return VerificationSet(
        enrolled_media, verified_media, first, second, same, official=published and complete, notes=tuple(lists.notes)
    )


def _side(lists: Lists, rows: Rows, pairs: Pairs, name: str) -> tuple[Rows, np.ndarray, dict[int, int]]:
    """The rows that pairs use, the index of each pair's template among them, and their subjects in that order."""
    numbers = pairs.first if name == "first" else pairs.second
    used = set(np.unique(numbers).tolist())
    listed = rows.subjects(name)
    unknown = sorted(used - set(listed))
    if unknown and lists.release != "C":
        raise DataError(
            f"{len(unknown):,} templates of {lists.matches} are in no list of templates: {unknown[:5]}. The lists "
            "must be of one release."
        )
    in_pairs = rows.of(used)
    in_pairs = replace(in_pairs, empty=in_pairs.empty + tuple((template, -1) for template in unknown))
    owners = in_pairs.subjects(name)
    unused = len(listed) - len(used & set(listed))
    if unused and lists.release != "C":
        lists.notes.append(f"{unused:,} templates are {name} in no pair and were left out.")
    return in_pairs, indices_of(numbers, list(owners)), owners


def _people(lists: Lists, pairs: Pairs, owners: dict[int, int]) -> dict[int, str]:
    """The person of each template: its subject in the 1:N lists, else derived from the labels of pairs."""
    unknown = [template for template, subject in owners.items() if subject < 0]
    derived = people_by_pairs(pairs) if unknown else {}
    if unknown:
        lists.notes.append(
            f"The subjects of {len(unknown):,} templates are in no 1:N list; people are derived from the labels of "
            "pairs."
        )
    return {t: str(subject) if subject >= 0 else derived[t] for t, subject in owners.items()}


def _check_release(lists: Lists, framing: Framing, *, scored: bool) -> None:
    """Raise where the release lacks scores, whole crops or points that are needed."""
    if lists.release != "C" and (scored or framing.whole):
        argument = "detector_score=true" if scored else "crop=whole"
        raise UsageError(f"ijbc: {argument} needs release C; this is release {lists.release}.")
    every = [*lists.gallery.values(), lists.probes]
    if scored:
        _check_scores(every, framing)
    if lists.release == "C" and (not framing.whole or scored) and any(rows.points is None for rows in every):
        raise DataError(
            "The list of points (meta/ijbc_name_5pts_score.txt) is missing, so no face can be cropped. "
            "ijbc:crop=whole,lr=none uses loose crops unchanged."
        )


def _check_scores(parts: list[Rows], framing: Framing) -> None:
    """Raise where a used image has no valid detector score."""
    invalid = 0
    for rows in parts:
        if rows.score is not None and rows.points is not None:
            used = framing.whole | np.isfinite(rows.points).all(axis=1)
            invalid += int((used & ~(np.isfinite(rows.score) & (rows.score >= 0))).sum())
    if invalid:
        raise DataError(
            f"{invalid:,} images have no detector score from 0 in meta/ijbc_name_5pts_score.txt and cannot be "
            "weighted. ijbc:detector_score=false does not use scores."
        )


def _note_counts(lists: Lists, counts: dict[str, int], official: dict[str, int]) -> bool:
    """Whether counts are the published ones; adds a note on those that are not."""
    if lists.rows is not None:
        counts, official = {**counts, "crops": lists.rows}, {**official, "crops": OFFICIAL_ROWS}
    differences = [f"{counts[k]:,} of {official[k]:,} {k}" for k in official if counts[k] != official[k]]
    if differences:
        lists.notes.append(f"Not the official set: {'; '.join(differences)}.")
    return not differences


def _note_faults(lists: Lists, files: Files, framing: Framing, rows: Rows) -> bool:
    """Whether images, templates and boxes are complete; adds notes on what is missing."""
    notes, absent, empty = lists.notes, files.absent, dict(rows.empty)
    without_box = unusable(rows, framing)
    if absent:
        notes.append(f"{len(absent):,} listed images are absent: {absent[0]}...; they count as failures.")
    if empty:
        notes.append(
            f"{len(empty):,} templates are listed without an image: {', '.join(map(str, sorted(empty)[:5]))}; each "
            "counts as a failure."
        )
    if files.renamed:
        notes.append(f"{len(files.renamed):,} images were found with another ending than listed: {files.renamed[0]}...")
    if without_box:
        what = "points" if rows.box is None else "a box with a size"
        notes.append(f"{without_box:,} of {len(rows):,} rows are without {what}; their images count as failures.")
    repetitions = repeated(rows)
    if repetitions:
        notes.append(f"{repetitions:,} rows repeat an image in the same template; each is used.")
    return not (absent or empty or without_box)


def _note_people(lists: Lists, owners: dict[str, dict[int, int]], searched: dict[int, int]) -> bool:
    """Whether each probe's person is in exactly one gallery; adds notes on those who are not."""
    one, two = (set(owners[name].values()) for name in ("G1", "G2"))
    both, not_enrolled = one & two, set(searched.values()) - (one | two)
    if both:
        lists.notes.append(f"{len(both):,} people are enrolled in both galleries: {sorted(both)[:5]}.")
    if not_enrolled:
        probes = sum(subject in not_enrolled for subject in searched.values())
        lists.notes.append(
            f"{probes:,} probe templates show {len(not_enrolled):,} people who are in no gallery: "
            f"{sorted(not_enrolled)[:5]}; they are not part of rank-k rates."
        )
    return not (both or not_enrolled)
