from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import DataError, UsageError
from bench.metrics.identification import (
    average_precision_trapezoid,
    cmc,
    detection_identification_rate,
    mean_average_precision,
    rank_k_rate,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "goldens" / "identification.json").read_text())

some_ranks = st.lists(st.none() | st.integers(1, 30), min_size=1, max_size=40)


def test_rank_k_counts_ranks_up_to_k():
    ranks = [1, 2, 2, 5, 21]
    assert [rank_k_rate(ranks, k) for k in (1, 2, 5, 20, 21)] == [0.2, 0.6, 0.8, 0.8, 1.0]


def test_a_failed_probe_is_a_miss_and_stays_in_the_denominator():
    assert rank_k_rate([1, None, None, 1], 50) == 0.5
    assert mean_average_precision([(1,), None]) == 0.5
    assert rank_k_rate([None], 1) == 0.0


@given(ranks=some_ranks)
def test_cmc_never_falls_and_equals_the_rank_k_rates(ranks):
    curve = cmc(ranks, 30)
    assert (np.diff(curve) >= 0).all()
    assert curve.tolist() == [sum(r is not None and r <= k for r in ranks) / len(ranks) for k in range(1, 31)]
    assert curve[-1] == sum(r is not None for r in ranks) / len(ranks)


@pytest.mark.parametrize("case", GOLDEN["average_precision"], ids=lambda case: str(case["mated_ranks"]))
def test_average_precision_of_worked_cases(case):
    result = average_precision_trapezoid(case["mated_ranks"], mates=case["mates"])
    assert result == pytest.approx(case["value"], abs=1e-15)


def walk_every_rank(hits: list[bool]) -> float:
    """The trapezoid rule walked rank by rank, as TinyFace's description has it."""
    relevant = sum(hits)
    area, good = 0.0, 0
    recall_before, precision_before = 0.0, 1.0
    for rank, hit in enumerate(hits, start=1):
        good += hit
        recall, precision = good / relevant, good / rank
        area += (recall - recall_before) * (precision_before + precision) / 2
        recall_before, precision_before = recall, precision
        if good == relevant:
            break
    return area


@given(hits=st.lists(st.booleans(), min_size=1, max_size=60).filter(any))
def test_average_precision_equals_a_walk_over_every_rank(hits):
    ranks = [rank for rank, hit in enumerate(hits, start=1) if hit]
    assert average_precision_trapezoid(ranks) == pytest.approx(walk_every_rank(hits), abs=1e-12)


def test_mean_average_precision_counts_failed_mates():
    assert mean_average_precision([(1,), (), (2,)], mates=[2, 3, 1]) == pytest.approx((0.5 + 0 + 0.25) / 3)


@pytest.mark.parametrize("rule", ["nist", "pfe", "insightface"])
def test_open_set_rules_on_the_worked_case(rule):
    golden = GOLDEN["open_set"]
    point = detection_identification_rate(
        golden["ranks"], golden["scores"], golden["nonmated"], golden["far"], rule=rule
    )
    assert {name: getattr(point, name) for name in ("rate", "threshold", "far")} == golden[rule]
    assert (point.mated, point.nonmated, point.rule) == (5, 10, rule)


def test_the_default_rule_never_exceeds_the_rate_even_with_ties():
    scores = [0.9, 0.8, 0.8, 0.8, 0.1]
    assert detection_identification_rate([1], [1.0], scores, 0.4).far == 0.2
    assert detection_identification_rate([1], [1.0], scores, 0.4, rule="pfe").far == 0.8


@given(
    scores=st.lists(st.integers(0, 8).map(float), min_size=1, max_size=40),
    share=st.floats(0.01, 1.0),
)
def test_the_default_threshold_is_the_lowest_that_keeps_the_rate(scores, share):
    if len(scores) * share < 1:
        return
    point = detection_identification_rate([1], [9.0], scores, share)
    assert point.far <= share + 1e-9
    lower = [score for score in scores if score <= point.threshold]
    if lower:  # accepting the next lower score as well would exceed the rate
        assert sum(score >= max(lower) for score in scores) / len(scores) > share - 1e-9


def test_all_non_mated_probes_may_be_accepted_at_a_rate_of_one():
    point = detection_identification_rate([1, 1], [-5.0, 0.3], [0.1, 0.2], 1.0)
    assert (point.rate, point.far, point.threshold) == (1.0, 1.0, -np.inf)


def test_rank_and_threshold_must_both_be_met():
    nonmated = [0.1, 0.2, 0.3, 0.4]
    result = [detection_identification_rate([1, 3, 1], [0.9, 0.9, 0.2], nonmated, 0.25, rank=k).rate for k in (1, 2, 3)]
    assert result == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_a_failed_non_mated_probe_raises_no_alarm_and_stays_in_the_denominator():
    point = detection_identification_rate([1], [0.5], [0.9, 0.1, None, None], 0.25)
    assert (point.far, point.threshold, point.nonmated) == (0.25, 0.1, 4)


def test_a_product_just_below_a_whole_number_is_that_number():
    scores = [float(score) for score in range(100)]
    assert 100 * 0.29 < 29
    assert detection_identification_rate([1], [1.0], scores, 0.29).far == 0.29


def test_too_few_non_mated_probes_are_refused_with_the_number_needed():
    with pytest.raises(DataError, match="at least 100 non-mated probes; there are 99"):
        detection_identification_rate([1], [0.5], [0.1] * 99, 0.01)
    with pytest.raises(DataError, match="there are 0"):
        detection_identification_rate([1], [0.5], [], 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rank_k_rate([], 1),
        lambda: cmc([], 5),
        lambda: rank_k_rate([0], 1),
        lambda: mean_average_precision([]),
        lambda: mean_average_precision([(1,)], mates=[1, 2]),
        lambda: mean_average_precision([()]),
        lambda: average_precision_trapezoid([]),
        lambda: average_precision_trapezoid([], mates=0),
        lambda: average_precision_trapezoid([1, 2], mates=1),
        lambda: average_precision_trapezoid([2, 2]),
        lambda: average_precision_trapezoid([0]),
        lambda: detection_identification_rate([], [], [0.1], 1.0),
        lambda: detection_identification_rate([1], [], [0.1], 1.0),
        lambda: detection_identification_rate([1], [None], [0.1], 1.0),
        lambda: detection_identification_rate([None], [0.1], [0.1], 1.0),
        lambda: detection_identification_rate([1], [float("nan")], [0.1], 1.0),
        lambda: detection_identification_rate([1], [0.1], [float("inf")], 1.0),
    ],
)
def test_data_that_give_no_figure_are_refused(call):
    with pytest.raises(DataError):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: rank_k_rate([1], 0),
        lambda: cmc([1], 0),
        lambda: detection_identification_rate([1], [0.1], [0.1], 0.0),
        lambda: detection_identification_rate([1], [0.1], [0.1], 1.5),
        lambda: detection_identification_rate([1], [0.1], [0.1], 1.0, rank=0),
        lambda: detection_identification_rate([1], [0.1], [0.1], 1.0, rule="ijb"),
    ],
)
def test_arguments_out_of_range_are_refused(call):
    with pytest.raises(UsageError):
        call()
