from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.errors import DataError, UsageError
from bench.metrics.significance import holm, mcnemar, sign_flip_test


@given(left=st.integers(0, 60), right=st.integers(0, 60), same=st.integers(0, 5))
def test_mcnemar_equals_the_two_sided_binomial_test(left, right, same):
    first = [True] * left + [False] * right + [True] * (same + 1)
    second = [False] * left + [True] * right + [True] * (same + 1)
    result = mcnemar(first, second)
    expected = stats.binomtest(left, left + right).pvalue if left + right else 1.0
    assert result.p_value == pytest.approx(expected, abs=1e-12)
    assert (result.only_first, result.only_second) == (left, right)
    assert result.difference == pytest.approx((left - right) / len(first))


def test_mcnemar_by_hand():
    """Five probes only the first finds, one only the second: p = 2 (1 + 6) / 64."""
    assert mcnemar([True] * 5 + [False], [False] * 5 + [True]).p_value == 14 / 64


def test_mcnemar_stays_exact_for_thousands_of_discordant_pairs():
    result = mcnemar([True] * 2100 + [False] * 1900, [False] * 2100 + [True] * 1900)
    assert result.p_value == pytest.approx(stats.binomtest(2100, 4000).pvalue, rel=1e-9)


def test_sign_flips_by_hand():
    """Three persons with differences +2, +1, -1: the sum 2 is reached by 4 of 8 patterns up to sign."""
    result = sign_flip_test([1, 1, 1, 0], [0, 0, 0, 1], ["a", "a", "b", "c"], seed=0)
    sums = [abs(a * 2 + b * 1 + c * 1) for a in (1, -1) for b in (1, -1) for c in (1, -1)]
    assert result.p_value == sum(s >= 2 for s in sums) / 8
    assert result.method == "sign flips by identity, exact"
    assert (result.difference, result.only_first, result.only_second) == (0.5, 3, 1)


def test_drawn_sign_flips_agree_with_scipy_on_single_probes():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.35, 1, 30), rng.normal(0, 1, 30)
    result = sign_flip_test(first, second, [str(n) for n in range(30)], seed=1)
    expected = stats.permutation_test(
        (first, second), lambda a, b: (a - b).sum(), permutation_type="samples", n_resamples=9999, rng=2
    )
    assert result.p_value == pytest.approx(expected.pvalue, abs=0.02)
    assert result.method == "sign flips by identity, 10000 permutations"


def test_probes_of_one_person_are_not_counted_as_independent():
    first, second = [1.0] * 40, [0.0] * 40
    alone = sign_flip_test(first, second, [str(n) for n in range(40)], seed=0)
    together = sign_flip_test(first, second, [str(n // 20) for n in range(40)], seed=0)
    assert alone.p_value == 1 / 10_001
    assert together.p_value == 0.5


def test_equal_runs_do_not_differ():
    assert sign_flip_test([0.5, 1.0], [0.5, 1.0], ["a", "b"], seed=0).p_value == 1.0
    assert mcnemar([True, False], [True, False]).p_value == 1.0


def test_holm_by_hand():
    """Sorted 0.01, 0.02, 0.03, 0.5 times 4, 3, 2, 1; then never lower than the one before."""
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_raw_and_the_bonferroni_values(p_values):
    for raw, adjusted in zip(p_values, holm(p_values), strict=True):
        assert raw <= adjusted <= min(1.0, raw * len(p_values)) * (1 + 1e-12)
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(holm(p_values))[order]) >= 0).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: mcnemar([], []),
        lambda: mcnemar([True], [True, False]),
        lambda: sign_flip_test([], [], [], seed=0),
        lambda: sign_flip_test([1.0], [1.0, 2.0], ["a"], seed=0),
        lambda: sign_flip_test([1.0], [2.0], ["a", "b"], seed=0),
        lambda: sign_flip_test([np.nan], [2.0], ["a"], seed=0),
        lambda: holm([]),
        lambda: holm([1.2]),
        lambda: holm([float("nan")]),
    ],
)
def test_unusable_data_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_too_few_permutations_are_refused():
    with pytest.raises(UsageError):
        sign_flip_test([1.0], [0.0], ["a"], seed=0, permutations=99)
