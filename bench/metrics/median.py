"""The median of repeated measurements, with its interval by resampling them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.errors import DataError, UsageError
from bench.metrics.intervals import Interval


def median_interval(values: Sequence[float], *, seed: int, resamples: int = 2000, level: float = 0.95) -> Interval:
    """Return the percentile bootstrap interval of the median.

    Repeats are taken as independent: under a load that comes and goes the true interval is wider.

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
    if resamples < 100 or not 0 < level < 1:
        raise UsageError(f"resamples is {resamples}, level {level}; expected at least 100, and a level in (0, 1).")
    if column.ndim != 1 or not len(column) or not np.isfinite(column).all():
        raise DataError(f"The median of {list(values)[:5]}: expected finite numbers, at least one.")
    if len(column) == 1:
        return Interval(None, None, "none: one repeat only", 1)
    drawn = np.random.default_rng(seed).integers(0, len(column), (resamples, len(column)))
    medians = np.median(column[drawn], axis=1)
    low, high = (float(np.quantile(medians, share)) for share in ((1 - level) / 2, (1 + level) / 2))
    return Interval(low, high, f"bootstrap over {len(column)} repeats, {resamples} resamples", len(column))
