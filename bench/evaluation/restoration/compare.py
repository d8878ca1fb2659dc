"""Restores and embeds faces and compares them with their truths in one pass, shard by shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bench.errors import DataError, MissingError
from bench.evaluation.restoration.measures import LandmarkMeasure, Values, quality
from bench.faces.landmarks.mediapipe import FaceLandmarker
from bench.images import ByteImages, resize
from bench.metrics.perceptual import PerceptualMeasure, default_backbone
from bench.pipeline.plan import Embedded, ImageRequest
from bench.pipeline.reader import open_media
from bench.pipeline.stages import EmbedStage
from bench.pipeline.views import View
from bench.progress import Progress
from bench.results import ItemRow
from bench.types import Media, Outcome


@dataclass(frozen=True, slots=True)
class FacePair:
    """A face to restore and its truth."""

    request: ImageRequest
    truth: Media


@dataclass(frozen=True)
class ComparedFaces:
    """N faces compared with their truths.

    Attributes:
        embedded: the restored faces.
        items: one row per face, without the similarity of embeddings.
        resized: number of outputs that were resized to the size of their truth, by a text with both sizes.
        without_landmarks: number of faces whose truth has no detected landmarks.
    """

    embedded: Embedded
    items: tuple[ItemRow, ...]
    resized: Counter[str]
    without_landmarks: int


@dataclass(frozen=True, slots=True)
class CompareStage:
    """Restores, embeds and compares a shard.

    Attributes:
        embed: how faces are restored and embedded.
        device: torch device of LPIPS.
        backbone: weights of LPIPS' AlexNet; None takes torch's file.
    """

    embed: EmbedStage
    device: str
    backbone: Path | None

    def __call__(self, shard: Sequence[FacePair], progress: Progress) -> ComparedFaces:
        """Compare each face with its truth."""
        comparison = _Comparison(landmark_measure(), perceptual_measure(self.device, self.backbone))
        items: dict[int, ItemRow] = {}

        def compare(index: int, view: View) -> None:
            items[index] = comparison.row(shard[index], view)

        embedded = self.embed([pair.request for pair in shard], progress, compare)
        rows = tuple(items[index] for index in range(len(shard)))
        return ComparedFaces(embedded, rows, comparison.resized, comparison.landmarks.without)


@dataclass
class _Comparison:
    """Measures the faces of a shard."""

    landmarks: LandmarkMeasure
    perceptual: PerceptualMeasure
    resized: Counter[str] = field(default_factory=Counter)
    _truth: tuple[object, ByteImages | str] | None = None

    def row(self, pair: FacePair, view: View) -> ItemRow:
        """Compare one face."""
        face, image, outcome = pair.request.media, view.out, view.outcome
        truth = self._open_truth(pair.truth)
        values: Values = {}
        if image is None and outcome.status != "failed":
            outcome = Outcome("failed", "hallucinate", "no image")
        elif isinstance(truth, str) and outcome.status != "failed":
            outcome = Outcome("failed", "truth", truth)
        if image is not None and not isinstance(truth, str) and outcome.status != "failed":
            fitted = self._fitted(image, truth)
            try:
                values = quality(truth, fitted)
            except DataError:
                outcome = Outcome("failed", "truth", "too small to compare")
            else:
                values |= self.landmarks.compare(pair.truth.path, pair.truth.cut, truth, fitted)
                values |= self.perceptual.compare(truth, fitted)
        return ItemRow(
            face.template, face.identity or "", outcome.status, outcome.stage, outcome.reason, values, face.attributes
        )

    def _fitted(self, image: ByteImages, truth: ByteImages) -> ByteImages:
        """The restored face at the size of its truth (bicubic)."""
        fitted = resize(image, *truth.shape[:2])
        if fitted.shape != image.shape:
            self.resized[f"{image.shape[1]} x {image.shape[0]} to {truth.shape[1]} x {truth.shape[0]}"] += 1
        return fitted

    def _open_truth(self, media: Media) -> ByteImages | str:
        """The truth, or why it cannot be opened; kept for the next face, since views of one face are adjacent."""
        name = (media.path, media.cut)
        if self._truth is None or self._truth[0] != name:
            try:
                self._truth = (name, open_media(media))
            except DataError as error:
                self._truth = (name, str(error))
        return self._truth[1]


def perceptual_measure(device: str, backbone: Path | None) -> PerceptualMeasure:
    """LPIPS, loaded once in each process."""
    path = backbone or default_backbone()
    return _perceptual_measure(device, backbone, path.stat().st_mtime_ns if path.is_file() else None)


@lru_cache(maxsize=2)
def _perceptual_measure(device: str, backbone: Path | None, changed: int | None) -> PerceptualMeasure:
    return PerceptualMeasure(device, backbone)


def landmark_measure() -> LandmarkMeasure:
    """The landmark measure; its detector is loaded once in each process."""
    return LandmarkMeasure(_landmarker())


@lru_cache(maxsize=1)
def _landmarker() -> FaceLandmarker | None:
    """The landmark detector, loaded once in each process; None where it is not installed."""
    try:
        return FaceLandmarker()
    except MissingError:
        return None
