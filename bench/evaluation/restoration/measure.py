"""Restored faces against their truths: PSNR, SSIM, likeness of embeddings, landmarks, LPIPS; overall and by yaw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench import progress
from bench.errors import BenchError, DataError, UsageError
from bench.evaluation.contract import Measured, Prepared
from bench.evaluation.identification.measure import embed_roles
from bench.evaluation.restoration.figures import figures_of
from bench.evaluation.restoration.measures import LandmarkMeasure, quality
from bench.images import ByteImages, FloatImages, resize
from bench.metrics.perceptual import PerceptualMeasure
from bench.pipeline.cache import Cache
from bench.pipeline.embedder import embedder_for, open_media
from bench.results import ItemRow
from bench.results.kinds import RESTORATION
from bench.studies import RestorationSet
from bench.types import OK, Media, Outcome

_CHUNK = 16
_CONVENTIONS = {
    "psnr_db": "psnr-rgb-full-255",
    "psnr_y_db": "psnr-y-full-255",
    "ssim": "ssim-rgb-full-255",
    "ssim_y": "ssim-y-full-255",
    "identity_similarity": "cosine of the recogniser's embeddings of face and truth, aligned alike",
    "landmark_error": "mean distance of 68 points over the truth's eye distance, found in both by the face engine",
    "landmarks_found": "faces in which they are found, of those in whose truth they are",
}


@dataclass
class _Truths:
    """Opens truths; views of one face share theirs, and stand next to each other."""

    last: tuple[object, ByteImages | str] | None = None

    def open(self, media: Media) -> ByteImages | str:
        """The truth, or why it cannot be opened."""
        name = (media.path, media.cut)
        if self.last is None or self.last[0] != name:
            try:
                self.last = (name, open_media(media))
            except DataError as error:
                self.last = (name, str(error))
        return self.last[1]


@dataclass
class _Tools:
    """What measures a face, and what it notices."""

    landmarks: LandmarkMeasure
    perceptual: PerceptualMeasure
    truths: _Truths = field(default_factory=_Truths)
    resized: Counter[str] = field(default_factory=Counter)


def measure(run: Prepared) -> Measured:
    """Restore every face and compare it with its truth.

    Raises:
        UsageError: the gallery, here the truths, is to be hallucinated; or faces that are restored already.
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
            f"--hallucinator {run.config.hallucinator}: these faces are restored already and measured as they are. Use "
            "--hallucinator none, or give LR faces by lr=DIR alone."
        )
    parts = embed_roles(run)
    likeness = _cosines(parts["probe"].vectors, parts["gallery"].vectors)
    backbone = getattr(run.protocol.component, "backbone", None)
    tools = _Tools(LandmarkMeasure(), PerceptualMeasure(run.config.device, backbone))
    items: list[ItemRow] = []
    with progress.stage("compare with truths", len(data.faces)) as advance:
        for start in range(0, len(data.faces), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            faces, truths = data.faces[chunk], data.truths[chunk]
            made = _made(run, faces)
            for at, (face, truth, (image, outcome)) in enumerate(zip(faces, truths, made, strict=True), start):
                row = _row(face, truth, image, outcome, tools)
                items.append(_with_likeness(row, likeness[at], parts["probe"].outcomes[at]))
                advance(1)
    if all(row.status == "failed" for row in items):
        causes = sorted({f"{row.stage}: {row.reason}" for row in items})
        raise BenchError(f"None of {len(items)} faces could be compared ({'; '.join(causes[:5])}): there is no result.")
    return Measured(
        figures_of(items, seed=run.config.seed),
        {"probe": (data.faces, parts["probe"]), "gallery": (data.truths, parts["gallery"])},
        items=tuple(items),
        warnings=_warnings(tools),
        rules={"kind": RESTORATION, "items": "faces", "conventions": _CONVENTIONS | tools.perceptual.convention()},
    )


def _made(run: Prepared, faces: Sequence[Media]) -> list[tuple[ByteImages | None, Outcome]]:
    """What the chain makes of faces, from the cache where there is one."""
    embedder = embedder_for(run.probe_plan)
    if run.cache is None:
        made = embedder.made(faces, None)
    else:
        with Cache(run.cache) as store:
            made = embedder.made(faces, store)
    return [(image, outcome) for _, image, outcome in made]


def _row(face: Media, truth: Media, image: ByteImages | None, outcome: Outcome, tools: _Tools) -> ItemRow:
    """Compare one face."""
    true = tools.truths.open(truth)
    values: dict[str, str | float] = {}
    if image is None and outcome.status != "failed":
        outcome = Outcome("failed", "hallucinate", "no image")
    elif isinstance(true, str) and outcome.status != "failed":
        outcome = Outcome("failed", "truth", true)
    if image is not None and not isinstance(true, str) and outcome.status != "failed":
        fitted = resize(image, *true.shape[:2])
        if fitted.shape != image.shape:
            tools.resized[f"{image.shape[1]} x {image.shape[0]} to {true.shape[1]} x {true.shape[0]}"] += 1
        try:
            values |= quality(true, fitted)
        except DataError:
            outcome, values = Outcome("failed", "truth", "too small to compare"), {}
        else:
            values |= tools.landmarks.compare(truth.path, truth.cut, true, fitted)
            values |= tools.perceptual.compare(true, fitted)
    return ItemRow(
        face.template,
        face.identity or "",
        outcome.status,
        outcome.stage,
        outcome.reason,
        values,
        face.attributes,
    )


def _with_likeness(row: ItemRow, cosine: float, embedded: Outcome) -> ItemRow:
    """Add what the embeddings say; a face that was restored but not embedded keeps its other values."""
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
    """Cosine of each pair of rows, float64; NaN where one failed or has no length."""
    one, other = left.astype(np.float64), right.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = (one * other).sum(axis=1)
    return [float(p / n) if n > 0 else float("nan") for p, n in zip(products, lengths, strict=True)]


def _warnings(tools: _Tools) -> tuple[str, ...]:
    told = [
        f"{count:,} outputs were resized from {sizes} pixels (bicubic) to be compared with their truths."
        for sizes, count in tools.resized.items()
    ]
    return (*told, *tools.landmarks.notes(), *tools.perceptual.notes())
