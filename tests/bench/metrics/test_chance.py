"""What a random order gives, by brute force and by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bench.errors import DataError, UsageError
from bench.metrics.chance import pairs_below, random_rank_k_rate, share_below
from bench.metrics.roc import auc, roc


@pytest.mark.parametrize(("mates", "templates", "k"), [(1, 6, 1), (2, 6, 1), (2, 6, 3), (3, 5, 3), (1, 4, 9)])
def test_the_random_rate_is_the_share_of_all_orders_with_a_mate_among_the_first_k(
    mates: int, templates: int, k: int
) -> None:
    orders = list(itertools.combinations(range(templates), mates))  # places of the mates
    hits = sum(places[0] < k for places in orders)
    assert random_rank_k_rate([mates], templates, k) == pytest.approx(hits / len(orders))


def test_the_random_rate_of_several_probes_is_their_mean() -> None:
    assert random_rank_k_rate([1, 3], 10, 1) == pytest.approx((0.1 + 0.3) / 2)


def test_the_share_below_is_a_half_over_all_orders_and_its_ends_are_0_and_1() -> None:
    orders = itertools.combinations(range(1, 8), 3)
    assert np.mean([share_below(order, 7) for order in orders]) == pytest.approx(0.5)
    assert share_below([1, 2, 3], 7) == 1.0
    assert share_below([5, 6, 7], 7) == 0.0
    assert share_below([1, 4], 6) == pytest.approx((1 + 0.5) / 2)


@pytest.mark.parametrize("ranks", [[], [0], [2, 2], [8], [3, 2]])
def test_impossible_ranks_are_refused(ranks: list[int]) -> None:
    with pytest.raises(DataError):
        share_below(ranks, 7)


def test_a_gallery_of_mates_only_and_a_rank_of_0_are_refused() -> None:
    with pytest.raises(DataError):
        share_below([1, 2], 2)
    with pytest.raises(DataError):
        random_rank_k_rate([3], 2, 1)
    with pytest.raises(UsageError):
        random_rank_k_rate([1], 2, 0)


def test_the_mean_share_of_pairs_is_the_auc_ties_counting_half() -> None:
    rng = np.random.default_rng(0)
    same = rng.random(400) < 0.3
    scores = np.round(rng.normal(same * 0.7, 1.0), 1)  # rounded: there are ties
    shares, places = pairs_below(scores, same)
    assert shares.mean() == pytest.approx(auc(roc(scores, same)))
    assert (same[places]).all()


def test_failed_pairs_are_excluded_and_pairs_of_one_kind_give_no_share() -> None:
    shares, places = pairs_below([0.9, math.nan, 0.1, 0.2], [True, True, False, False])
    assert shares.tolist() == [1.0]
    assert places.tolist() == [0]
    assert not len(pairs_below([0.9, math.nan], [True, False])[0])
