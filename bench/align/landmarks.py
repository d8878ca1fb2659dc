"""Alignment by the five points that the data set gives."""

from __future__ import annotations

from collections.abc import Sequence

from bench.align.chips import chip_by_points, stack_chips
from bench.interfaces import ALIGNERS, Aligner, ByteImages
from bench.types import FaceTemplate, Outcome, Points


@ALIGNERS.register(
    "landmarks",
    summary="Similarity from the five points that the data set gives.",
    source="Umeyama 1991",
    licence="Apache-2.0",
)
class GivenLandmarks(Aligner):
    """An image without points falls back to the whole image and is counted."""

    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        """Map each image's points to the template's."""
        pairs = zip(images, landmarks, strict=True)
        return stack_chips(
            [chip_by_points(image, points, face, without="no landmarks given") for image, points in pairs]
        )
