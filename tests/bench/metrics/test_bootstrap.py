"""Intervals against plain loops over drawn identities, closed forms and SciPy; and what has no interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.errors import DataError, UsageError
from bench.metrics.bootstrap import (
    BLOCK,
    bootstrap_interval,
    bootstrap_intervals,
    cluster_weights,
    difference_interval,
    mean_of_groups,
    mean_of_groups_interval,
    median_interval,
)


def test_weights_do_not_depend_on_the_block_size() -> None:
    blocks = list(cluster_weights(7, 50, seed=3, widest=BLOCK // 4))
    assert [len(weights) for _, weights in blocks] == [4] * 12 + [2]
    (whole,) = cluster_weights(7, 50, seed=3)
    assert np.array_equal(np.concatenate([weights for _, weights in blocks]), whole[1])
    assert [place for block, _ in blocks for place in range(50)[block]] == list(range(50))
    assert (whole[1].sum(axis=1) == 7).all()


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
    result = bootstrap_interval(values, identities, seed=1, resamples=8000)
    low, high = resample_one_by_one(values, identities, seed=2, resamples=8000)
    assert (result.low, result.high) == pytest.approx((low, high), abs=0.01)
    assert result.identities == 60
    assert result.method == "bootstrap over 60 identities, 8000 resamples"


def test_the_interval_has_the_width_of_the_linearised_standard_error():
    values, identities = sample(people=400, seed=3)
    result = bootstrap_interval(values, identities, seed=1, resamples=4000)
    names = np.unique(identities, return_inverse=True)[1]
    residuals = np.bincount(names, weights=values - values.mean())
    error = math.sqrt((residuals**2).sum()) / len(values)  # standard error of a ratio of cluster sums
    assert result.high - result.low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_repeating_every_probe_of_a_person_does_not_narrow_the_interval():
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
    result = bootstrap_interval([value] * 50, identities, seed=0)
    expected = stats.binomtest(int(20 * value), 20).proportion_ci(0.95, method="exact")
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert result.method == f"Clopper-Pearson on 20 identities (all values are {value:g})"


def test_one_identity_has_no_interval_and_says_why():
    result = bootstrap_interval([0.0, 1.0, 1.0], ["p"] * 3, seed=0)
    assert (result.low, result.high, result.method) == (None, None, "none: one identity only")


def test_equal_values_have_no_interval_and_say_why():
    result = bootstrap_interval([0.25, 0.25], ["p", "q"], seed=0)
    assert (result.low, result.high, result.method) == (None, None, "none: all values are equal")


def test_a_paired_difference_is_resampled_together():
    values, identities = sample(people=200)
    better = values.copy()
    better[np.flatnonzero(values == 0)[::9]] = 1
    result = difference_interval(better, values, identities, seed=7)
    assert 0 < result.low < (better - values).mean() < result.high
    alone = bootstrap_interval(values, identities, seed=7)
    assert result.high - result.low < (alone.high - alone.low) / 2
    mirrored = difference_interval(values, better, identities, seed=7)
    assert (mirrored.low, mirrored.high) == pytest.approx((-result.high, -result.low), abs=1e-12)


def test_runs_that_agree_everywhere_have_no_interval_of_zero_width():
    result = difference_interval([0.0, 1.0], [0.0, 1.0], ["p", "q"], seed=0)
    assert (result.low, result.high, result.method) == (None, None, "none: the difference is the same on every probe")


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(8), 0
    for trial in range(200):
        chance = rng.beta(2, 2, 80)  # mean one half
        values = (rng.uniform(size=(80, 3)) < chance[:, None]).astype(float).ravel()
        result = bootstrap_interval(values, np.repeat(np.arange(80), 3).astype(str), seed=trial, resamples=300)
        covered += result.low <= 0.5 <= result.high
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


def test_groups_have_equal_weights_whatever_their_sizes() -> None:
    assert mean_of_groups([1, 1, 1, 0], [0, 0, 0, 1]) == pytest.approx(0.5)
    assert mean_of_groups([1, 0, 1], ["a", "a", "b"]) == pytest.approx(0.75)


def test_the_interval_of_a_mean_of_groups_is_that_of_a_plain_loop_over_resampled_people() -> None:
    rng = np.random.default_rng(5)
    people = [f"p{i // 5}" for i in range(60)]
    values, groups = rng.integers(0, 2, 60).astype(float), rng.choice(["a", "b", "c"], 60).tolist()
    result = mean_of_groups_interval(values, groups, people, seed=1, resamples=300)
    names = sorted(set(people))
    weights = np.random.default_rng(1).multinomial(len(names), np.full(len(names), 1 / len(names)), size=300)
    means = []
    for row in weights:
        drawn = [
            i
            for name, times in zip(names, row, strict=True)
            for i in range(60)
            if people[i] == name
            for _ in range(times)
        ]
        parts = [[values[i] for i in drawn if groups[i] == group] for group in "abc"]
        means.append(np.mean([np.mean(part) for part in parts if part]))
    np.testing.assert_allclose((result.low, result.high), np.quantile(means, (0.025, 0.975)))


def test_a_single_group_gives_the_interval_of_the_plain_mean() -> None:
    values, people = [1.0, 0.0, 1.0, 1.0, 0.0], ["a", "a", "b", "c", "d"]
    both = [f(values, *g, people, seed=3) for f, g in ((mean_of_groups_interval, [[0] * 5]), (bootstrap_interval, []))]
    assert (both[0].low, both[0].high) == pytest.approx((both[1].low, both[1].high))


def test_values_that_are_all_hits_have_the_exact_interval_over_people() -> None:
    result = mean_of_groups_interval([1.0, 1.0], ["a", "b"], ["p", "q"], seed=0)
    assert result.method.startswith("Clopper-Pearson on 2 identities") and result.high == 1.0


def test_other_numbers_of_groups_are_an_error() -> None:
    with pytest.raises(DataError, match="one each"):
        mean_of_groups([1.0, 0.0], [1])
    with pytest.raises(DataError, match="one each"):
        mean_of_groups_interval([1.0, 0.0], [1], ["a", "b"], seed=0)


def test_the_interval_of_a_median_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).gamma(4.0, 2.0, 41)
    ours = median_interval(values.tolist(), seed=0, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.median, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.15)
    assert ours.high == pytest.approx(theirs.high, abs=0.15)
    assert ours.low is not None and ours.high is not None and ours.low < np.median(values) < ours.high


def test_one_outlier_does_not_change_the_interval_of_a_median() -> None:
    interval = median_interval([1.0] * 20 + [1000.0], seed=0)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_a_single_repeat_has_no_interval_and_the_same_seed_gives_the_same() -> None:
    assert median_interval([3.0], seed=0).low is None
    assert median_interval([1, 2, 3, 4], seed=5) == median_interval([1, 2, 3, 4], seed=5)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_values_without_a_median_are_refused(values: list[float]) -> None:
    with pytest.raises(DataError):
        median_interval(values, seed=0)


def test_options_of_a_median_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError):
        median_interval([1.0, 2.0], seed=0, resamples=10)
