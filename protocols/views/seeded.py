"""Orders and draws that depend on a seed and on names alone.

Items are ordered by the SHA-256 of seed and name, so a draw is the same on every machine and with every version of
every library, and items that a copy lacks do not change how the others are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def draw_key(seed: int, *words: object) -> str:
    """Sorting key of an item: SHA-256, in hexadecimal, of the seed and the words joined by blanks."""
    return hashlib.sha256(" ".join(map(str, (seed, *words))).encode("utf-8", "surrogateescape")).hexdigest()


def seeded_order(names: Iterable[str], seed: int) -> list[str]:
    """Names ordered by `draw_key`."""
    return sorted(names, key=lambda name: draw_key(seed, name))
