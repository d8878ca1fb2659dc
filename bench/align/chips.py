"""Chips of aligners: five points of a face mapped to a template, or the whole image where that is impossible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.align.none import whole_image
from bench.errors import DataError
from bench.interfaces import ByteImages
from bench.media.similarity import fit_similarity, warp
from bench.types import OK, FaceTemplate, Outcome, Points


def chip_by_points(
    image: ByteImages, points: Points | None, face: FaceTemplate, *, without: str
) -> tuple[ByteImages, Outcome]:
    """Map five points of an image to the template's; resize the whole image where that is impossible.

    Args:
        image: RGB, uint8 (h, w, 3).
        points: five points in the image's pixels, or None.
        face: the template.
        without: reason of the fallback when points is None.

    Returns:
        The chip and its outcome: ok, or fallback.
    """
    reason = without
    if points is not None:
        try:
            return warp(image, fit_similarity(points, face.points), face), OK
        except DataError:
            reason = "landmarks unusable"
    return whole_image(image, face), Outcome("fallback", "align", reason)


def stack_chips(results: Sequence[tuple[ByteImages, Outcome]]) -> tuple[ByteImages, list[Outcome]]:
    """Chips (H, W, 3) with their outcomes as one array (N, H, W, 3) and a list."""
    return np.stack([chip for chip, _ in results]), [outcome for _, outcome in results]
