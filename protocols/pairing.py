"""Pairs of images as places among the different ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def places(items: Sequence[Hashable]) -> NDArray[np.int64]:
    """Of each item its place among the different ones in order of appearance, int64 (N,)."""
    known = {item: place for place, item in enumerate(dict.fromkeys(items))}
    return np.array([known[item] for item in items], np.int64)
