"""The part of each group of photographs: train, validation, tuning or sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PARTS = ("train", "validation", "tuning", "sealed")
"""Weights learn on the first, checkpoints are chosen on the second, constants on the third; the last is sealed."""
EXCLUDED = "excluded"
"""The part of photographs that are left out because they are near an excluded set."""
SHARES = {"train": 0.80, "validation": 0.04, "tuning": 0.06, "sealed": 0.10}
"""Probability of each part for a group."""
LARGE_SHARE = 0.02
"""A group with more than this share of the photographs is a chain of similar faces; it trains, see `assign_parts`."""


def assign_parts(
    group: NDArray[np.int64], sha256: NDArray[np.str_], partition: Sequence[str] | None = None
) -> NDArray[np.str_]:
    """The part of each photograph; all photographs of a group are in one part.

    The part is drawn by a hash of the smallest digest of the group's members, so that it does not depend on names,
    order or the rest of the set. (The smallest digest itself is small for a large group: it is hashed once more.) A
    large group (`is_large`) trains: one chain of similar faces would be most of a small part. A group with a photograph
    of a published test part is sealed, one of a published validation part is validation or tuning, and any other group
    of the partition trains.

    Args:
        group: int64 (N,).
        sha256: hex digests, str (N,).
        partition: the published part of each photograph, ``train``, ``validation`` or ``test``; empty where
            it has none.

    Returns:
        Names of `PARTS`, str (N,).
    """
    count = int(group.max(initial=-1)) + 1
    smallest = [""] * count
    for number, digest in zip(group.tolist(), sha256.tolist(), strict=True):
        smallest[number] = min(smallest[number] or digest, digest)
    drawn = [_draw(digest) for digest in smallest]
    parts = [_part(value) for value in drawn]
    for number in np.unique(group[is_large(group)]).tolist():
        parts[number] = "train"
    if partition is not None:
        published: dict[int, set[str]] = {}
        for number, name in zip(group.tolist(), partition, strict=True):
            published.setdefault(number, set()).add(name)
        for number, names in published.items():
            if "test" in names:
                parts[number] = "sealed"
            elif "validation" in names:
                parts[number] = _chosen_part(drawn[number])
            elif "train" in names:
                parts[number] = "train"
    return np.array(parts, np.str_)[group] if count else np.zeros(0, np.str_)


def with_groups(
    near: NDArray[np.bool_], group: NDArray[np.int64], identities: Sequence[str] | None = None
) -> NDArray[np.bool_]:
    """Photographs that are near something, with all others of their groups and people.

    Of a large group (`is_large`) only the near ones, and all photographs with their identity labels, are taken.

    Args:
        near: bool (N,).
        group: int64 (N,).
        identities: labels of N people, empty where a photograph has none.
    """
    touched = np.zeros(int(group.max(initial=-1)) + 1, bool)
    touched[group[near]] = True
    taken = near | (touched[group] & ~is_large(group))
    if identities is None:
        return taken
    labels = np.array(identities)
    return np.asarray(taken | (np.isin(labels, labels[taken]) & (labels != "")))


def is_large(group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the group of each photograph has more than `LARGE_SHARE` of all, and more than 100: bool (N,)."""
    sizes = np.bincount(group) if len(group) else np.zeros(0, np.int64)
    return sizes[group] > max(100, LARGE_SHARE * len(group))


def _draw(digest: str) -> float:
    """A number of [0, 1) by a hash."""
    return int.from_bytes(hashlib.sha256(digest.encode()).digest()[:8], "big") / 2**64


def _part(value: float) -> str:
    """The part of a number of [0, 1), by the shares."""
    ends = np.cumsum([SHARES[part] for part in PARTS])[:-1]
    return PARTS[int(np.searchsorted(ends, value, side="right"))]


def _chosen_part(value: float) -> str:
    """Validation or tuning, by their shares."""
    both = SHARES["validation"] + SHARES["tuning"]
    return "validation" if value < SHARES["validation"] / both else "tuning"
