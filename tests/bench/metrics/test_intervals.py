from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.errors import DataError, UsageError
from bench.metrics.intervals import bootstrap_interval, bootstrap_intervals, difference_interval


def resample_one_by_one(values, identities, seed, resamples):
    """Draw identities by a plain loop: another generator call order, so ends agree only up to resampling noise."""
    groups = [[v for v, i in zip(values, identities, strict=True) if i == name] for name in sorted(set(identities))]
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(resamples):
        drawn = [value for at in rng.integers(len(groups), size=len(groups)) for value in groups[at]]
        means.append(sum(drawn) / len(drawn))
    return np.quantile(means, [0.025, 0.975])


def sample(people=60, seed=0):
    rng = np.random.default_rng(seed)
    identities = [f"p{number}" for number in range(people) for _ in range(1 + number % 4)]
    skill = dict(zip(sorted(set(identities)), rng.uniform(0, 1, people), strict=True))
    return np.array([float(rng.uniform() < skill[name]) for name in identities]), identities


def test_the_interval_agrees_with_a_plain_loop_over_drawn_identities():
    values, identities = sample()
    found = bootstrap_interval(values, identities, seed=1, resamples=8000)
    low, high = resample_one_by_one(values, identities, seed=2, resamples=8000)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)
    assert found.identities == 60
    assert found.method == "bootstrap over 60 identities, 8000 resamples"


def test_the_interval_has_the_width_of_the_linearised_standard_error():
    values, identities = sample(people=400, seed=3)
    found = bootstrap_interval(values, identities, seed=1, resamples=4000)
    names = np.unique(identities, return_inverse=True)[1]
    residuals = np.bincount(names, weights=values - values.mean())
    error = math.sqrt((residuals**2).sum()) / len(values)  # standard error of a ratio of cluster sums
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_repeating_every_probe_of_a_person_narrows_nothing():
    values, identities = sample()
    once = bootstrap_interval(values, identities, seed=4)
    thrice = bootstrap_interval(np.tile(values, 3), identities * 3, seed=4)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_columns_share_their_resamples():
    values, identities = sample()
    one = bootstrap_interval(values, identities, seed=5)
    both = bootstrap_intervals(np.column_stack([values, 1 - values]), identities, seed=5)
    assert both[0] == one == bootstrap_interval(values, identities, seed=5)
    assert (both[1].low, both[1].high) == pytest.approx((1 - one.high, 1 - one.low), abs=1e-12)
    assert bootstrap_interval(values, identities, seed=6) != one


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_hits_or_only_hits_give_a_clopper_pearson_interval_on_identities(value):
    identities = [f"p{number % 20}" for number in range(50)]
    found = bootstrap_interval([value] * 50, identities, seed=0)
    expected = stats.binomtest(int(20 * value), 20).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.method == f"Clopper-Pearson on 20 identities (all values are {value:g})"


def test_one_identity_has_no_interval_and_says_why():
    found = bootstrap_interval([0.0, 1.0, 1.0], ["p"] * 3, seed=0)
    assert (found.low, found.high, found.method) == (None, None, "none: one identity only")


def test_equal_values_have_no_interval_and_say_why():
    found = bootstrap_interval([0.25, 0.25], ["p", "q"], seed=0)
    assert (found.low, found.high, found.method) == (None, None, "none: all values are equal")


def test_a_paired_difference_is_resampled_together():
    values, identities = sample(people=200)
    better = values.copy()
    better[np.flatnonzero(values == 0)[::9]] = 1
    found = difference_interval(better, values, identities, seed=7)
    assert 0 < found.low < (better - values).mean() < found.high
    alone = bootstrap_interval(values, identities, seed=7)
    assert found.high - found.low < (alone.high - alone.low) / 2
    mirrored = difference_interval(values, better, identities, seed=7)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_runs_that_agree_everywhere_have_no_interval_of_zero_width():
    found = difference_interval([0.0, 1.0], [0.0, 1.0], ["p", "q"], seed=0)
    assert (found.low, found.high, found.method) == (None, None, "none: the runs differ alike on every probe")


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(8), 0
    for trial in range(200):
        chance = rng.beta(2, 2, 80)  # mean one half
        values = (rng.uniform(size=(80, 3)) < chance[:, None]).astype(float).ravel()
        found = bootstrap_interval(values, np.repeat(np.arange(80), 3).astype(str), seed=trial, resamples=300)
        covered += found.low <= 0.5 <= found.high
    assert 180 <= covered <= 199


@pytest.mark.parametrize(
    ("values", "identities"),
    [([], []), ([1.0], ["p", "q"]), ([np.nan, 1.0], ["p", "q"]), ([np.inf, 1.0], ["p", "q"])],
)
def test_unusable_values_are_refused(values, identities):
    with pytest.raises(DataError):
        bootstrap_interval(values, identities, seed=0)


def test_runs_of_different_length_are_refused():
    with pytest.raises(DataError, match="one a probe in both"):
        difference_interval([1.0], [1.0, 0.0], ["p"], seed=0)


@pytest.mark.parametrize("option", [{"resamples": 99}, {"level": 0.0}, {"level": 1.0}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(UsageError):
        bootstrap_interval([0.0, 1.0], ["p", "q"], seed=0, **option)
