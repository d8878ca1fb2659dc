"""Means of means: classes or folds that count alike whatever their sizes, with an interval over identities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bench.errors import DataError
from bench.metrics.intervals import Interval, bootstrap_interval


def mean_of_groups(values: ArrayLike, groups: Sequence[str | int]) -> float:
    """Mean over groups of the mean of their values; groups are those that occur.

    Args:
        values: (N,) numbers, N >= 1.
        groups: the group of each.

    Raises:
        DataError: no values, or other numbers of values and groups.
    """
    column = np.asarray(values, np.float64)
    if column.ndim != 1 or len(column) != len(groups) or not len(column):
        raise DataError(f"Values of shape {column.shape} for {len(groups)} groups; expected one each, at least one")
    _, places = np.unique(np.asarray(groups), return_inverse=True)
    sums, counts = np.bincount(places, weights=column), np.bincount(places)
    return float((sums / counts).mean())


def mean_of_groups_interval(
    values: ArrayLike,
    groups: Sequence[str | int],
    identities: Sequence[str],
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the interval of `mean_of_groups`, resampling identities with all their items.

    A group that a resample leaves empty has no part in it. Where all values are 0, or all are 1, or there is one
    identity, the interval is that of `bench.metrics.intervals.bootstrap_interval`, for its reasons.

    Args:
        values: (N,) finite numbers.
        groups: the group of each.
        identities: the person of each.
        seed: of the generator.
        resamples: at least 100.
        level: in (0, 1).

    Raises:
        DataError, UsageError: as `bootstrap_interval`; other numbers of groups.

    Source: Davison & Hinkley 1997, Bootstrap Methods, section 3.8 (cluster sampling) and eq. 5.18 (percentiles).
    """
    plain = bootstrap_interval(values, identities, seed=seed, resamples=resamples, level=level)
    column = np.asarray(values, np.float64)
    mean_of_groups(column, groups)
    if plain.identities == 1 or bool((column == column[0]).all()):
        return plain
    _, people = np.unique(np.asarray(identities, np.str_), return_inverse=True)
    _, places = np.unique(np.asarray(groups), return_inverse=True)
    sums, counts = (np.zeros((people.max() + 1, places.max() + 1)) for _ in range(2))
    np.add.at(sums, (people, places), column)
    np.add.at(counts, (people, places), 1)
    weights = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    drawn, totals = weights @ counts, weights @ sums
    with np.errstate(invalid="ignore"):
        means = np.nanmean(np.where(drawn > 0, totals / drawn, np.nan), axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(low), float(high), plain.method, plain.identities)
