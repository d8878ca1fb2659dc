"""What is measured of a restored face beside its truth: quality and landmarks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.errors import MissingError
from bench.images import ByteImages
from bench.metrics.quality import psnr_rgb_db, psnr_y_db, ssim_rgb_wang, ssim_y_wang
from bench.types import Cut

if TYPE_CHECKING:
    from bench.faces.landmarks.mediapipe import Landmarker

Values = dict[str, str | float]


def quality(truth: ByteImages, image: ByteImages) -> Values:
    """PSNR and SSIM, of RGB and of luma; an infinite PSNR is the text ``inf``.

    Raises:
        DataError: the images have less than 11 pixels a side, or other sizes than each other.
    """
    values = {
        "psnr_rgb_db": psnr_rgb_db(truth, image),
        "psnr_y_db": psnr_y_db(truth, image),
        "ssim_rgb_wang": ssim_rgb_wang(truth, image),
        "ssim_y": ssim_y_wang(truth, image),
    }
    return {name: value if math.isfinite(value) else "inf" for name, value in values.items()}


def landmark_error(truth: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Mean distance of points over the distance of the truth's eyes.

    Args:
        truth: 478 points of the mesh, float32 (478, 2 or more); or 68 points.
        found: as many points of the restored face, in the same pixels.

    Returns:
        A fraction of the distance between the centres of the eyes, over 68 points. NaN where the eyes coincide.
    """
    from bench.faces.landmarks.points import five_points, sixty_eight_points

    eyes = five_points(truth)[:2].astype(np.float64)
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    moved = sixty_eight_points(truth)[:, :2].astype(np.float64) - sixty_eight_points(found)[:, :2]
    return float(np.hypot(moved[:, 0], moved[:, 1]).mean() / apart) if apart > 0 else math.nan


class LandmarkMeasure:
    """Finds the points of truth and restored face by the face engine; measures nothing where that is not installed.

    Attributes:
        without: how many faces were compared with a truth in which no landmarks were found.
    """

    def __init__(self, landmarker: Landmarker | None = None) -> None:
        """Load the engine, unless one is given."""
        self._missing = ""
        self._landmarker = landmarker
        self._true: tuple[object, NDArray[np.float32] | None] | None = None
        self.without = 0
        if landmarker is None:
            try:
                from bench.faces.landmarks.mediapipe import FaceLandmarker

                self._landmarker = FaceLandmarker()
            except MissingError as error:
                self._missing = str(error).partition("\n")[0]

    def compare(self, path: Path, cut: Cut | None, truth: ByteImages, image: ByteImages) -> Values:
        """``landmarks_found`` (1 or 0) and, where found, ``landmark_error``; nothing without points of the truth.

        Args:
            path: of the truth; its points are kept until another truth comes.
            cut: of the truth.
            truth: RGB uint8 (h, w, 3).
            image: RGB uint8 (h, w, 3), what was made.
        """
        if self._landmarker is None:
            return {}
        if self._true is None or self._true[0] != (path, cut):
            self._true = ((path, cut), self._points(truth))
        true = self._true[1]
        if true is None:
            self.without += 1
            return {}
        found = self._points(image)
        error = math.nan if found is None else landmark_error(true, found)
        return {"landmarks_found": 1.0, "landmark_error": error} if math.isfinite(error) else {"landmarks_found": 0.0}

    def notes(self) -> tuple[str, ...]:
        """Sentences about what could not be measured."""
        if self._missing:
            return (f"Landmarks were not measured: {self._missing}",)
        return (f"No landmarks were found in the truths of {self.without:,} faces.",) if self.without else ()

    def _points(self, image: ByteImages) -> NDArray[np.float32] | None:
        found = self._landmarker.find([image])[0] if self._landmarker else None
        return None if found is None else found.points
