"""Crops of faces: quarter turns, box or landmarks, LR side."""

from __future__ import annotations

import numpy as np

from bench.errors import DataError
from bench.images import ByteImages
from bench.media.low_resolution import to_low_resolution
from bench.types import Cut, FaceTemplate, Points

_LARGEST_COORDINATE = 1e7  # pixels


def cut_out(image: ByteImages, cut: Cut) -> ByteImages:
    """Crop a face out of a decoded image or frame, and shrink it to its LR side.

    Args:
        image: RGB uint8 (h, w, 3).
        cut: quarter turns, then box or landmarks, then LR side (antialiased bicubic, rounded to 8 bits).

    Returns:
        RGB uint8 (H, W, 3).

    Raises:
        DataError: with a short reason without file names: box outside the image, box without a size, points unusable.
    """
    image = np.ascontiguousarray(np.rot90(image, -cut.quarter_turns)) if cut.quarter_turns % 4 else image
    if cut.points is not None:
        image = _crop_by_points(image, cut)
    elif cut.box is not None:
        image = _crop_by_box(image, cut.box)
    if cut.side is not None and image.shape[:2] != (cut.side, cut.side):
        image = to_low_resolution(image, cut.side)
    return image


def cut_to_template(points: Points, face: FaceTemplate, lr: int | None) -> tuple[Cut, Points]:
    """The cut that aligns a face by its points, and the points in the result.

    Args:
        points: five points of the face in pixels of the image.
        face: the chip, and where its points are.
        lr: side of the LR face, pixels; None or 0 keeps the size of the chip.

    Returns:
        The cut, and the points of the template in pixels of the cropped and shrunk image.
    """
    from bench.media.similarity import resized_points

    size = (face.height, face.width)
    return Cut(points=points, face=face, side=lr or None), resized_points(face.points, size, (lr, lr) if lr else size)


def square_around(box: tuple[float, float, float, float], margin: float = 0.0) -> tuple[float, float, float, float]:
    """The square around a box: its longer side, enlarged by ``margin`` times that side on each side; same centre."""
    x, y, width, height = box
    side = max(width, height) * (1 + 2 * margin)
    return x + (width - side) / 2, y + (height - side) / 2, side, side


def box_fault(box: tuple[float, float, float, float], width: int, height: int) -> str:
    """The reason why a box cannot be cropped from an image of ``width`` x ``height`` pixels; empty where it can."""
    if not all(np.isfinite(box)) or box[2] < 1 or box[3] < 1:
        return "box without a size"
    if max(map(abs, box)) > _LARGEST_COORDINATE:
        return "box outside its image"
    left, top, right, bottom = _edges(box)
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        return "box outside its image"
    if right - left > 4 * width or bottom - top > 4 * height:
        return "box far larger than its image"
    return "box without a size" if min(right - left, bottom - top) < 2 else ""


def _edges(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top = round(box[0]), round(box[1])
    return left, top, max(round(box[0] + box[2]), left + 1), max(round(box[1] + box[3]), top + 1)


def _crop_by_points(image: ByteImages, cut: Cut) -> ByteImages:
    from bench.media.similarity import fit_similarity, warp

    if cut.points is None or cut.face is None:
        raise DataError("cut by points without a template")
    try:
        return warp(image, fit_similarity(cut.points, cut.face.points), cut.face)
    except DataError:
        raise DataError("landmarks unusable") from None


def _crop_by_box(image: ByteImages, box: tuple[float, float, float, float]) -> ByteImages:
    height, width = image.shape[:2]
    fault = box_fault(box, width, height)
    if fault:
        raise DataError(fault)
    left, top, right, bottom = _edges(box)
    rows, columns = np.arange(top, bottom).clip(0, height - 1), np.arange(left, right).clip(0, width - 1)
    cropped: ByteImages = np.ascontiguousarray(image[rows][:, columns])
    return cropped
