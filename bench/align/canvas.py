"""The square input of detectors: an image resized to it, with its edge pixels repeated padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.images import resize
from bench.interfaces import ByteImages
from bench.types import Points

LARGEST = 800  # pixels: side of the largest canvas; larger images are shrunk to it for detection


@dataclass(frozen=True, slots=True)
class Canvas:
    """An image on its canvas.

    Attributes:
        pixels: the canvas, RGB, uint8 (side, side, 3).
        scale: canvas pixels a pixel of the image, across and down.
        offset: canvas pixels left of and above the image.
    """

    pixels: ByteImages
    scale: tuple[float, float]
    offset: tuple[int, int]

    def in_image(self, points: Sequence[Sequence[float]]) -> Points:
        """Points (x, y) on the canvas in the pixels of the image; origin of both at the first pixel's centre."""
        (sx, sy), (left, top) = self.scale, self.offset
        return tuple(((float(x) - left + 0.5) / sx - 0.5, (float(y) - top + 0.5) / sy - 0.5) for x, y in points)


def on_canvas(image: ByteImages, *, least: int, margin: float) -> Canvas:
    """Place an image in the middle of a square canvas.

    It is enlarged when the canvas would be smaller than ``least``, shrunk when the canvas would be wider than `LARGEST`
    (or ``least``, where that is more), and otherwise not resampled.

    Args:
        image: RGB, uint8 (h, w, 3).
        least: side of the canvas that smaller images are enlarged to, pixels.
        margin: border on each side, where the image's edge is repeated, as a fraction of the canvas in [0, 0.5).
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    inside = 1 - 2 * margin
    side = min(max(least, round(longest / inside)), max(least, LARGEST))
    factor = side * inside / longest if longest < least * inside or longest > side * inside + 1 else 1.0
    resized = resize(image, max(1, round(height * factor)), max(1, round(width * factor)))
    left, top = (side - resized.shape[1]) // 2, (side - resized.shape[0]) // 2
    padding = ((top, side - top - resized.shape[0]), (left, side - left - resized.shape[1]), (0, 0))
    canvas = np.pad(resized, padding, mode="edge")
    return Canvas(canvas, (resized.shape[1] / width, resized.shape[0] / height), (left, top))
