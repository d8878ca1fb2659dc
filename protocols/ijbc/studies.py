"""From the lists of IJB-C to what is measured: the search of 1:N mixed media, and the pairs of 1:1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.errors import DataError, UsageError
from bench.studies import VerificationSet
from bench.types import IdentificationSet
from protocols.ijbc.files import Files
from protocols.ijbc.media import Framing, media_of, repeated, unusable
from protocols.ijbc.pairs import Pairs, people_by_pairs, places, read_pairs
from protocols.ijbc.releases import Release, read_lists
from protocols.ijbc.rows import Lists, Rows
from protocols.ijbc.rows import joined as put_together

OFFICIAL_SEARCH = {"G1 templates": 1772, "G2 templates": 1759, "probe templates": 19_593}
OFFICIAL_PAIRS = {"genuine pairs": 19_557, "impostor pairs": 15_638_932}
OFFICIAL_ROWS = 469_375


def read_search_set(root: Path, release: Release, framing: Framing, *, scored: bool, joined: bool) -> IdentificationSet:
    """Probe templates, searched in G1, in G2 and, where ``joined``, in both as one.

    Args:
        root: the located root.
        release: which lists.
        framing: how faces are cut out; its LR side is for probes alone.
        scored: give media the detector's score.
        joined: whether there is a third gallery of both.

    Raises:
        DataError: see `protocols.ijbc.protocol.IjbC.read`.
        UsageError: scores or whole crops are asked of a release that has none.
    """
    lists = read_lists(root, "identification", release)
    _demand(lists, framing, scored=scored)
    owners = {name: rows.subjects(name) for name, rows in lists.gallery.items()}
    searched = lists.probes.subjects("probes")
    twice = set(owners["G1"]) & set(owners["G2"])
    if twice:
        raise DataError(f"{len(twice)} templates are enrolled in both galleries: {sorted(twice)[:5]}.")
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
    everything = put_together([*lists.gallery.values(), lists.probes])
    same = _told_counts(lists, counts, OFFICIAL_SEARCH)
    whole = _told_faults(lists, files, framing, everything)
    apart = _told_people(lists, owners, searched)
    return IdentificationSet(
        gallery,
        probes,
        official=same and whole and apart,
        notes=tuple(lists.notes),
        galleries=galleries,
        open_set=True,
    )


def read_pairs_set(root: Path, release: Release, framing: Framing, *, scored: bool) -> VerificationSet:
    """Pairs of templates; see `read_search_set`."""
    lists = read_lists(root, "verification", release)
    _demand(lists, framing, scored=scored)
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
            lists.notes.append(f"{wrong:,} labels of pairs contradict the 1:N lists' subjects; the labels decide.")
    files = Files(root, lists.base)
    enrolled_media = media_of(enrolled, "gallery", files, replace(framing, side=None), scored=scored, names=names)
    verified_media = media_of(verified, "probe", files, framing, scored=scored, names=names)
    counts = {"genuine pairs": int(same.sum()), "impostor pairs": int((~same).sum())}
    official = _told_counts(lists, counts, OFFICIAL_PAIRS)
    whole = _told_faults(lists, files, framing, put_together([enrolled, verified]))
    return VerificationSet(
        enrolled_media, verified_media, first, second, same, official=official and whole, notes=tuple(lists.notes)
    )


def _side(lists: Lists, rows: Rows, pairs: Pairs, name: str) -> tuple[Rows, np.ndarray, dict[int, int]]:
    """The rows that pairs use, the place of each pair's template among them, and their subjects in that order."""
    numbers = pairs.first if name == "first" else pairs.second
    used = set(np.unique(numbers).tolist())
    known = rows.subjects(name)
    unknown = sorted(used - set(known))
    if unknown and lists.release != "C":
        raise DataError(
            f"{len(unknown):,} templates of {lists.matches} are in no list of templates: {unknown[:5]}. Are the "
            "lists of one release?"
        )
    kept = rows.of(used)
    kept = replace(kept, empty=kept.empty + tuple((template, -1) for template in unknown))
    owners = kept.subjects(name)
    spare = len(known) - len(used & set(known))
    if spare and lists.release != "C":
        lists.notes.append(f"{spare:,} templates stand {name} in no pair and were left out.")
    return kept, places(numbers, list(owners)), owners


def _people(lists: Lists, pairs: Pairs, owners: dict[int, int]) -> dict[int, str]:
    """The person of each template: its subject in the 1:N lists, or what the labels of pairs tell."""
    unknown = [template for template, subject in owners.items() if subject < 0]
    tied = people_by_pairs(pairs) if unknown else {}
    if unknown:
        lists.notes.append(
            f"The subjects of {len(unknown):,} templates are in no 1:N list; the labels of pairs say which are of one "
            "person."
        )
    return {t: str(subject) if subject >= 0 else tied[t] for t, subject in owners.items()}


def _demand(lists: Lists, framing: Framing, *, scored: bool) -> None:
    """Refuse what a release does not have."""
    if lists.release != "C" and (scored or framing.whole):
        asked = "detector_score=true" if scored else "crop=whole"
        raise UsageError(f"ijbc: {asked} needs release C; this is release {lists.release}.")
    every = [*lists.gallery.values(), lists.probes]
    if scored:
        _demand_scores(every, framing)
    if lists.release == "C" and (not framing.whole or scored) and any(rows.points is None for rows in every):
        raise DataError(
            "The list of points (meta/ijbc_name_5pts_score.txt) is missing, so no face can be cut out of its crop. "
            "ijbc:crop=whole,lr=none takes loose crops as they are."
        )


def _demand_scores(parts: list[Rows], framing: Framing) -> None:
    """Refuse images that would be weighed by a score that is none."""
    wrong = 0
    for rows in parts:
        if rows.score is not None and rows.points is not None:
            used = framing.whole | np.isfinite(rows.points).all(axis=1)
            wrong += int((used & ~(np.isfinite(rows.score) & (rows.score >= 0))).sum())
    if wrong:
        raise DataError(
            f"{wrong:,} images have no detector score from 0 in meta/ijbc_name_5pts_score.txt and cannot be weighed. "
            "ijbc:detector_score=false does without."
        )


def _told_counts(lists: Lists, counts: dict[str, int], official: dict[str, int]) -> bool:
    """Whether counts are the published ones; a note says which are not."""
    if lists.rows is not None:
        counts, official = {**counts, "crops": lists.rows}, {**official, "crops": OFFICIAL_ROWS}
    other = [f"{counts[k]:,} of {official[k]:,} {k}" for k in official if counts[k] != official[k]]
    if other:
        lists.notes.append(f"Not the official set: {'; '.join(other)}.")
    return not other


def _told_faults(lists: Lists, files: Files, framing: Framing, rows: Rows) -> bool:
    """Whether all is there; notes say what is not."""
    notes, absent, empty, shapeless = lists.notes, files.absent, dict(rows.empty), unusable(rows, framing)
    if absent:
        notes.append(f"{len(absent):,} images that the lists name are absent: {absent[0]}...; they count as failures.")
    if empty:
        notes.append(
            f"{len(empty):,} templates are listed without an image: {', '.join(map(str, sorted(empty)[:5]))}; each "
            "counts as a failure."
        )
    if files.renamed:
        notes.append(f"{len(files.renamed):,} images were found with another ending than listed: {files.renamed[0]}...")
    if shapeless:
        what = "points" if rows.box is None else "a box with a size"
        notes.append(f"{shapeless:,} of {len(rows):,} rows are without {what}; their images count as failures.")
    again = repeated(rows)
    if again:
        notes.append(f"{again:,} rows list an image once more in the same template; each counts.")
    return not (absent or empty or shapeless)


def _told_people(lists: Lists, owners: dict[str, dict[int, int]], searched: dict[int, int]) -> bool:
    """Whether each probe's person is in exactly one gallery and nobody in both; notes say who is not."""
    one, two = (set(owners[name].values()) for name in ("G1", "G2"))
    both, lost = one & two, set(searched.values()) - (one | two)
    if both:
        lists.notes.append(f"{len(both):,} people are enrolled in both galleries: {sorted(both)[:5]}.")
    if lost:
        probes = sum(subject in lost for subject in searched.values())
        lists.notes.append(
            f"{probes:,} probe templates show {len(lost):,} people who are in no gallery: {sorted(lost)[:5]}; they "
            "have no part in rank-k rates."
        )
    return not (both or lost)
