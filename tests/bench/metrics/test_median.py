"""The interval of a median against SciPy's bootstrap, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.errors import DataError, UsageError
from bench.metrics.median import median_interval


def test_it_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).gamma(4.0, 2.0, 41)
    ours = median_interval(values.tolist(), seed=0, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.median, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.15)
    assert ours.high == pytest.approx(theirs.high, abs=0.15)
    assert ours.low is not None and ours.high is not None and ours.low < np.median(values) < ours.high


def test_one_outlier_does_not_reach_it() -> None:
    interval = median_interval([1.0] * 20 + [1000.0], seed=0)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_a_single_repeat_has_none_and_the_same_seed_gives_the_same() -> None:
    assert median_interval([3.0], seed=0).low is None
    assert median_interval([1, 2, 3, 4], seed=5) == median_interval([1, 2, 3, 4], seed=5)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_what_has_no_median_is_refused(values: list[float]) -> None:
    with pytest.raises(DataError):
        median_interval(values, seed=0)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError):
        median_interval([1.0, 2.0], seed=0, resamples=10)
