"""Pairs of templates: accuracy in folds, AUC, EER, and true accept rates at false accept rates.

Everything follows from what a run keeps in ``arrays.npz``: ``scores`` (float32, NaN where a template failed), ``same``,
``fold`` (-1 where there are none) and ``person`` (place of the first template's identity among the sorted ones).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.errors import BenchError, DataError
from bench.evaluation.contract import Measured, Prepared
from bench.evaluation.identification.measure import embed_roles
from bench.metrics.bootstrap import Interval, bootstrap_interval
from bench.metrics.roc import Curve, FarRule, auc, eer, enough, roc, tar_at_far
from bench.metrics.search.similarity import Similarity, exact_scores
from bench.metrics.verification import (
    FoldAccuracy,
    Thresholds,
    accuracy_interval,
    fold_accuracies,
    fold_intervals,
    spread,
)
from bench.pipeline.templates import Templates, fuse
from bench.results import Figure, ItemRow, RunResult
from bench.studies import VerificationSet
from bench.types import Role, Status

KIND = "verification"
_BLOCK = 1 << 18  # pairs scored between two looks at the progress


def measure(run: Prepared) -> Measured:
    """Embed both sides, fuse their templates, score every pair.

    A protocol may say by ``thresholds`` how thresholds are chosen (`bench.metrics.verification.Thresholds`) and by
    ``far_rule`` what TAR at a FAR is (`bench.metrics.roc.FarRule`); both are ``exact`` where it says nothing.
    """
    data = run.data
    if not isinstance(data, VerificationSet):
        raise DataError(f"A verification run was given a {type(data).__name__}")
    protocol = run.protocol.component
    parts = embed_roles(run)
    fused = {
        role: fuse(
            media,
            parts[role].vectors,
            parts[role].outcomes,
            unit_length=protocol.unit_length,
            fusion=protocol.fusion,
            score_weighted=protocol.score_weighted,
        )
        for role, media in run.media.items()
    }
    scores = score_pairs(fused["gallery"], fused["probe"], data.first, data.second, protocol.similarity)
    if np.isnan(scores).all():
        failed = [o for t in fused.values() for o in t.outcomes if o.status == "failed"]
        causes = sorted({f"{outcome.stage}: {outcome.reason}" for outcome in failed})
        raise BenchError(f"None of {len(scores)} pairs could be scored ({'; '.join(causes[:5])}): there is no result.")
    people, places = np.unique([str(person) for person in fused["gallery"].identities], return_inverse=True)
    arrays: dict[str, Any] = {
        "scores": scores,
        "same": data.same,
        "fold": np.full(len(scores), -1, np.int16) if data.fold is None else data.fold.astype(np.int16),
        "person": places.astype(np.int32)[data.first],
    }
    rules = {
        "kind": KIND,
        "items": "pairs",
        "false_positive_rates": list(protocol.false_positive_rates),
        "thresholds": getattr(protocol, "thresholds", "exact"),
        "far_rule": getattr(protocol, "far_rule", "exact"),
    }
    found, folds = _figures(arrays, rules | {"similarity": protocol.similarity}, run.config.seed)
    embedded = {role: (media, parts[role]) for role, media in run.media.items()}
    return Measured(
        found,
        cast("Mapping[Role, Any]", embedded),
        items=_rows(arrays, folds),
        arrays=arrays,
        warnings=_absent(arrays, rules),
        rules=rules,
    )


def figures(result: RunResult) -> dict[str, Figure]:
    """Figures from the arrays of a finished run.

    Raises:
        DataError: an array is absent or is not as long as another.
    """
    lacking = [name for name in ("scores", "same", "fold", "person") if name not in result.arrays]
    sizes = {len(array) for array in result.arrays.values()}
    if lacking or len(sizes) != 1:
        raise DataError(
            f"The arrays of this run lack {', '.join(lacking) or 'nothing'} and have lengths {sorted(sizes)}; scores, "
            "same, fold and person are needed, one value a pair. Run it again."
        )
    return _figures(result.arrays, result.record.protocol, result.record.seed)[0]


def score_pairs(
    enrolled: Templates,
    verified: Templates,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    similarity: Literal["cosine", "euclidean"],
) -> NDArray[np.float32]:
    """Score pairs of templates, each pair by itself: a score depends on its two templates alone.

    Args:
        enrolled: the first templates of pairs.
        verified: the second ones.
        first: (P,) places in ``enrolled``.
        second: (P,) places in ``verified``.
        similarity: ``cosine`` is the dot product of the vectors as they are, ``euclidean`` the negative distance.

    Returns:
        float32 (P,), higher is more alike; NaN where a template failed.
    """
    alive = [np.array([o.status != "failed" for o in side.outcomes], bool) for side in (enrolled, verified)]
    scores = np.full(len(first), np.nan, np.float32)
    with progress.stage("score pairs", len(first)) as advance:
        for start in range(0, len(first), _BLOCK):
            block = slice(start, start + _BLOCK)
            left, right = first[block], second[block]
            both = alive[0][left] & alive[1][right]
            found = exact_scores(enrolled.vectors, verified.vectors, left[both], right[both], similarity)
            scores[block][both] = found
            advance(len(left))
    return scores


def _figures(
    arrays: Mapping[str, Any], rules: Mapping[str, Any], seed: int
) -> tuple[dict[str, Figure], list[FoldAccuracy]]:
    """All figures, and the folds where there are any."""
    scores, same, fold = arrays["scores"], arrays["same"].astype(bool), arrays["fold"].astype(np.int64)
    found: dict[str, Figure] = {}
    folds: list[FoldAccuracy] = []
    in_folds = len(np.unique(fold)) > 1
    if in_folds:
        thresholds = cast("Thresholds", rules["thresholds"])
        folds = fold_accuracies(scores, same, fold, thresholds=thresholds, similarity=_similarity(rules))
        found |= _accuracies(folds, seed)
    if same.any() and not same.all():
        found |= _curve_figures({**arrays, "same": same, "fold": fold}, rules, seed, in_folds=in_folds)
    if not found:
        raise BenchError(
            f"{len(same)} pairs, all {'same' if same.all() else 'different'} and in one fold, have no figure; is "
            "--limit too small?"
        )
    return found, folds


def _accuracies(folds: list[FoldAccuracy], seed: int) -> dict[str, Figure]:
    pairs, failed = sum(row.pairs for row in folds), sum(row.failed for row in folds)
    all_of_them = [row.accuracy for row in folds]
    scored = [row.accuracy_scored for row in folds if row.accuracy_scored is not None]
    interval = accuracy_interval(folds, seed=seed)
    mean = Figure(
        float(np.mean(all_of_them)),
        pairs,
        interval.low,
        interval.high,
        interval.method,
        float(np.mean(scored)) if scored else None,
        pairs - failed,
    )
    found = {"accuracy": mean}
    pair_of = spread(all_of_them), spread(scored) if len(scored) > 1 else (None, None)
    for place, name in enumerate(("accuracy std", "accuracy se")):
        value, without = pair_of[0][place], pair_of[1][place]
        found[name] = Figure(
            value, pairs, None, None, f"none: a spread over {len(folds)} folds", without, pairs - failed
        )
    return found


def _curve_figures(
    arrays: Mapping[str, Any], rules: Mapping[str, Any], seed: int, *, in_folds: bool
) -> dict[str, Figure]:
    scores, same = arrays["scores"], arrays["same"]
    rule = cast("FarRule", rules["far_rule"])
    rates = [rate for rate in rules["false_positive_rates"] if enough(int((~same).sum()), rate)]
    curve, scored = roc(scores, same), ~np.isnan(scores)
    clean: Curve | None = curve
    if not scored.all():
        left = same[scored]
        clean = roc(scores[scored], left) if left.any() and not left.all() else None
    if in_folds:
        intervals = fold_intervals(scores, same, arrays["fold"], rates, rule=rule, seed=seed)
    else:
        intervals = _by_people(arrays, curve, rates, rule, seed)
    numbers = len(same), int(same.sum())
    alive = int(scored.sum()), int((scored & same).sum())

    def figure(value: float, name: str, without: float | None, *, mated: bool) -> Figure:
        own = intervals[name]
        return Figure(value, numbers[mated], own.low, own.high, own.method, without, alive[mated])

    found = {
        "auc": figure(auc(curve), "auc", auc(clean) if clean else None, mated=False),
        "eer": figure(eer(curve), "eer", eer(clean) if clean else None, mated=False),
    }
    for rate in rates:
        able = clean is not None and enough(int(clean.false[-1]), rate)
        without = tar_at_far(clean, rate, rule=rule).tar if clean and able else None
        value = tar_at_far(curve, rate, rule=rule).tar
        found[f"tar@far={rate:g}"] = figure(value, f"{rate:g}", without, mated=True)
    return found


def _by_people(
    arrays: Mapping[str, Any], curve: Curve, rates: list[float], rule: FarRule, seed: int
) -> dict[str, Interval]:
    """Intervals where pairs are in no folds: of a TAR over the people of same pairs, its threshold held."""
    mated = np.flatnonzero(arrays["same"])
    people = arrays["person"][mated].astype(str)
    found = dict.fromkeys(("auc", "eer"), Interval(None, None, "none: pairs are in no folds", 0))
    for rate in rates:
        threshold = tar_at_far(curve, rate, rule=rule).threshold
        hits = (arrays["scores"][mated] >= threshold).astype(np.float64)
        own = bootstrap_interval(hits, list(people), seed=seed)
        found[f"{rate:g}"] = Interval(own.low, own.high, f"{own.method}, threshold held", own.identities)
    return found


def _rows(arrays: Mapping[str, Any], folds: list[FoldAccuracy]) -> tuple[ItemRow, ...]:
    """One row a fold, or one of all pairs."""
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


def _status(pairs: int, failed: int) -> tuple[Status, str, str]:
    if not failed:
        return "ok", "", ""
    return ("failed" if failed == pairs else "fallback"), "embed", "pairs of a failed template"


def _absent(arrays: Mapping[str, Any], rules: Mapping[str, Any]) -> tuple[str, ...]:
    """What could not be measured and why, and what became of failures."""
    same, scores = arrays["same"], arrays["scores"]
    found = []
    failed = int(np.isnan(scores).sum())
    if failed:
        found.append(
            f"{failed:,} of {len(scores):,} pairs have a failed template: errors of the accuracy, never accepted at "
            "a FAR."
        )
    different = int((~same).sum())
    if different < len(same) and different:
        few = [f"{rate:g}" for rate in rules["false_positive_rates"] if not enough(different, rate)]
        if few:
            found.append(f"{different:,} different pairs are too few for a FAR of {', '.join(few)}.")
    else:
        found.append("All pairs are alike in kind, so there is no curve: AUC, EER and TAR are not given.")
    if len(np.unique(arrays["fold"])) == 1 and arrays["fold"][0] >= 0:
        found.append("All pairs lie in one fold, so no threshold can be chosen and there is no accuracy.")
    return tuple(found)


def _similarity(rules: Mapping[str, Any]) -> Similarity:
    return cast("Similarity", rules["similarity"])
