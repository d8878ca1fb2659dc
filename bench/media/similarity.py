"""The least-squares similarity between two sets of points, and the chip it cuts out of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.align.none import whole_image
from bench.errors import DataError
from bench.interfaces import ByteImages
from bench.types import OK, FaceTemplate, Outcome, Points

Matrix = NDArray[np.float64]


def fit_similarity(source: Points, target: Points) -> Matrix:
    """Rotation, uniform scale and shift that bring points closest to others, never a reflection.

    Args:
        source: N points (x, y), N >= 2, not all the same.
        target: N points.

    Returns:
        float64 (2, 3), to be applied to (x, y, 1).

    Raises:
        DataError: the numbers differ, a coordinate is not finite, or the points of either set coincide.

    Source: Umeyama 1991, IEEE TPAMI 13(4), eqs. (40)-(42); in the plane it is linear regression of complex numbers.
    """
    if len(source) != len(target) or len(source) < 2:
        raise DataError(f"A similarity needs two or more pairs of points, not {len(source)} and {len(target)}")
    pairs = np.array([source, target], np.float64)  # (2, N, 2)
    if not np.isfinite(pairs).all():
        raise DataError("A similarity needs finite points")
    before, after = pairs[..., 0] + 1j * pairs[..., 1]
    centre, aim = before.mean(), after.mean()
    spread = np.square(np.abs(before - centre)).sum()
    if spread == 0 or np.square(np.abs(after - aim)).sum() == 0:
        raise DataError("A similarity needs points that do not all coincide")
    turn = (np.conj(before - centre) * (after - aim)).sum() / spread
    shift = aim - turn * centre
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def warp(image: ByteImages, matrix: Matrix, face: FaceTemplate) -> ByteImages:
    """Cut the chip out of an image, bilinear, black where the image ends.

    Not antialiased, as the code that trained the recognisers was not: a face more than twice as large as the chip is
    sampled, not averaged.

    Args:
        image: RGB, uint8 (h, w, 3).
        matrix: image coordinates to chip coordinates; float64 (2, 3).
        face: size of the chip.

    Returns:
        RGB, uint8 (H, W, 3).
    """
    import cv2

    chip = cv2.warpAffine(
        np.ascontiguousarray(image),
        matrix,
        (face.width, face.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(chip, np.uint8)


def chip_by_points(
    image: ByteImages, points: Points | None, face: FaceTemplate, *, without: str
) -> tuple[ByteImages, Outcome]:
    """Bring five points of an image to the template's; the whole image resized where that cannot be.

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


def stacked(results: Sequence[tuple[ByteImages, Outcome]]) -> tuple[ByteImages, list[Outcome]]:
    """Chips (H, W, 3) with their outcomes as one array (N, H, W, 3) and a list."""
    return np.stack([chip for chip, _ in results]), [outcome for _, outcome in results]
