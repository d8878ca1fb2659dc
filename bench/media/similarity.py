"""Geometry of points and images: least-squares similarities, resized points, warped images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.interfaces import ByteImages
from bench.types import FaceTemplate, Points

Matrix = NDArray[np.float64]


def fit_similarity(source: Points, target: Points) -> Matrix:
    """The least-squares similarity (rotation, uniform scale, shift; no reflection) between two sets of points.

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


def resized_points(points: Points, before: tuple[int, ...], after: tuple[int, ...]) -> Points:
    """Points of an image in the pixels of its resized version.

    Args:
        points: (x, y) pixels, origin at the centre of the first pixel.
        before: height and width of the image; further sizes are ignored.
        after: height and width of the resized image.
    """
    down, across = after[0] / before[0], after[1] / before[1]
    return tuple(((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5) for x, y in points)


def warp_bicubic(image: ByteImages, matrix: Matrix, side: int) -> ByteImages:
    """Apply an affine transform, bicubic, borders mirrored without repeating the edge pixel; not antialiased.

    Args:
        image: RGB, uint8 (h, w, 3).
        matrix: pixels of the image to pixels of the result; float64 (2, 3).
        side: height and width of the result.

    Returns:
        RGB, uint8 (side, side, 3).
    """
    import cv2

    warped = cv2.warpAffine(
        np.ascontiguousarray(image), matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)


def warp(image: ByteImages, matrix: Matrix, face: FaceTemplate) -> ByteImages:
    """Warp an image to a chip, bilinear, black beyond the image.

    Not antialiased, like the code that trained the recognisers: faces more than twice as large as the chip are sampled,
    not averaged.

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
