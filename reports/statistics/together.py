"""Intervals of many columns over the same rows: resampled together, each the same as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.metrics.bootstrap import Interval, bootstrap_intervals, of_differences


def mean_intervals(
    columns: Sequence[ArrayLike], people: Sequence[Sequence[str]], *, seeds: Sequence[int]
) -> list[Interval]:
    """`bench.metrics.bootstrap.bootstrap_interval` of each column.

    One resampling serves all columns over the same people: drawing these is most of the cost, and depends on the seed
    alone.

    Args:
        columns: values of each.
        people: the identities of its rows.
        seeds: of its resampling.
    """
    alike: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for place, (own, seed) in enumerate(zip(people, seeds, strict=True)):
        alike.setdefault((seed, tuple(own)), []).append(place)
    found: dict[int, Interval] = {}
    for (seed, who), places in alike.items():
        table = np.column_stack([np.asarray(columns[place], np.float64) for place in places])
        found |= dict(zip(places, bootstrap_intervals(table, who, seed=seed), strict=True))
    return [found[place] for place in range(len(columns))]


def difference_intervals(
    columns: Sequence[NDArray[np.float64]], people: Sequence[Sequence[str]], *, seeds: Sequence[int]
) -> list[Interval]:
    """`bench.metrics.bootstrap.difference_interval` of each column of differences; see `mean_intervals`."""
    return [
        of_differences(interval, column)
        for column, interval in zip(columns, mean_intervals(columns, people, seeds=seeds), strict=True)
    ]
