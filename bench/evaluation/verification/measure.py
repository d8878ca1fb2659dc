"""Pairs of templates: accuracy in folds, AUC, EER, and true accept rates at false accept rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.errors import BenchError, DataError
from bench.evaluation.contract import Measured, Prepared, embed_roles
from bench.evaluation.verification.figures import figures_of, rows_of
from bench.metrics.roc import can_measure_far
from bench.metrics.search.similarity import exact_scores
from bench.pipeline.templates import Templates, fuse
from bench.results.kinds import VERIFICATION
from bench.studies import VerificationSet
from bench.types import Role

_BLOCK = 1 << 18  # pairs scored between two updates of the progress


def measure(run: Prepared) -> Measured:
    """Embed both sides, fuse their templates, score every pair.

    Optional attributes of a protocol: ``thresholds``, their choice (`bench.metrics.verification.Thresholds`), and
    ``far_rule``, the definition of TAR at a FAR (`bench.metrics.roc.FarRule`). The default of both is ``exact``.
    """
    data = run.data
    if not isinstance(data, VerificationSet):
        raise DataError(f"A verification run was given a {type(data).__name__}")
    protocol = run.protocol.component
    parts, images = embed_roles(run)
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
        "kind": VERIFICATION,
        "items": "pairs",
        "false_positive_rates": list(protocol.false_positive_rates),
        "thresholds": getattr(protocol, "thresholds", "exact"),
        "far_rule": getattr(protocol, "far_rule", "exact"),
    }
    metrics, folds = figures_of(arrays, rules | {"similarity": protocol.similarity}, seed=run.config.seed)
    embedded = {role: (media, parts[role]) for role, media in run.media.items()}
    return Measured(
        metrics,
        cast("Mapping[Role, Any]", embedded),
        items=rows_of(arrays, folds),
        arrays=arrays,
        warnings=missing_figures(arrays, rules),
        rules=rules,
        images=images,
    )


def score_pairs(
    enrolled: Templates,
    verified: Templates,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    similarity: Literal["cosine", "euclidean"],
) -> NDArray[np.float32]:
    """Score pairs of templates; a score depends on its two templates only.

    Args:
        enrolled: the first templates of pairs.
        verified: the second ones.
        first: (P,) indices in ``enrolled``.
        second: (P,) indices in ``verified``.
        similarity: ``cosine`` is the dot product of the vectors as they are, ``euclidean`` the negative distance.

    Returns:
        float32 (P,), higher is more similar; NaN where a template failed.
    """
    usable = [np.array([o.status != "failed" for o in side.outcomes], bool) for side in (enrolled, verified)]
    scores = np.full(len(first), np.nan, np.float32)
    with progress.stage("score pairs", len(first)) as advance:
        for start in range(0, len(first), _BLOCK):
            block = slice(start, start + _BLOCK)
            left, right = first[block], second[block]
            both_usable = usable[0][left] & usable[1][right]
            block_scores = exact_scores(
                enrolled.vectors, verified.vectors, left[both_usable], right[both_usable], similarity
            )
            scores[block][both_usable] = block_scores
            advance(len(left))
    return scores


def missing_figures(arrays: Mapping[str, Any], rules: Mapping[str, Any]) -> tuple[str, ...]:
    """Warnings about failed pairs and about figures that could not be computed."""
    same, scores = arrays["same"], arrays["scores"]
    warnings = []
    failed = int(np.isnan(scores).sum())
    if failed:
        warnings.append(
            f"{failed:,} of {len(scores):,} pairs have a failed template: they count as errors in the accuracy "
            "and are never accepted at a FAR."
        )
    different = int((~same).sum())
    if different < len(same) and different:
        rates = [f"{rate:g}" for rate in rules["false_positive_rates"] if not can_measure_far(different, rate)]
        if rates:
            warnings.append(f"{different:,} different pairs are too few for a FAR of {', '.join(rates)}.")
    else:
        warnings.append(
            "All pairs are same, or all are different, so there is no curve: AUC, EER and TAR are not given."
        )
    if len(np.unique(arrays["fold"])) == 1 and arrays["fold"][0] >= 0:
        warnings.append("All pairs lie in one fold, so no threshold can be chosen and there is no accuracy.")
    return tuple(warnings)
