"""Accuracy of verification in folds, and intervals of the quantities of `bench.metrics.roc`.

A failed pair has the score NaN and counts as an error of the accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
from bench.metrics.bootstrap import Interval, bootstrap_intervals, cluster_weights, percentile_ends
from bench.metrics.roc import (
    Bools,
    Curve,
    FarRule,
    Ints,
    Scores,
    auc,
    can_measure_far,
    check_pairs,
    eer,
    sorted_with_ties,
    tar_at_far,
)  # fmt: skip
from bench.metrics.search.similarity import Similarity

Thresholds = Literal["exact", "grid"]

_GRID = np.arange(0, 4, 0.01)  # squared Euclidean distances of vectors of unit length


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """The accuracy of one fold at the best threshold of the other folds.

    Attributes:
        threshold: a pair is accepted where its score is not below it (``grid``: where it is above it).
        accuracy: share of the fold's pairs classified correctly; a failed pair is an error.
        accuracy_scored: the same over the pairs that did not fail; None when all failed.
        pairs: number of pairs of the fold.
        failed: number of failed ones.
    """

    threshold: float
    accuracy: float
    accuracy_scored: float | None
    pairs: int
    failed: int


def best_threshold(scores: Scores, same: Bools) -> float:
    """Return the threshold with the most correct pairs when scores not below it are accepted.

    All thresholds that separate two scores are tried: half way between adjacent scores, at the lowest score, and just
    above the highest. Of equally good ones the highest is returned.

    Args:
        scores: (P,) finite.
        same: (P,) whether each pair shows one person.

    Returns:
        The threshold, to be compared with scores as float64.

    Raises:
        DataError: no pairs, or a score that is not finite.
    """
    check_pairs(scores, same, failures=False)
    order = np.argsort(-scores.astype(np.float64), kind="stable")
    descending, is_same = scores[order].astype(np.float64), same[order]
    correct = np.concatenate([[0], np.cumsum(np.where(is_same, 1, -1))])  # of the first k accepted, up to a constant
    is_boundary = np.concatenate([[True], np.diff(descending) != 0, [True]])  # scores that tie are accepted together
    accepted_count = int(np.argmax(np.where(is_boundary, correct, -len(descending) - 1)))
    if accepted_count == 0:
        return float(np.nextafter(descending[0], np.inf))
    if accepted_count == len(descending):
        return float(descending[-1])
    above, below = float(descending[accepted_count - 1]), float(descending[accepted_count])
    middle = (above + below) / 2
    return middle if middle > below else above


def fold_accuracies(
    scores: Scores, same: Bools, fold: Ints, *, thresholds: Thresholds = "exact", similarity: Similarity = "cosine"
) -> list[FoldAccuracy]:
    """Compute the accuracy of each fold at the threshold that is best on all others.

    ``exact`` tries every threshold (`best_threshold`). ``grid`` is the rule of insightface's ``verification.py``: the
    squared Euclidean distance of vectors of unit length is compared with 0, 0.01 ... 3.99; pairs below are accepted,
    and the first of equally good thresholds is used.

    Args:
        scores: (P,), NaN where a pair failed; failed pairs are not used to choose thresholds.
        same: (P,).
        fold: (P,) number of each pair's fold; folds are taken in ascending order.
        thresholds: the rule.
        similarity: kind of scores, for ``grid``: the cosine, or the negative Euclidean distance.

    Returns:
        One result per fold.

    Raises:
        DataError: fewer than two folds, or only failed pairs to choose a threshold.
        UsageError: an unknown rule.

    Source: Huang et al. 2007 (View 2); insightface, recognition/arcface_torch/eval/verification.py.
    """
    if thresholds not in get_args(Thresholds):
        raise UsageError(f"Unknown rule of thresholds {thresholds!r}; choose one of {', '.join(get_args(Thresholds))}.")
    check_pairs(scores, same)
    if fold.shape != scores.shape:
        raise DataError(f"{len(scores)} scores but folds of shape {fold.shape}; expected one a pair.")
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise DataError(
            "Pairs in one fold only: a fold's threshold is chosen on the others, so at least two are needed."
        )
    scored = ~np.isnan(scores)
    wide = scores.astype(np.float64)  # NumPy would round a threshold to the type of float32 scores
    accuracies = []
    for number in numbers:
        in_fold = fold == number
        training = ~in_fold & scored
        if not training.any():
            raise DataError("Only failed pairs lie outside one of the folds, so its threshold cannot be chosen.")
        if thresholds == "exact":
            threshold = best_threshold(scores[training], same[training])
            accepted = wide >= threshold  # NaN is not
        else:
            distances = _squared_distances(scores, similarity)
            limit = _best_of_grid(distances[training], same[training])
            accepted = distances < limit
            threshold = 1 - limit / 2 if similarity == "cosine" else -math.sqrt(limit)
        correct = (accepted == same) & scored
        scored_count = int((in_fold & scored).sum())
        hits = int((correct & in_fold).sum())
        pairs = int(in_fold.sum())
        accuracies.append(
            FoldAccuracy(
                threshold, hits / pairs, hits / scored_count if scored_count else None, pairs, pairs - scored_count
            )
        )
    return accuracies


def deviation_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Standard deviation over folds and standard error of the mean, both with n - 1 as in the LFW report.

    Raises:
        DataError: fewer than two values.

    Source: Huang et al. 2007, section on reporting results: S_E = sigma / sqrt(10).
    """
    if len(values) < 2:
        raise DataError(f"{len(values)} folds have no standard deviation; at least two are needed.")
    deviation = float(np.std(np.asarray(values, np.float64), ddof=1))
    return deviation, deviation / math.sqrt(len(values))


def fold_intervals(
    scores: Scores, same: Bools, fold: Ints, rates: Sequence[float], *, rule: FarRule, seed: int, resamples: int = 1000
) -> dict[str, Interval]:
    """95 % intervals of ``auc``, ``eer`` and each rate's TAR (key: the rate) by resampling whole folds.

    Folds hold different people, so pairs of two folds are independent; thresholds are computed in each resample. There
    are no intervals where a fold lacks same or different pairs.

    Args:
        scores: (P,), NaN where failed.
        same: (P,).
        fold: (P,).
        rates: false accept rates.
        rule: of `tar_at_far`.
        seed: of the generator.
        resamples: their number.

    Raises:
        DataError: as `roc`.
    """
    names: list[str] = ["auc", "eer", *(f"{rate:g}" for rate in rates)]
    numbers, places = np.unique(fold, return_inverse=True)
    count = len(numbers)
    complete = all(len(np.unique(same[places == number])) == 2 for number in range(count))
    if count < 2 or not complete:
        reason = "none: one fold only" if count < 2 else "none: a fold lacks same or different pairs"
        return dict.fromkeys(names, Interval(None, None, reason, count))
    order, ends, values = sorted_with_ties(scores)
    is_same, places = same[order], places[order]
    drawn_folds = np.concatenate([weights for _, weights in cluster_weights(count, resamples, seed=seed)])
    thresholds = np.concatenate([[np.inf], values])
    table = np.empty((resamples, len(names)))
    for row, drawn in zip(table, drawn_folds, strict=True):
        weight = drawn[places]
        total, true = np.cumsum(weight)[ends], np.cumsum(weight * is_same)[ends]
        curve = Curve(np.concatenate([[0], total - true]), np.concatenate([[0], true]), thresholds)
        tars = [
            tar_at_far(curve, rate, rule=rule).tar if can_measure_far(int(curve.false[-1]), rate) else np.nan
            for rate in rates
        ]
        row[:] = auc(curve), eer(curve), *tars
    method = f"bootstrap over {count} folds, {resamples} resamples"
    intervals = {}
    for name, column in zip(names, table.T, strict=True):
        if np.isnan(column).any() or np.ptp(column) == 0:
            intervals[name] = Interval(None, None, "none: too few different pairs, or no spread", count)
        else:
            low, high = percentile_ends(column)
            intervals[name] = Interval(float(low), float(high), method, count)
    return intervals


def accuracy_interval(folds: Sequence[FoldAccuracy], *, seed: int) -> Interval:
    """95 % interval of the mean accuracy by resampling folds; see `bench.metrics.bootstrap.bootstrap_interval`."""
    names = [str(number) for number in range(len(folds))]
    interval = bootstrap_intervals([[row.accuracy] for row in folds], names, seed=seed)[0]
    return Interval(interval.low, interval.high, interval.method.replace("identities", "folds"), len(folds))


def _squared_distances(scores: Scores, similarity: Similarity) -> NDArray[np.float64]:
    wide = scores.astype(np.float64)
    return 2 - 2 * wide if similarity == "cosine" else wide**2


def _best_of_grid(distances: NDArray[np.float64], same: Bools) -> float:
    same_distances, different_distances = np.sort(distances[same]), np.sort(distances[~same])
    correct = (
        np.searchsorted(same_distances, _GRID, side="left")
        + len(different_distances)
        - np.searchsorted(different_distances, _GRID, side="left")
    )
    return float(_GRID[np.argmax(correct)])
