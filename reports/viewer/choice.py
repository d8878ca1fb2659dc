"""Which probes have pictures where there is no room for all: what changed most, then an even spread."""

from __future__ import annotations

import numpy as np

from reports.viewer.columns import Columns

_EACH_WAY = 4
_STEP = (5**0.5 - 1) / 2  # multiples of it spread evenly however many are taken


def in_order_of_interest(columns: Columns) -> list[int]:
    """All probes: those each run helped and hurt most, in turns, then evenly over the rest in the order of the data."""
    first: list[int] = []
    for rank in range(_EACH_WAY):
        for gains in columns.gains.T:
            order = np.argsort(-np.nan_to_num(gains), kind="stable")
            for probe in (order[rank : rank + 1], order[::-1][rank : rank + 1]):
                first += [int(at) for at in probe if np.nan_to_num(gains)[at] != 0]
    spread = np.argsort((np.arange(len(columns.keys)) * _STEP) % 1.0, kind="stable")
    return list(dict.fromkeys([*first, *map(int, spread)]))
