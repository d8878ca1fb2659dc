"""Smoke runs: a part of a protocol's probes, searched in the whole gallery; a quick look and never a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.studies import EfficiencySet, Study, VerificationSet
from bench.types import IdentificationSet, Media

T = TypeVar("T")
_SEED = 0x5EED
"""Of the draws, and not the run's seed: equal limits on equal data give equal probes."""


def cut(whole: Study, limit: int | None, limit_gallery: int | None = None) -> Study:
    """Keep a part of a study, spread evenly over it; the study itself where neither limit is given.

    Args:
        whole: the protocol's study.
        limit: probe templates of a search, pairs of a verification, faces of a restoration or of expressions, timed
            passes of an efficiency study; at least 1. A search keeps its whole gallery and all distractors. None keeps
            all.
        limit_gallery: of a search, the gallery and distractor templates kept besides the mates of the kept
            probes; at least 1. None keeps all.

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
        return _searched(whole, limit, limit_gallery)
    if limit is None:
        return whole
    if isinstance(whole, VerificationSet):
        return _paired(whole, limit)
    if isinstance(whole, EfficiencySet):
        repeats = min(max(limit, 2), whole.repeats)
        return replace(whole, repeats=repeats, notes=(*whole.notes, _note(repeats, whole.repeats, "timed passes")))
    kept = _spread(range(len(whole.faces)), limit)
    return replace(
        whole,
        faces=tuple(whole.faces[i] for i in kept),
        truths=tuple(whole.truths[i] for i in kept),
        official=False,
        notes=(*whole.notes, _note(len(kept), len(whole.faces), "faces")),
    )


def _searched(whole: IdentificationSet, limit: int | None, limit_gallery: int | None) -> IdentificationSet:
    """Some probe templates; the gallery whole, or the mates and some of the rest. Media of a template stay together."""
    templates = list(dict.fromkeys(media.template for media in whole.probes))
    chosen = set(templates if limit is None else _spread(templates, limit))
    probes = tuple(media for media in whole.probes if media.template in chosen)
    part = replace(whole, probes=probes, official=False)
    if limit_gallery is not None:
        part = _smaller_gallery(part, limit_gallery)
    where = (
        f"searched in {_extent(len(part.gallery), len(whole.gallery), 'gallery')} and "
        f"{_extent(len(part.distractors), len(whole.distractors), 'distractor')} images"
    )
    note = _note(len(chosen), len(templates), "probes", where)
    if len(part.gallery) + len(part.distractors) < len(whole.gallery) + len(whole.distractors):
        note += " A smaller gallery is easier: its figures are higher than those of the whole."
    return replace(part, notes=(*whole.notes, note))


def _smaller_gallery(whole: IdentificationSet, count: int) -> IdentificationSet:
    """The mates of the probes, and ``count`` of the other gallery templates and distractors, spread over both."""
    people = {media.identity for media in whole.probes}
    others = list(dict.fromkeys(media.template for media in whole.gallery if media.identity not in people))
    strangers = dict.fromkeys(media.template for media in whole.distractors)
    rest = [*((False, name) for name in others), *((True, name) for name in strangers)]
    kept = set(_spread(rest, count))
    gallery = tuple(m for m in whole.gallery if m.identity in people or (False, m.template) in kept)
    left = {media.template for media in gallery}
    galleries = {name: tuple(t for t in names if t in left) for name, names in whole.galleries.items()}
    return replace(
        whole,
        gallery=gallery,
        distractors=tuple(media for media in whole.distractors if (True, media.template) in kept),
        galleries={name: names for name, names in galleries.items() if names},
    )


def _paired(whole: VerificationSet, limit: int) -> VerificationSet:
    """Pairs of every fold, alike and different, and the templates they need."""
    strata = whole.same.astype(np.int64) + 2 * (whole.fold if whole.fold is not None else 0)
    order = np.argsort(strata, kind="stable")
    kept = np.sort(np.array(_spread(list(order), limit), np.int64))
    enrolled, first = _needed(whole.enrolled, whole.first[kept])
    verified, second = _needed(whole.verified, whole.second[kept])
    return replace(
        whole,
        enrolled=enrolled,
        verified=verified,
        first=first,
        second=second,
        same=whole.same[kept],
        fold=None if whole.fold is None else whole.fold[kept],
        official=False,
        notes=(*whole.notes, _note(len(kept), len(whole.first), "pairs")),
    )


def _needed(media: Sequence[Media], places: NDArray[np.int64]) -> tuple[tuple[Media, ...], NDArray[np.int64]]:
    templates = list(dict.fromkeys(item.template for item in media))
    used, renumbered = np.unique(places, return_inverse=True)
    names = {templates[i] for i in used}
    return tuple(item for item in media if item.template in names), renumbered.astype(np.int64)


def _note(kept: int, total: int, what: str, where: str = "") -> str:
    spread = ", spread evenly" if kept < total else ""
    return f"Smoke run: {kept:,} of {total:,} {what}{spread}{f', {where}' if where else ''}. It is not a result."


def _extent(kept: int, total: int, role: str) -> str:
    return f"all {total:,} {role}" if kept == total else f"{kept:,} of {total:,} {role}"


def _spread(items: Sequence[T], count: int) -> tuple[T, ...]:
    """``count`` items in their order, one drawn from each of ``count`` parts of equal length.

    A fixed step would see one value alone of what repeats with that step (a yaw, a camera); a draw from each part does
    not.
    """
    if count >= len(items):
        return tuple(items)
    edges = [i * len(items) // count for i in range(count + 1)]
    rng = np.random.default_rng(_SEED)
    return tuple(items[int(rng.integers(first, last))] for first, last in zip(edges[:-1], edges[1:], strict=True))
