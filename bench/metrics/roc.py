"""The ROC curve of a verification: pairs accepted at every threshold; AUC, EER, TAR at a FAR.

A failed pair has the score NaN. It is accepted at no threshold and stays in every denominator (the generalised rates of
ISO/IEC 19795-1: a failure to enrol is a false reject and not a false accept).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError

FarRule = Literal["exact", "nearest"]
Scores = NDArray[np.float32] | NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """Pairs accepted at every threshold that separates two scores, from the highest threshold.

    Attributes:
        false: different pairs accepted, (K,), starting with 0; weighted where pairs are weighted.
        true: same pairs accepted, likewise.
        thresholds: float64 (K,): scores not below it are accepted; the first is infinite; the last is minus infinity if
            pairs failed.
    """

    false: NDArray[np.int64]
    true: NDArray[np.int64]
    thresholds: NDArray[np.float64]

    @property
    def rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """FAR and TAR of each threshold."""
        return self.false / self.false[-1], self.true / self.true[-1]

    @cached_property
    def corners(self) -> Ints:
        """Indices of the points that scikit-learn's ``roc_curve`` keeps: all but those between two equal steps."""
        false, true = self.false[1:], self.true[1:]
        if len(false) <= 2:
            return np.arange(len(self.false))
        step_changes = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        return np.flatnonzero(np.concatenate([[True, True], step_changes, [True]]))


def roc(scores: Scores, same: Bools) -> Curve:
    """The exact curve of scores; ties are accepted together.

    Args:
        scores: (P,), NaN where a pair failed: such a pair is accepted last, when all are.
        same: (P,).

    Raises:
        DataError: no same pairs or no different ones; an infinite score.
    """
    check_pairs(scores, same)
    if same.all() or not same.any():
        kind = "different" if same.all() else "same"
        raise DataError(f"A curve needs same and different pairs; of {len(same)} pairs none is {kind}.")
    order, ends, values = sorted_with_ties(scores)
    is_same = same[order]
    true = np.cumsum(is_same, dtype=np.int64)[ends]
    false = ends + 1 - true
    zero = np.zeros(1, np.int64)
    return Curve(np.concatenate([zero, false]), np.concatenate([zero, true]), np.concatenate([[np.inf], values]))


def auc(curve: Curve) -> float:
    """Area under the curve: probability that a same pair scores above a different pair, ties counting half."""
    steps, heights = np.diff(curve.false), curve.true[1:] + curve.true[:-1]
    return float(np.dot(steps.astype(np.float64), heights) / (2.0 * curve.false[-1] * curve.true[-1]))


def eer(curve: Curve) -> float:
    """Equal error rate: where FAR and FRR are equal, interpolated linearly between the curve's points."""
    far, tar = curve.rates
    difference = 1 - tar - far  # falls from 1 to -1
    index = int(np.argmax(difference <= 0))
    fraction = difference[index - 1] / (difference[index - 1] - difference[index])
    return float(far[index - 1] + fraction * (far[index] - far[index - 1]))


@dataclass(frozen=True, slots=True)
class TarPoint:
    """One point of a curve.

    Attributes:
        tar: share of same pairs accepted.
        far: share of different pairs accepted.
        threshold: scores not below it are accepted.
    """

    tar: float
    far: float
    threshold: float


def can_measure_far(different: int, far: float) -> bool:
    """Whether the number of different pairs is large enough for a FAR: one accepted pair does not exceed it."""
    return different * far >= 1 - 1e-9


def tar_at_far(curve: Curve, far: float, *, rule: FarRule = "exact") -> TarPoint:
    """Return the true accept rate at a false accept rate.

    ``exact``: the largest TAR among thresholds whose FAR is not above ``far``. ``nearest``: the rule of the
    evaluation tools of IJB-B and IJB-C: on scikit-learn's ``roc_curve`` (which omits points on a line between two
    others), the point whose FAR is nearest to ``far`` on either side; of two equally near points the larger TAR.

    Args:
        curve: of `roc`.
        far: in (0, 1).
        rule: the definition.

    Raises:
        DataError: too few different pairs to measure such a rate (`can_measure_far`).
        UsageError: ``far`` or ``rule`` out of range.

    Source: ISO/IEC 19795-1; insightface, recognition/_evaluation_/ijb (``nearest``).
    """
    if not 0 < far < 1 or rule not in get_args(FarRule):
        raise UsageError(
            f"far is {far}, rule {rule!r}; expected far in (0, 1) and one of {', '.join(get_args(FarRule))}."
        )
    different = int(curve.false[-1])
    if not can_measure_far(different, far):
        raise DataError(
            f"A FAR of {far:g} needs {math.ceil(1 / far - 1e-9):,} different pairs; there are {different:,}."
        )
    if rule == "exact":
        index = int(np.searchsorted(curve.false, different * far + 1e-9, side="right")) - 1
    else:
        candidates = curve.corners[::-1]
        index = int(candidates[np.argmin(np.abs(curve.false[candidates] / different - far))])
    true, false = int(curve.true[index]), int(curve.false[index])
    return TarPoint(true / int(curve.true[-1]), false / different, float(curve.thresholds[index]))


def check_pairs(scores: Scores, same: Bools, *, failures: bool = True) -> None:
    """Raise DataError unless scores are (P,), P at least 1, finite or (failures) NaN, with as many boolean labels."""
    if scores.ndim != 1 or scores.shape != same.shape or same.dtype != np.bool_ or not len(scores):
        raise DataError(
            f"Scores of shape {scores.shape}, labels {same.dtype} of shape {same.shape}; expected (P,) and bool (P,)."
        )
    if np.isinf(scores).any() or (not failures and np.isnan(scores).any()):
        raise DataError("A score is not finite; a pair that failed has the score NaN.")


def sorted_with_ties(scores: Scores) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Indices of scores from high to low, failed last; the end of each run of ties; its score."""
    falling = np.where(np.isnan(scores), np.float32(np.inf), -scores)
    order = np.argsort(falling)
    falling = falling[order]
    ends = np.flatnonzero(np.concatenate([falling[1:] != falling[:-1], [True]]))
    return order, ends, -falling[ends].astype(np.float64)
