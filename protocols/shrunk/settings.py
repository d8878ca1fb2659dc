"""What a set of LR images is made by, and the reduction of one file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError, UsageError
from bench.images import ByteImages, read_image
from bench.media.degradation import Shrinking, shrink

Advance = Callable[[int], None]
_SMALLEST, _LARGEST = 4, 256


@dataclass(frozen=True, slots=True)
class ShrunkSettings:
    """Settings of a set.

    Attributes:
        sides: smallest and largest number of pixels of an image's longer side; drawn by its logarithm for each image.
        shrinking: kernel, blur, noise and JPEG.
        box: left, top, width and height of the part that is kept, as shares of each image.
        seed: of sides and noise.
    """

    sides: tuple[int, int] = (16, 16)
    shrinking: Shrinking = Shrinking()
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: one is out of range.
        """
        low, high = self.sides
        if not _SMALLEST <= low <= high <= _LARGEST:
            raise UsageError(f"--sides is {low}-{high}; give {_SMALLEST} to {_LARGEST} pixels, the smaller one first.")
        left, top, width, height = self.box
        if not (0 <= left < 1 and 0 <= top < 1 and 0 < width <= 1 - left + 1e-9 and 0 < height <= 1 - top + 1e-9):
            raise UsageError(f"--box is {list(self.box)}; give left, top, width, height as shares inside the image.")
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}; it must be 0 or more.")

    def record(self) -> dict[str, Any]:
        """The settings for the record beside the set."""
        made = self.shrinking
        return {
            "sides_px": list(self.sides),
            "kernel": made.kernel,
            "blur_px": made.blur_px,
            "noise": made.noise,
            "jpeg": made.jpeg,
            "box": list(self.box),
            "seed": self.seed,
        }


def shrunk_image(path: Path, number: int, settings: ShrunkSettings) -> tuple[ByteImages | None, str]:
    """The LR image of a file, and the reason where there is none.

    Args:
        path: the file.
        number: of the file in the set; with the seed it decides the side and the noise.
        settings: of the set.
    """
    try:
        image = read_image(path)
    except DataError as error:
        return None, str(error)
    rng = np.random.default_rng((settings.seed, number))
    low, high = settings.sides
    side = round(math.exp(rng.uniform(math.log(low), math.log(high))))
    rows, columns = image.shape[:2]
    left, top, width, height = settings.box
    first, above = round(left * columns), round(top * rows)
    part = image[above : above + max(1, round(height * rows)), first : first + max(1, round(width * columns))]
    longer = max(part.shape[:2])
    if longer < side:
        return None, f"smaller than the LR side ({longer} < {side} pixels)"
    sizes = [max(1, round(length * side / longer)) for length in part.shape[:2]]
    return shrink(np.ascontiguousarray(part), sizes[0], sizes[1], settings.shrinking, rng), ""
