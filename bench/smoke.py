"""Smoke runs: a small part of a protocol that tests the machinery and is never a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.efficiency import EfficiencySet
from bench.studies import Study, VerificationSet
from bench.types import IdentificationSet, Media

T = TypeVar("T")
DISTRACTORS_PER_PROBE = 10


def cut(whole: Study, limit: int) -> Study:
    """Keep ``limit`` probes (pairs, faces), spread evenly, with what they are compared to.

    Args:
        whole: the protocol's study.
        limit: how many, at least 1.
    """
    if isinstance(whole, IdentificationSet):
        return _searched(whole, limit)
    if isinstance(whole, VerificationSet):
        return _paired(whole, limit)
    if isinstance(whole, EfficiencySet):
        repeats = min(max(limit, 2), whole.repeats)
        return replace(whole, repeats=repeats, notes=_noted(whole.notes, repeats, whole.repeats, "repeats"))
    kept = _spread(range(len(whole.faces)), limit)
    return replace(
        whole,
        faces=tuple(whole.faces[i] for i in kept),
        truths=tuple(whole.truths[i] for i in kept),
        official=False,
        notes=_noted(whole.notes, len(kept), len(whole.faces), "faces"),
    )


def _searched(whole: IdentificationSet, limit: int) -> IdentificationSet:
    """Probes with their mates and up to ten distractors each; media of a template stay together."""
    templates = _spread(list(dict.fromkeys(media.template for media in whole.probes)), limit)
    chosen = set(templates)
    probes = tuple(media for media in whole.probes if media.template in chosen)
    people = {media.identity for media in probes}
    gallery = tuple(media for media in whole.gallery if media.identity in people)
    left = {media.template for media in gallery}
    galleries = {name: tuple(t for t in own if t in left) for name, own in whole.galleries.items()}
    return replace(
        whole,
        gallery=gallery,
        probes=probes,
        distractors=_spread(whole.distractors, limit * DISTRACTORS_PER_PROBE),
        official=False,
        notes=_noted(whole.notes, len(templates), len({media.template for media in whole.probes}), "probes"),
        galleries={name: own for name, own in galleries.items() if own},
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
        notes=_noted(whole.notes, len(kept), len(whole.first), "pairs"),
    )


def _needed(media: Sequence[Media], places: NDArray[np.int64]) -> tuple[tuple[Media, ...], NDArray[np.int64]]:
    templates = list(dict.fromkeys(item.template for item in media))
    used, renumbered = np.unique(places, return_inverse=True)
    names = {templates[i] for i in used}
    return tuple(item for item in media if item.template in names), renumbered.astype(np.int64)


def _noted(notes: tuple[str, ...], kept: int, all_of_them: int, what: str) -> tuple[str, ...]:
    return (*notes, f"Smoke run: {kept} of {all_of_them} {what}; its figures are not a result.")


def _spread(items: Sequence[T], count: int) -> tuple[T, ...]:
    if count >= len(items):
        return tuple(items)
    return tuple(items[i * len(items) // count] for i in range(count))
