"""Verification in folds and on curves, against scikit-learn, insightface's loop and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from bench.errors import DataError, UsageError
from bench.metrics.roc import auc, eer, roc, tar_at_far
from bench.metrics.verification import (
    accuracy_interval,
    best_threshold,
    deviation_and_error,
    fold_accuracies,
    fold_intervals,
)

Arrays = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]


def drawn(seed: int, pairs: int = 600, folds: int = 10, *, ties: bool = False) -> Arrays:
    rng = np.random.default_rng(seed)
    same = np.tile([True] * (pairs // folds // 2) + [False] * (pairs // folds // 2), folds)
    scores = rng.normal(0, 0.1, pairs) + 0.2 * same
    scores = np.round(scores, 1) if ties else scores
    return scores.astype(np.float32), same, np.repeat(np.arange(folds), pairs // folds)


def test_the_threshold_of_four_pairs_worked_by_hand() -> None:
    """Scores 0.9 and 0.6 of one person, 0.7 and 0.2 of two: three right at best; the strictest such cut is 0.8."""
    scores, same = np.array([0.9, 0.7, 0.6, 0.2]), np.array([True, False, True, False])
    assert best_threshold(scores, same) == pytest.approx(0.8)
    assert best_threshold(scores, ~same) > 0.9  # nothing accepted: two right, as many as at 0.65 or 0.2
    assert best_threshold(scores, np.ones(4, bool)) == 0.2
    tied = best_threshold(np.array([0.5, 0.5, 0.4]), np.array([True, True, False]))
    assert tied == pytest.approx(0.45)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best_threshold(rows: list[tuple[int, bool]]) -> None:
    scores, same = np.array([s for s, _ in rows], np.float32), np.array([y for _, y in rows])
    most = max(int(((scores >= t) == same).sum()) for t in np.arange(-4.5, 6))
    accepted = scores.astype(np.float64) >= best_threshold(scores, same)
    assert int((accepted == same).sum()) == most


def test_a_threshold_lies_between_neighbouring_numbers() -> None:
    low = np.float64(0.5)
    high = np.nextafter(low, 1)
    threshold = best_threshold(np.array([high, low]), np.array([True, False]))
    assert low < threshold <= high
    near = np.array([np.nextafter(np.float32(0.5), np.float32(1)), 0.5], np.float32)
    rows = fold_accuracies(np.tile(near, 2), np.array([True, False] * 2), np.array([0, 0, 1, 1]))
    assert [row.accuracy for row in rows] == [1.0, 1.0]


def test_folds_worked_by_hand_count_a_failed_pair_as_an_error() -> None:
    """Fold 0 alone says 0.5 (0.8 above 0.2); fold 1 alone says 0.65 (0.9 above 0.4). Fold 1 has a failed pair."""
    scores = np.array([0.8, 0.2, 0.9, 0.4, np.nan], np.float32)
    same, fold = np.array([True, False, True, False, True]), np.array([0, 0, 1, 1, 1])
    first, second = fold_accuracies(scores, same, fold)
    assert [first.threshold, second.threshold] == pytest.approx([0.65, 0.5])
    assert (first.accuracy, first.accuracy_scored, first.pairs, first.failed) == (1.0, 1.0, 2, 0)
    assert (second.accuracy_scored, second.pairs, second.failed) == (1.0, 3, 1)
    assert second.accuracy == pytest.approx(2 / 3)


def test_a_failed_different_pair_is_an_error_too() -> None:
    scores = np.array([0.8, 0.2, 0.9, np.nan], np.float32)
    row = fold_accuracies(scores, np.array([True, False, True, False]), np.array([0, 0, 1, 1]))[1]
    assert row.accuracy == 0.5


def test_the_threshold_of_a_fold_does_not_depend_on_its_own_pairs() -> None:
    scores, same, fold = drawn(0, 40, 2)
    before = fold_accuracies(scores, same, fold)[0].threshold
    scores[fold == 0] = -scores[fold == 0]
    assert fold_accuracies(scores, same, fold)[0].threshold == before


@pytest.mark.parametrize("ties", [False, True])
def test_the_grid_is_that_of_insightface(ties: bool) -> None:
    """Its loop: squared distance of unit vectors, thresholds 0 to 4 in steps of 0.01, the first best one."""
    scores, same, fold = drawn(1, ties=ties)
    distances = 2 - 2 * scores.astype(np.float64)
    grid = np.arange(0, 4, 0.01)
    expected = []
    for k in range(10):
        train, test = fold != k, fold == k
        best = grid[np.argmax([((distances[train] < t) == same[train]).mean() for t in grid])]
        expected.append(((distances[test] < best) == same[test]).mean())
    result = fold_accuracies(scores, same, fold, thresholds="grid")
    assert [row.accuracy for row in result] == pytest.approx(expected, abs=1e-12)
    euclidean = -np.sqrt(distances)
    again = fold_accuracies(euclidean, same, fold, thresholds="grid", similarity="euclidean")
    assert [row.accuracy for row in again] == pytest.approx(expected, abs=1e-12)
    assert again[0].threshold == pytest.approx(-np.sqrt(2 - 2 * result[0].threshold))


def test_the_exact_search_is_a_plain_loop_over_all_midpoints() -> None:
    scores, same, fold = drawn(2, 200, 5)
    for k, row in enumerate(fold_accuracies(scores, same, fold)):
        train = scores[fold != k].astype(np.float64)
        values = np.unique(train)[::-1]
        cuts = [values[0] + 1, *((values[1:] + values[:-1]) / 2), values[-1]]
        best = cuts[int(np.argmax([((train >= t) == same[fold != k]).sum() for t in cuts]))]
        assert row.accuracy == ((scores[fold == k] >= best) == same[fold == k]).mean()


def test_the_standard_deviation_is_by_n_minus_one() -> None:
    """0.8, 0.9, 1.0: variance (0.01 + 0 + 0.01) / 2, so 0.1; the standard error is that over the root of 3."""
    assert list(deviation_and_error([0.8, 0.9, 1.0])) == pytest.approx([0.1, 0.1 / 3**0.5])
    with pytest.raises(DataError, match="at least two are needed"):
        deviation_and_error([0.9])


@pytest.mark.parametrize("ties", [False, True])
def test_the_curve_is_that_of_scikit_learn(ties: bool) -> None:
    scores, same, _ = drawn(3, ties=ties)
    curve = roc(scores, same)
    fpr, tpr, thresholds = roc_curve(same, scores, drop_intermediate=False)
    assert np.allclose(curve.rates[0], fpr) and np.allclose(curve.rates[1], tpr)
    assert np.allclose(curve.thresholds[1:], thresholds[1:])
    assert auc(curve) == pytest.approx(roc_auc_score(same, scores), abs=1e-12)
    kept = curve.corners
    fpr, tpr, _ = roc_curve(same, scores)
    assert np.allclose(curve.rates[0][kept], fpr) and np.allclose(curve.rates[1][kept], tpr)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_rule_is_that_of_the_ijb_tools(seed: int, ties: bool) -> None:
    scores, same, _ = drawn(seed, ties=ties)
    curve = roc(scores, same)
    fpr, tpr, _ = roc_curve(same, scores)
    fpr, tpr = np.flipud(fpr), np.flipud(tpr)
    for far in (0.01, 0.025, 0.1, 0.3):
        _, index = min(zip(abs(fpr - far), range(len(fpr)), strict=True))
        assert tar_at_far(curve, far, rule="nearest").tar == pytest.approx(tpr[index], abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.25, 0.5, 0.9]), st.booleans())
def test_the_exact_rule_takes_the_best_point_within_the_rate(seed: int, far: float, ties: bool) -> None:
    scores, same, _ = drawn(seed, 40, 2, ties=ties)
    point = tar_at_far(roc(scores, same), far)
    allowed = [t for t in [np.inf, *scores] if (scores[~same] >= t).mean() <= far + 1e-12]
    assert point.tar == max((scores[same] >= t).mean() for t in allowed)
    assert point.far <= far + 1e-12
    assert (scores[same] >= point.threshold).mean() == point.tar


def test_constant_scores_have_the_figures_of_chance() -> None:
    curve = roc(np.full(40, 0.3, np.float32), np.arange(40) < 20)
    assert (auc(curve), eer(curve), tar_at_far(curve, 0.1).tar) == (0.5, 0.5, 0.0)


def test_the_equal_error_rate_is_where_the_line_through_the_curve_meets_the_diagonal() -> None:
    from scipy.interpolate import interp1d
    from scipy.optimize import brentq

    scores, same, _ = drawn(5)
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    meeting = brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0)
    assert eer(roc(scores, same)) == pytest.approx(meeting, abs=2 / 300)  # interp1d is ambiguous on vertical parts
    tied = roc(np.array([1, 1, 0, 0], np.float32), np.array([True, False, True, False]))
    assert eer(tied) == 0.5
    best = roc(np.array([3, 2, 1, 0], np.float32), np.array([True, True, False, False]))
    assert (eer(best), auc(best), tar_at_far(best, 0.5).tar) == (0.0, 1.0, 1.0)


def test_a_failed_pair_is_never_accepted_and_stays_in_the_denominator() -> None:
    """Two same pairs, one failed; two different ones, one failed and no false accept."""
    curve = roc(np.array([0.9, np.nan, 0.1, np.nan], np.float32), np.array([True, True, False, False]))
    assert tar_at_far(curve, 0.5).tar == 0.5
    assert auc(curve) == pytest.approx((1 + 1 + 0 + 0.5) / 4)  # 0.9 above 0.1 and the failed one; failed against both
    assert curve.thresholds[-1] == -np.inf


def test_a_rate_that_too_few_pairs_can_measure_is_refused() -> None:
    scores, same, _ = drawn(0, 40, 2)
    with pytest.raises(DataError, match="needs 100 different pairs; there are 20"):
        tar_at_far(roc(scores, same), 0.01)
    with pytest.raises(UsageError, match="expected far in"):
        tar_at_far(roc(scores, same), 1.0)


@pytest.mark.parametrize(
    ("scores", "same", "why"),
    [
        ([], [], "expected"),
        ([0.1, 0.2], [True], "expected"),
        ([0.1, np.inf], [True, False], "not finite"),
        ([0.1, 0.2], [True, True], "none is different"),
        ([0.1, 0.2], [False, False], "none is same"),
    ],
)
def test_pairs_without_a_curve_are_refused(scores: list[float], same: list[bool], why: str) -> None:
    with pytest.raises(DataError, match=why):
        roc(np.array(scores, np.float32), np.array(same, bool))


def test_folds_without_an_accuracy_are_refused() -> None:
    scores, same = np.array([0.1, 0.2, np.nan, np.nan], np.float32), np.array([True, False, True, False])
    with pytest.raises(DataError, match="one fold only"):
        fold_accuracies(scores, same, np.zeros(4, np.int64))
    with pytest.raises(DataError, match="Only failed pairs"):
        fold_accuracies(scores, same, np.array([0, 0, 1, 1]))
    with pytest.raises(DataError, match="one a pair"):
        fold_accuracies(scores, same, np.zeros(3, np.int64))
    with pytest.raises(UsageError, match="Unknown rule"):
        fold_accuracies(scores, same, np.array([0, 0, 1, 1]), thresholds="median")  # type: ignore[arg-type]


def test_intervals_resample_folds_as_a_plain_loop_does() -> None:
    scores, same, fold = drawn(7, 200, 5)
    result = fold_intervals(scores, same, fold, [0.1], rule="exact", seed=4, resamples=150)
    weights = np.random.default_rng(4).multinomial(5, np.full(5, 0.2), size=150)
    areas = []
    for drawn_folds in weights:
        rows = np.concatenate([np.flatnonzero(fold == k) for k in range(5) for _ in range(drawn_folds[k])])
        areas.append(roc_auc_score(same[rows], scores[rows]))
    assert result["auc"].low == pytest.approx(np.quantile(areas, 0.025), abs=1e-12)
    assert result["auc"].high == pytest.approx(np.quantile(areas, 0.975), abs=1e-12)
    assert result["0.1"].low is not None and result["auc"].method == "bootstrap over 5 folds, 150 resamples"
    rows_of = fold_accuracies(scores, same, fold)
    interval = accuracy_interval(rows_of, seed=4)
    assert interval.low is not None and interval.low < np.mean([row.accuracy for row in rows_of])
    assert interval.method == "bootstrap over 5 folds, 2000 resamples"


def test_a_fold_without_same_or_different_pairs_gives_no_interval() -> None:
    scores, same, fold = drawn(7, 40, 2)
    same[fold == 0] = True
    assert fold_intervals(scores, same, fold, [], rule="exact", seed=0)["auc"].low is None
