"""95 % intervals by resampling identities: probes of one person are not independent, so whole persons are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.errors import DataError, UsageError

_DRAWS_AT_ONCE = 1 << 20  # weights held at a time: 8 MiB


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval around a mean over probes.

    Attributes:
        low: lower end; None where no interval can be given.
        high: upper end, likewise.
        method: how it was made, or why there is none; a phrase for the reader.
        identities: persons resampled.
    """

    low: float | None
    high: float | None
    method: str
    identities: int


def bootstrap_interval(
    values: ArrayLike, identities: Sequence[str], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """Return the interval of the mean of per-probe values (hit 0 or 1, average precision, dB).

    Percentile bootstrap: as many identities as there are, drawn with replacement, each with all its probes; the
    statistic is sum of values / number of probes. Where every value is 0, or every value is 1, resampling would
    give an interval of no width; a Clopper-Pearson interval on the number of identities is returned instead, each
    identity counted as one trial, and ``method`` says so. With a single identity, or with all values equal to
    something else, there is no interval: low and high are None and ``method`` says why.

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
    values: ArrayLike, identities: Sequence[str], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> tuple[Interval, ...]:
    """Return `bootstrap_interval` of each column of (N, F) values, all from one set of resamples."""
    table = np.asarray(values, dtype=np.float64)
    if resamples < 100 or not 0 < level < 1:
        raise UsageError(f"resamples is {resamples}, level {level}; expected at least 100, and a level in (0, 1).")
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
    sums = np.zeros((count, table.shape[1] + 1))
    np.add.at(sums, clusters, np.column_stack([table, np.ones(len(table))]))
    means = _resampled_means(sums, seed, resamples)
    tail = (1 - level) / 2
    lows, highs = np.quantile(means, tail, axis=0), np.quantile(means, 1 - tail, axis=0)
    method = f"bootstrap over {count} identities, {resamples} resamples"
    return tuple(
        _degenerate(float(column[0]), count, level)
        if bool((column == column[0]).all())
        else Interval(float(low), float(high), method, count)
        for column, low, high in zip(table.T, lows, highs, strict=True)
    )


def difference_interval(
    first: ArrayLike,
    second: ArrayLike,
    identities: Sequence[str],
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the interval of the mean of ``first - second``, two runs on the same probes in the same order.

    Both runs are resampled together, so what makes a probe hard for both cancels. Where the difference is the same
    on every probe there is no interval, and ``method`` says why.

    Args:
        first: (N,) values of one run.
        second: (N,) values of the other, paired by position.
        identities: the person of each probe, N.
        seed: as for `bootstrap_interval`; likewise ``resamples`` and ``level``.
        resamples: see there.
        level: see there.

    Raises:
        DataError: lengths differ, or what `bootstrap_interval` refuses.
        UsageError: as there.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise DataError(f"The runs have values of shapes {left.shape} and {right.shape}; expected one a probe in both.")
    found = bootstrap_interval(left - right, identities, seed=seed, resamples=resamples, level=level)
    if found.identities > 1 and len(left) and np.ptp(left - right) == 0:
        return Interval(None, None, "none: the runs differ alike on every probe", found.identities)
    return found


def _resampled_means(sums: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Ratio of sums under multinomial weights; the last column of ``sums`` (clusters, F + 1) counts the probes."""
    generator = np.random.default_rng(seed)
    count = len(sums)
    step = max(1, _DRAWS_AT_ONCE // count)
    means = np.empty((resamples, sums.shape[1] - 1))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        weights = generator.multinomial(count, np.full(count, 1 / count), size=size)
        totals = weights @ sums
        means[start : start + size] = totals[:, :-1] / totals[:, -1:]
    return means


def _degenerate(value: float, count: int, level: float) -> Interval:
    """All values are equal: none or all of the identities are hits, or nothing can be said."""
    if value not in (0.0, 1.0):
        return Interval(None, None, "none: all values are equal", count)
    bound = ((1 - level) / 2) ** (1 / count)  # the beta quantile in closed form
    low, high = (0.0, 1 - bound) if value == 0.0 else (bound, 1.0)
    return Interval(low, high, f"Clopper-Pearson on {count} identities (all values are {value:g})", count)
