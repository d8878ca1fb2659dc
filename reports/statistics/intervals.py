"""95 % intervals of many columns of values: columns with the same identities share one resampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.metrics.bootstrap import Interval, bootstrap_intervals, without_equal_differences


def mean_intervals(
    columns: Sequence[ArrayLike], people: Sequence[Sequence[str]], *, seeds: Sequence[int]
) -> list[Interval]:
    """`bench.metrics.bootstrap.bootstrap_interval` of each column.

    Columns with the same identities and the same seed are resampled together. The result is the same as one by one,
    because the draws depend on the seed alone, and drawing is most of the cost.

    Args:
        columns: the values of each column, float, shape (rows,).
        people: the identity of each row, per column.
        seeds: the seed of the bootstrap, per column.
    """
    shared: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for index, (identities, seed) in enumerate(zip(people, seeds, strict=True)):
        shared.setdefault((seed, tuple(identities)), []).append(index)
    intervals: dict[int, Interval] = {}
    for (seed, identities_of_rows), indices in shared.items():
        table = np.column_stack([np.asarray(columns[index], np.float64) for index in indices])
        intervals |= dict(zip(indices, bootstrap_intervals(table, identities_of_rows, seed=seed), strict=True))
    return [intervals[index] for index in range(len(columns))]


def difference_intervals(
    columns: Sequence[NDArray[np.float64]], people: Sequence[Sequence[str]], *, seeds: Sequence[int]
) -> list[Interval]:
    """`bench.metrics.bootstrap.difference_interval` of each column of differences; see `mean_intervals`."""
    return [
        without_equal_differences(interval, column)
        for column, interval in zip(columns, mean_intervals(columns, people, seeds=seeds), strict=True)
    ]
