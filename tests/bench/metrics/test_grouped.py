"""Means over groups, by hand and by a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import DataError
from bench.metrics.grouped import mean_of_groups, mean_of_groups_interval
from bench.metrics.intervals import bootstrap_interval


def test_groups_count_alike_whatever_their_sizes() -> None:
    assert mean_of_groups([1, 1, 1, 0], [0, 0, 0, 1]) == pytest.approx(0.5)
    assert mean_of_groups([1, 0, 1], ["a", "a", "b"]) == pytest.approx(0.75)


def test_the_interval_is_that_of_a_plain_loop_over_resampled_people() -> None:
    rng = np.random.default_rng(5)
    people = [f"p{i // 5}" for i in range(60)]
    values, groups = rng.integers(0, 2, 60).astype(float), rng.choice(["a", "b", "c"], 60).tolist()
    found = mean_of_groups_interval(values, groups, people, seed=1, resamples=300)
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
    np.testing.assert_allclose((found.low, found.high), np.quantile(means, (0.025, 0.975)))


def test_one_group_gives_the_interval_of_the_plain_mean() -> None:
    values, people = [1.0, 0.0, 1.0, 1.0, 0.0], ["a", "a", "b", "c", "d"]
    both = [f(values, *g, people, seed=3) for f, g in ((mean_of_groups_interval, [[0] * 5]), (bootstrap_interval, []))]
    assert (both[0].low, both[0].high) == pytest.approx((both[1].low, both[1].high))


def test_hits_alone_have_the_exact_interval_of_people() -> None:
    found = mean_of_groups_interval([1.0, 1.0], ["a", "b"], ["p", "q"], seed=0)
    assert found.method.startswith("Clopper-Pearson on 2 identities") and found.high == 1.0


def test_other_numbers_of_groups_are_an_error() -> None:
    with pytest.raises(DataError, match="one each"):
        mean_of_groups([1.0, 0.0], [1])
    with pytest.raises(DataError, match="one each"):
        mean_of_groups_interval([1.0, 0.0], [1], ["a", "b"], seed=0)
