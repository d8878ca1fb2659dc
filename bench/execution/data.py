"""The data of a run: where they are, and the part of them that a smoke run takes.

A data set is looked for at the flag, in the settings, in the environment, in that order. A smoke run takes a part of a
protocol's probes and searches them in the whole gallery: a quick look, never a result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.config import get_setting
from bench.errors import BenchError, DataError, MissingError, UsageError
from bench.interfaces import EvalProtocol
from bench.studies import EfficiencySet, Study, VerificationSet
from bench.types import IdentificationSet, Media

T = TypeVar("T")
_SEED = 0x5EED
"""Seed of the draws. It is not the run's seed: equal limits on equal data give equal probes."""


def find_data(protocol: EvalProtocol, folder: Path | None) -> Path:
    """The located root of a protocol's data set.

    Looks at ``folder``; else at the setting ``data.NAME``; else in ``BENCH_DATA``: that folder itself, the folder
    ``NAME`` in it, or the one folder in it that holds the data set.

    Raises:
        MissingError: there is no data set, with how to get one.
        DataError: the folder holds no data set of this kind, or several.
    """
    name = protocol.dataset
    if folder is not None:
        return protocol.locate(folder)
    setting = get_setting(f"data.{name}")
    if setting:
        return protocol.locate(Path(setting))
    base = os.environ.get("BENCH_DATA")
    if not base:
        raise MissingError(f"No data for {name}.\n{protocol.how_to_get}")
    parent = Path(base)
    if not parent.is_dir():
        raise MissingError(f"BENCH_DATA is {base!r}, which is no folder.\n{protocol.how_to_get}")
    candidates = [_located(protocol, path) for path in (parent, *parent.iterdir())]
    roots = sorted({path.resolve() for path in candidates if path})
    if len(roots) > 1:
        listed = ", ".join(map(str, roots))
        raise DataError(
            f"BENCH_DATA holds {len(roots)} folders that could be {name}: {listed}. Name one by --data-root."
        )
    if not roots:
        raise MissingError(f"BENCH_DATA is {base!r}, but no {name} is in it.\n{protocol.how_to_get}")
    return roots[0]


def find_or_draw(protocol: EvalProtocol, folder: Path | None, samples: Path) -> Path:
    """The data set where the user has one, else its sample of drawn people, written once.

    Args:
        protocol: whose data are used.
        folder: the root that the user named, or None.
        samples: folder of samples.

    Raises:
        MissingError: there is no data set and the protocol has no sample; or a root the user gave is absent.
        DataError: see `find_data`.
    """
    if folder is not None or get_setting(f"data.{protocol.dataset}") or os.environ.get("BENCH_DATA"):
        return find_data(protocol, folder)
    return draw_once(protocol, samples)


def draw_once(protocol: EvalProtocol, samples: Path) -> Path:
    """The protocol's sample of drawn people in a folder of samples; raises MissingError when it has none."""
    out = samples / f"{protocol.dataset}-{protocol.sample_version()}"
    if not out.is_dir():
        note = protocol.sample_note()
        if note:
            print(f"{note} Folder: {out}", file=sys.stderr, flush=True)
        protocol.write_sample(out)
    return protocol.locate(out)


def _located(protocol: EvalProtocol, folder: Path) -> Path | None:
    try:
        return protocol.locate(folder) if folder.is_dir() else None
    except BenchError:
        return None


def cut(whole: Study, limit: int | None, limit_gallery: int | None = None) -> Study:
    """Take a part of a study, spread evenly over it; the study itself where neither limit is given.

    Args:
        whole: the protocol's study.
        limit: probe templates of a search, pairs of a verification, faces of a restoration or of expressions, timed
            passes of an efficiency study; at least 1. A search has its whole gallery and all distractors. None takes
            all.
        limit_gallery: of a search, the gallery and distractor templates taken besides the mates of the
            probes; at least 1. None takes all.

    Raises:
        UsageError: ``limit_gallery`` for a study that searches no gallery.
    """
    if limit_gallery is not None and not isinstance(whole, IdentificationSet):
        raise UsageError(
            f"--limit-gallery {limit_gallery} limits the gallery of a search, and this protocol searches none. Leave "
            "it out."
        )
    if limit is None and limit_gallery is None:
        return whole
    if isinstance(whole, IdentificationSet):
        return _limit_search(whole, limit, limit_gallery)
    if limit is None:
        return whole
    if isinstance(whole, VerificationSet):
        return _limit_pairs(whole, limit)
    if isinstance(whole, EfficiencySet):
        repeats = min(max(limit, 2), whole.repeats)
        return replace(whole, repeats=repeats, notes=(*whole.notes, _note(repeats, whole.repeats, "timed passes")))
    taken = _draw_evenly(range(len(whole.faces)), limit)
    return replace(
        whole,
        faces=tuple(whole.faces[i] for i in taken),
        truths=tuple(whole.truths[i] for i in taken),
        official=False,
        notes=(*whole.notes, _note(len(taken), len(whole.faces), "faces")),
    )


def _limit_search(whole: IdentificationSet, limit: int | None, limit_gallery: int | None) -> IdentificationSet:
    """Some probe templates; the gallery whole, or the mates and some of the rest. Media of a template stay together."""
    templates = list(dict.fromkeys(media.template for media in whole.probes))
    chosen = set(templates if limit is None else _draw_evenly(templates, limit))
    probes = tuple(media for media in whole.probes if media.template in chosen)
    part = replace(whole, probes=probes, official=False)
    if limit_gallery is not None:
        part = _limit_gallery(part, limit_gallery)
    where = (
        f"searched in {_share_of(len(part.gallery), len(whole.gallery), 'gallery')} and "
        f"{_share_of(len(part.distractors), len(whole.distractors), 'distractor')} images"
    )
    note = _note(len(chosen), len(templates), "probes", where)
    if len(part.gallery) + len(part.distractors) < len(whole.gallery) + len(whole.distractors):
        note += " A smaller gallery is easier: its figures are higher than those of the whole."
    return replace(part, notes=(*whole.notes, note))


def _limit_gallery(whole: IdentificationSet, count: int) -> IdentificationSet:
    """The mates of the probes, and ``count`` of the other gallery templates and distractors, spread over both."""
    people = {media.identity for media in whole.probes}
    others = list(dict.fromkeys(media.template for media in whole.gallery if media.identity not in people))
    distractors = dict.fromkeys(media.template for media in whole.distractors)
    rest = [*((False, name) for name in others), *((True, name) for name in distractors)]
    taken = set(_draw_evenly(rest, count))
    gallery = tuple(m for m in whole.gallery if m.identity in people or (False, m.template) in taken)
    left = {media.template for media in gallery}
    galleries = {name: tuple(t for t in names if t in left) for name, names in whole.galleries.items()}
    return replace(
        whole,
        gallery=gallery,
        distractors=tuple(media for media in whole.distractors if (True, media.template) in taken),
        galleries={name: names for name, names in galleries.items() if names},
    )


def _limit_pairs(whole: VerificationSet, limit: int) -> VerificationSet:
    """Pairs of every fold, alike and different, and the templates they need."""
    strata = whole.same.astype(np.int64) + 2 * (whole.fold if whole.fold is not None else 0)
    order = np.argsort(strata, kind="stable")
    taken = np.sort(np.array(_draw_evenly(list(order), limit), np.int64))
    enrolled, first = _templates_of(whole.enrolled, whole.first[taken])
    verified, second = _templates_of(whole.verified, whole.second[taken])
    return replace(
        whole,
        enrolled=enrolled,
        verified=verified,
        first=first,
        second=second,
        same=whole.same[taken],
        fold=None if whole.fold is None else whole.fold[taken],
        official=False,
        notes=(*whole.notes, _note(len(taken), len(whole.first), "pairs")),
    )


def _templates_of(media: Sequence[Media], places: NDArray[np.int64]) -> tuple[tuple[Media, ...], NDArray[np.int64]]:
    templates = list(dict.fromkeys(item.template for item in media))
    used, renumbered = np.unique(places, return_inverse=True)
    names = {templates[i] for i in used}
    return tuple(item for item in media if item.template in names), renumbered.astype(np.int64)


def _note(taken: int, total: int, what: str, where: str = "") -> str:
    spread = ", spread evenly" if taken < total else ""
    return f"Smoke run: {taken:,} of {total:,} {what}{spread}{f', {where}' if where else ''}. It is not a result."


def _share_of(taken: int, total: int, role: str) -> str:
    return f"all {total:,} {role}" if taken == total else f"{taken:,} of {total:,} {role}"


def _draw_evenly(items: Sequence[T], count: int) -> tuple[T, ...]:
    """``count`` items in their order, one drawn from each of ``count`` parts of equal length.

    A fixed step would see one value alone of what repeats with that step (a yaw, a camera); a draw from each part does
    not.
    """
    if count >= len(items):
        return tuple(items)
    edges = [i * len(items) // count for i in range(count + 1)]
    rng = np.random.default_rng(_SEED)
    return tuple(items[int(rng.integers(first, last))] for first, last in zip(edges[:-1], edges[1:], strict=True))
