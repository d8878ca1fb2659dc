"""Restored faces against their truths: PSNR, SSIM, likeness of embeddings, landmarks, LPIPS; overall and by yaw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from bench import progress
from bench.engine.local import SHARD_SIZE
from bench.errors import BenchError, DataError, UsageError
from bench.evaluation.contract import Measured, Prepared, RunImages, embed_role, request_images
from bench.evaluation.restoration.compare import (
    ComparedFaces,
    CompareStage,
    FacePair,
    landmark_measure,
    perceptual_measure,
)
from bench.evaluation.restoration.figures import figures_of
from bench.images import FloatImages
from bench.metrics.perceptual import PerceptualMeasure
from bench.pipeline.embedder import embedder_for
from bench.pipeline.plan import Embedded, join_embedded
from bench.pipeline.stages import EmbedStage
from bench.results import ItemRow
from bench.results.kinds import RESTORATION
from bench.studies import RestorationSet
from bench.types import OK, Outcome

_CONVENTIONS = {
    "psnr_db": "psnr-rgb-full-255",
    "psnr_y_db": "psnr-y-full-255",
    "ssim": "ssim-rgb-full-255",
    "ssim_y": "ssim-y-full-255",
    "identity_similarity": "cosine of the recogniser's embeddings of face and truth, aligned alike",
    "landmark_error": "mean distance of 68 points over the truth's eye distance, found in both by the face engine",
    "landmarks_found": "faces in which they are found, of those in whose truth they are",
}


def measure(run: Prepared) -> Measured:
    """Restore every face and compare it with its truth.

    Raises:
        UsageError: the gallery, here the truths, or faces that are already restored are to be hallucinated.
        BenchError: no face could be restored and compared.
    """
    data = run.data
    if not isinstance(data, RestorationSet):
        raise DataError(f"A restoration run was given a {type(data).__name__}")
    if run.side != "probe":
        raise UsageError(
            f"hallucinate={run.side}: the gallery of a restoration run holds the true faces. Use --hallucinate probe."
        )
    if data.ready and run.probe_plan.chain not in (None, "none"):
        raise UsageError(
            f"--hallucinator {run.config.hallucinator}: these faces are already restored. Use "
            "--hallucinator none, or give LR faces by lr=DIR only."
        )
    images = RunImages()
    backbone = getattr(run.protocol.component, "backbone", None)
    perceptual = perceptual_measure(run.config.device, backbone)
    stage = CompareStage(EmbedStage(run.probe_plan, run.cache), run.config.device, backbone)
    comparison = _compare(run, data, stage, images)
    probes = comparison.embedded
    truths = embed_role(run, "gallery", images)
    similarities = _cosines(probes.vectors, truths.vectors)
    items = [
        _with_similarity(row, cosine, outcome)
        for row, cosine, outcome in zip(comparison.items, similarities, probes.outcomes, strict=True)
    ]
    if all(row.status == "failed" for row in items):
        causes = sorted({f"{row.stage}: {row.reason}" for row in items})
        raise BenchError(f"None of {len(items)} faces could be compared ({'; '.join(causes[:5])}): there is no result.")
    return Measured(
        figures_of(items, seed=run.config.seed),
        {"probe": (data.faces, probes), "gallery": (data.truths, truths)},
        items=tuple(items),
        warnings=_warnings(comparison, perceptual),
        rules={"kind": RESTORATION, "items": "faces", "conventions": _CONVENTIONS | perceptual.convention()},
        images=images,
    )


def _compare(run: Prepared, data: RestorationSet, stage: CompareStage, images: RunImages) -> ComparedFaces:
    """Restore, embed and compare all faces, and keep the images that are selected."""
    requests = request_images(run, "probe")
    pairs = [FacePair(request, truth) for request, truth in zip(requests, data.truths, strict=True)]
    parts: list[Embedded] = []
    items: list[ItemRow] = []
    resized: Counter[str] = Counter()
    without_landmarks = 0
    with progress.stage("restore faces and compare them with truths", len(pairs)) as advance:
        for part in run.engine.map(stage, pairs, shard_size=SHARD_SIZE, progress=advance):
            parts.append(images.take("probe", part.embedded))
            items += part.items
            resized += part.resized
            without_landmarks += part.without_landmarks
    size = embedder_for(run.probe_plan).recogniser.component.embedding_size
    return ComparedFaces(join_embedded(parts, size), tuple(items), resized, without_landmarks)


def _with_similarity(row: ItemRow, cosine: float, embedded: Outcome) -> ItemRow:
    """Add the cosine of the embeddings; a face that was restored but not embedded keeps its other values."""
    if row.status == "failed":
        return row
    outcome = OK if row.status == "ok" else Outcome(row.status, row.stage, row.reason)
    if outcome == OK and embedded.status != "ok":
        outcome = Outcome("fallback", embedded.stage, embedded.reason)
    values: Mapping[str, str | float] = row.values
    if np.isfinite(cosine):
        values = {**values, "identity_similarity": cosine}
    return ItemRow(row.key, row.identity, outcome.status, outcome.stage, outcome.reason, values, row.attributes)


def _cosines(left: FloatImages, right: FloatImages) -> list[float]:
    """Cosine of each pair of rows, float64; NaN where a row failed or is zero."""
    one, other = left.astype(np.float64), right.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = (one * other).sum(axis=1)
    return [float(p / n) if n > 0 else float("nan") for p, n in zip(products, lengths, strict=True)]


def _warnings(comparison: ComparedFaces, perceptual: PerceptualMeasure) -> tuple[str, ...]:
    resized = [
        f"{count:,} outputs were resized from {sizes} pixels (bicubic) to be compared with their truths."
        for sizes, count in comparison.resized.items()
    ]
    landmarks = landmark_measure()
    landmarks.without = comparison.without_landmarks
    return (*resized, *landmarks.notes(), *perceptual.notes())
