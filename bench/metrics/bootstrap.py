"""95 % intervals by the bootstrap. Probes of one person are not independent, so whole identities are resampled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.errors import DataError, UsageError

BLOCK = 1 << 20
"""Numbers drawn at a time (8 MiB of int64), so that memory does not depend on the number of resamples."""
RESAMPLES = 2000
LEVEL = 0.95
EQUAL_DIFFERENCES = "none: the difference is the same on every probe"
"""``method`` of the interval of a difference that is the same on every probe."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval around a mean over probes.

    Attributes:
        low: lower end; None where no interval can be given.
        high: upper end; None likewise.
        method: how it was computed, or why there is none.
        identities: clusters resampled.
    """

    low: float | None
    high: float | None
    method: str
    identities: int


NOT_COMPUTED = Interval(None, None, "none: not computed", 0)
"""Interval of a figure that is computed without intervals."""


def cluster_weights(
    count: int, resamples: int, *, seed: int, widest: int | None = None
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Yield how often each cluster is drawn in each resample, in blocks of at most about `BLOCK` numbers.

    Each resample draws as many clusters as there are, with replacement. The weights depend on ``seed`` and ``count``
    alone, not on the size of the blocks.

    Args:
        count: clusters (identities, folds), at least 1.
        resamples: at least 1.
        seed: of the generator.
        widest: length of the longest array that the caller makes for each resample, where it is above ``count``.

    Yields:
        Which resamples these are, and their weights, int64 (B, count), each row summing to ``count``.
    """
    generator = np.random.default_rng(seed)
    shares = np.full(count, 1 / count)
    step = max(1, BLOCK // max(count, widest or 0))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        yield slice(start, stop), generator.multinomial(count, shares, size=stop - start)


def percentile_ends(resampled: NDArray[np.float64], tail: float = (1 - LEVEL) / 2) -> NDArray[np.float64]:
    """Return lower and upper end of the percentile interval: float64 (2, ...) of (resamples, ...) statistics.

    Args:
        resampled: the statistic in each resample, along the first axis.
        tail: share of the resamples excluded at each end.

    Source: Davison & Hinkley 1997, Bootstrap Methods, eq. 5.18.
    """
    ends: NDArray[np.float64] = np.quantile(resampled, (tail, 1 - tail), axis=0)
    return ends


def _check_resampling(resamples: int, level: float = LEVEL) -> None:
    """Raise UsageError unless there are at least 100 resamples and the level is in (0, 1)."""
    if resamples < 100 or not 0 < level < 1:
        raise UsageError(f"resamples is {resamples}, level {level}; expected at least 100, and a level in (0, 1).")


def bootstrap_interval(
    values: ArrayLike, identities: Sequence[str], *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """Return the interval of the mean of per-probe values (hit 0 or 1, average precision, dB).

    Percentile bootstrap: all identities are drawn with replacement, each with all its probes; the statistic is sum of
    values / number of probes. Where every value is 0, or every value is 1, resampling would
    give an interval of zero width; a Clopper-Pearson interval on the number of identities is returned instead, each
    identity counted as one trial, and ``method`` says so. With a single identity, or with all values equal to
    another value, there is no interval: low and high are None and ``method`` gives the reason.

    Args:
        values: (N,) finite numbers, one a probe.
        identities: the person of each probe, N.
        seed: of the generator; the same seed gives the same resamples for the same identities.
        resamples: at least 100.
        level: in (0, 1).

    Raises:
        DataError: no values, another number of identities, or a value that is not finite.
        UsageError: ``resamples`` or ``level`` out of range.

    Source: Davison & Hinkley 1997, Bootstrap Methods, section 3.8 (cluster sampling) and eq. 5.18 (percentiles);
        Clopper & Pearson 1934.
    """
    column = np.asarray(values, dtype=np.float64)
    return bootstrap_intervals(column[:, None], identities, seed=seed, resamples=resamples, level=level)[0]


def bootstrap_intervals(
    values: ArrayLike, identities: Sequence[str], *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[Interval, ...]:
    """Return `bootstrap_interval` of each column of (N, F) values, all from one set of resamples."""
    table = np.asarray(values, dtype=np.float64)
    _check_resampling(resamples, level)
    if table.ndim != 2 or 0 in table.shape or len(identities) != len(table):
        raise DataError(
            f"Values of shape {table.shape} for {len(identities)} identities; expected one row of values for each."
        )
    if not np.isfinite(table).all():
        raise DataError(f"{int((~np.isfinite(table)).sum())} of {table.size} values are not finite.")
    names, clusters = np.unique(np.asarray(identities, dtype=np.str_), return_inverse=True)
    count = len(names)
    if count == 1:
        return (Interval(None, None, "none: one identity only", 1),) * int(table.shape[1])
    sums = np.zeros((count, table.shape[1] + 1))  # the last column counts the probes
    np.add.at(sums, clusters, np.column_stack([table, np.ones(len(table))]))
    means = np.empty((resamples, table.shape[1]))
    for block, weights in cluster_weights(count, resamples, seed=seed):
        totals = weights @ sums
        means[block] = totals[:, :-1] / totals[:, -1:]
    method = f"bootstrap over {count} identities, {resamples} resamples"
    return tuple(
        _of_equal_values(float(column[0]), count, level)
        if bool((column == column[0]).all())
        else Interval(float(low), float(high), method, count)
        for column, low, high in zip(table.T, *percentile_ends(means, (1 - level) / 2), strict=True)
    )


def difference_interval(
    first: ArrayLike,
    second: ArrayLike,
    identities: Sequence[str],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return the interval of the mean of ``first - second``, two runs on the same probes in the same order.

    Both runs are resampled together, so the common difficulty of a probe cancels. Where the difference is the same on
    every probe there is no interval, and ``method`` gives the reason.

    Args:
        first: (N,) values of one run.
        second: (N,) values of the other, paired by position.
        identities: the person of each probe, N.
        seed: as for `bootstrap_interval`; likewise ``resamples`` and ``level``.
        resamples: see there.
        level: see there.

    Raises:
        DataError: lengths differ, or as `bootstrap_interval`.
        UsageError: as `bootstrap_interval`.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise DataError(f"The runs have values of shapes {left.shape} and {right.shape}; expected one a probe in both.")
    differences = left - right
    interval = bootstrap_interval(differences, identities, seed=seed, resamples=resamples, level=level)
    return without_equal_differences(interval, differences)


def without_equal_differences(interval: Interval, differences: NDArray[np.float64]) -> Interval:
    """Return the `bootstrap_interval` of paired differences; none where all differences are equal."""
    if interval.identities > 1 and np.ptp(differences) == 0:
        return Interval(None, None, EQUAL_DIFFERENCES, interval.identities)
    return interval


def mean_of_groups(values: ArrayLike, groups: Sequence[str | int]) -> float:
    """Return the mean over groups of the mean of their values: classes or folds with equal weights.

    Args:
        values: (N,) numbers, N >= 1.
        groups: the group of each; groups are those that occur.

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
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return the interval of `mean_of_groups`, resampling identities with all their items.

    A group that is empty in a resample is excluded from it. Where all values are 0, or all are 1, or there is one
    identity, the interval is that of `bootstrap_interval`.

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
    means = np.empty(resamples)
    for block, weights in cluster_weights(len(sums), resamples, seed=seed):
        drawn, totals = weights @ counts, weights @ sums
        with np.errstate(invalid="ignore"):
            means[block] = np.nanmean(np.where(drawn > 0, totals / drawn, np.nan), axis=1)
    low, high = percentile_ends(means, (1 - level) / 2)
    return Interval(float(low), float(high), plain.method, plain.identities)


def median_interval(
    values: Sequence[float], *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """Return the percentile bootstrap interval of the median of repeated measurements.

    Repeats are assumed independent: under a changing load of the machine the true interval is wider.

    Args:
        values: finite numbers, one a repeat.
        seed: of the generator.
        resamples: at least 100.
        level: in (0, 1).

    Returns:
        The interval; ``identities`` counts the repeats. None for both ends where there is a single one.

    Raises:
        DataError: no values, or one that is not finite.
        UsageError: ``resamples`` or ``level`` out of range.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
    """
    column = np.asarray(values, np.float64)
    _check_resampling(resamples, level)
    if column.ndim != 1 or not len(column) or not np.isfinite(column).all():
        raise DataError(f"The median of {list(values)[:5]}: expected finite numbers, at least one.")
    if len(column) == 1:
        return Interval(None, None, "none: one repeat only", 1)
    drawn = np.random.default_rng(seed).integers(0, len(column), (resamples, len(column)))
    low, high = percentile_ends(np.median(column[drawn], axis=1), (1 - level) / 2)
    return Interval(
        float(low), float(high), f"bootstrap over {len(column)} repeats, {resamples} resamples", len(column)
    )


def _of_equal_values(value: float, count: int, level: float) -> Interval:
    """The interval if all values are equal: Clopper-Pearson for 0 or 1, none for another value."""
    if value not in (0.0, 1.0):
        return Interval(None, None, "none: all values are equal", count)
    bound = ((1 - level) / 2) ** (1 / count)  # the beta quantile in closed form
    low, high = (0.0, 1 - bound) if value == 0.0 else (bound, 1.0)
    return Interval(low, high, f"Clopper-Pearson on {count} identities (all values are {value:g})", count)
