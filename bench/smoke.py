"""Smoke runs: a small part of a protocol that tests the machinery and is never a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from bench.types import IdentificationSet

T = TypeVar("T")
DISTRACTORS_PER_PROBE = 10


def cut(whole: IdentificationSet, limit: int) -> IdentificationSet:
    """Keep ``limit`` probes, spread evenly, with their mates and up to ten distractors each.

    Args:
        whole: the protocol.
        limit: how many probes, at least 1.
    """
    probes = _spread(whole.probes, limit)
    people = {media.identity for media in probes}
    return IdentificationSet(
        gallery=tuple(media for media in whole.gallery if media.identity in people),
        probes=probes,
        distractors=_spread(whole.distractors, limit * DISTRACTORS_PER_PROBE),
        official=False,
        notes=(*whole.notes, f"Smoke run: {len(probes)} of {len(whole.probes)} probes; its figures are not a result."),
    )


def _spread(items: Sequence[T], count: int) -> tuple[T, ...]:
    if count >= len(items):
        return tuple(items)
    return tuple(items[i * len(items) // count] for i in range(count))
