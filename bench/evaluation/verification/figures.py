"""Figures of a verification run, from its stored arrays.

``scores`` (float32, NaN where a template failed), ``same``, ``fold`` (-1 without folds) and ``person`` (index of the
first template's identity in sorted order), one value per pair. The rows, one per fold, are computed from them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from bench.errors import BenchError, DataError
from bench.evaluation.row_values import RowValue
from bench.metrics.bootstrap import NOT_COMPUTED, Interval, bootstrap_interval
from bench.metrics.roc import Curve, FarRule, auc, can_measure_far, eer, roc, tar_at_far
from bench.metrics.search.similarity import Similarity
from bench.metrics.verification import (
    FoldAccuracy,
    Thresholds,
    accuracy_interval,
    deviation_and_error,
    fold_accuracies,
    fold_intervals,
)
from bench.results import Figure, ItemRow, RunResult
from bench.types import Status

ARRAYS = ("scores", "same", "fold", "person")


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a finished run from its arrays; see `figures_of`.

    Raises:
        DataError: an array is absent or is not as long as another.
    """
    lacking = [name for name in ARRAYS if name not in result.arrays]
    sizes = {len(array) for array in result.arrays.values()}
    if lacking or len(sizes) != 1:
        raise DataError(
            f"The arrays of this run lack {', '.join(lacking) or 'nothing'} and have lengths {sorted(sizes)}; scores, "
            "same, fold and person are needed, one value per pair. Run it again."
        )
    seed = result.record.seed if intervals else None
    return figures_of(result.arrays, result.record.protocol, seed=seed)[0]


def figures_of(
    arrays: Mapping[str, Any], rules: Mapping[str, Any], *, seed: int | None
) -> tuple[dict[str, Figure], list[FoldAccuracy]]:
    """Compute every figure.

    Args:
        arrays: `ARRAYS` by name, each (P,).
        rules: ``false_positive_rates``, ``thresholds``, ``far_rule`` and ``similarity`` of the protocol.
        seed: of the bootstrap, which resamples folds, or people where there are none; None computes no intervals.

    Returns:
        ``accuracy``, ``accuracy std`` and ``accuracy se`` where there are folds; ``auc``, ``eer`` and
        ``tar@far=0.001`` where there are same and different pairs; and the folds, if any.

    Raises:
        BenchError: no figure can be computed from the pairs.
    """
    scores, same, fold = arrays["scores"], arrays["same"].astype(bool), arrays["fold"].astype(np.int64)
    figures: dict[str, Figure] = {}
    folds: list[FoldAccuracy] = []
    in_folds = len(np.unique(fold)) > 1
    if in_folds:
        thresholds, similarity = cast("Thresholds", rules["thresholds"]), cast("Similarity", rules["similarity"])
        folds = fold_accuracies(scores, same, fold, thresholds=thresholds, similarity=similarity)
        figures |= _accuracies(folds, seed)
    if same.any() and not same.all():
        figures |= _curve_figures({**arrays, "same": same, "fold": fold}, rules, seed, in_folds=in_folds)
    if not figures:
        raise BenchError(
            f"{len(same)} pairs, all {'same' if same.all() else 'different'} and in one fold, give no figure; is "
            "--limit too small?"
        )
    return figures, folds


def rows_of(arrays: Mapping[str, Any], folds: Sequence[FoldAccuracy]) -> tuple[ItemRow, ...]:
    """One row per fold, or one row of all pairs without folds."""
    if not folds:
        scores = arrays["scores"]
        failed = int(np.isnan(scores).sum())
        values = {"pairs": float(len(scores)), "same": float(arrays["same"].sum()), "failed": float(failed)}
        return (ItemRow("all pairs", "", *_status(len(scores), failed), values),)
    return tuple(
        ItemRow(
            f"fold {number + 1}",
            "",
            *_status(row.pairs, row.failed),
            {
                "threshold": row.threshold,
                "accuracy": row.accuracy,
                "pairs": float(row.pairs),
                "failed": float(row.failed),
                **({} if row.accuracy_scored is None else {"accuracy_without_failures": row.accuracy_scored}),
            },
        )
        for number, row in zip(np.unique(arrays["fold"]), folds, strict=True)
    )


def pair_counts(items: Sequence[ItemRow]) -> tuple[int, int]:
    """Number of pairs of a run, and of those with a failed template."""
    return sum(int(item.values["pairs"]) for item in items), sum(int(item.values["failed"]) for item in items)


def row_values(items: Sequence[ItemRow], name: str) -> list[RowValue]:
    """Return the values that a figure is the plain mean of: of ``accuracy`` its folds; none for other figures."""
    if name != "accuracy" or not all("accuracy" in item.values for item in items):
        return []
    return [RowValue(item.key, item.key, float(item.values["accuracy"])) for item in items]


def _accuracies(folds: Sequence[FoldAccuracy], seed: int | None) -> dict[str, Figure]:
    pairs, failed = sum(row.pairs for row in folds), sum(row.failed for row in folds)
    accuracies = [row.accuracy for row in folds]
    scored = [row.accuracy_scored for row in folds if row.accuracy_scored is not None]
    interval = NOT_COMPUTED if seed is None else accuracy_interval(folds, seed=seed)
    mean = Figure(
        float(np.mean(accuracies)),
        pairs,
        interval.low,
        interval.high,
        interval.method,
        float(np.mean(scored)) if scored else None,
        pairs - failed,
    )
    figures = {"accuracy": mean}
    spreads = deviation_and_error(accuracies), deviation_and_error(scored) if len(scored) > 1 else (None, None)
    for place, name in enumerate(("accuracy std", "accuracy se")):
        value, without = spreads[0][place], spreads[1][place]
        figures[name] = Figure(
            value, pairs, None, None, f"none: a spread over {len(folds)} folds", without, pairs - failed
        )
    return figures


def _curve_figures(
    arrays: Mapping[str, Any], rules: Mapping[str, Any], seed: int | None, *, in_folds: bool
) -> dict[str, Figure]:
    scores, same = arrays["scores"], arrays["same"]
    rule = cast("FarRule", rules["far_rule"])
    rates = [rate for rate in rules["false_positive_rates"] if can_measure_far(int((~same).sum()), rate)]
    curve, scored = roc(scores, same), ~np.isnan(scores)
    clean: Curve | None = curve
    if not scored.all():
        scored_same = same[scored]
        clean = roc(scores[scored], scored_same) if scored_same.any() and not scored_same.all() else None
    if seed is None:
        intervals = dict.fromkeys(["auc", "eer", *(f"{rate:g}" for rate in rates)], NOT_COMPUTED)
    elif in_folds:
        intervals = fold_intervals(scores, same, arrays["fold"], rates, rule=rule, seed=seed)
    else:
        intervals = _by_people(arrays, curve, rates, rule, seed)
    numbers = len(same), int(same.sum())
    scored_numbers = int(scored.sum()), int((scored & same).sum())

    def figure(value: float, name: str, without: float | None, *, mated: bool) -> Figure:
        interval = intervals[name]
        return Figure(
            value, numbers[mated], interval.low, interval.high, interval.method, without, scored_numbers[mated]
        )

    figures = {
        "auc": figure(auc(curve), "auc", auc(clean) if clean else None, mated=False),
        "eer": figure(eer(curve), "eer", eer(clean) if clean else None, mated=False),
    }
    for rate in rates:
        is_measurable = clean is not None and can_measure_far(int(clean.false[-1]), rate)
        without = tar_at_far(clean, rate, rule=rule).tar if clean and is_measurable else None
        value = tar_at_far(curve, rate, rule=rule).tar
        figures[f"tar@far={rate:g}"] = figure(value, f"{rate:g}", without, mated=True)
    return figures


def _by_people(
    arrays: Mapping[str, Any], curve: Curve, rates: Sequence[float], rule: FarRule, seed: int
) -> dict[str, Interval]:
    """Intervals without folds: of a TAR over the people of same pairs, with a fixed threshold."""
    mated = np.flatnonzero(arrays["same"])
    people = arrays["person"][mated].astype(str)
    intervals = dict.fromkeys(("auc", "eer"), Interval(None, None, "none: pairs are in no folds", 0))
    for rate in rates:
        threshold = tar_at_far(curve, rate, rule=rule).threshold
        hits = (arrays["scores"][mated] >= threshold).astype(np.float64)
        interval = bootstrap_interval(hits, list(people), seed=seed)
        intervals[f"{rate:g}"] = Interval(
            interval.low, interval.high, f"{interval.method}, threshold held", interval.identities
        )
    return intervals


def _status(pairs: int, failed: int) -> tuple[Status, str, str]:
    if not failed:
        return "ok", "", ""
    return ("failed" if failed == pairs else "fallback"), "embed", "pairs of a failed template"
