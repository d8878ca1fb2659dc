"""Quality and landmark error of a restored face against its truth."""

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
        DataError: the images have less than 11 pixels a side, or different sizes.
    """
    values = {
        "psnr_rgb_db": psnr_rgb_db(truth, image),
        "psnr_y_db": psnr_y_db(truth, image),
        "ssim_rgb_wang": ssim_rgb_wang(truth, image),
        "ssim_y": ssim_y_wang(truth, image),
    }
    return {name: value if math.isfinite(value) else "inf" for name, value in values.items()}


def landmark_error(truth: NDArray[np.float32], restored: NDArray[np.float32]) -> float:
    """Mean distance of landmarks, divided by the distance of the truth's eyes.

    Args:
        truth: 478 points of the mesh, float32 (478, 2 or more); or 68 points.
        restored: as many points of the restored face, in the same pixels.

    Returns:
        A fraction of the distance between the centres of the eyes, over 68 points. NaN where the eyes coincide.
    """
    from bench.faces.landmarks.points import five_points, sixty_eight_points

    eyes = five_points(truth)[:2].astype(np.float64)
    eye_distance = float(np.hypot(*(eyes[1] - eyes[0])))
    offsets = sixty_eight_points(truth)[:, :2].astype(np.float64) - sixty_eight_points(restored)[:, :2]
    return float(np.hypot(offsets[:, 0], offsets[:, 1]).mean() / eye_distance) if eye_distance > 0 else math.nan


class LandmarkMeasure:
    """Landmark error of restored faces; measures nothing if the landmark detector is not installed.

    Attributes:
        without: number of faces whose truth has no detected landmarks.
    """

    def __init__(self, landmarker: Landmarker | None = None) -> None:
        """Load the detector, unless one is given."""
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
        """``landmarks_found`` (1 or 0) and, if 1, ``landmark_error``; nothing if the truth has no detected landmarks.

        Args:
            path: of the truth; its points are kept until the next truth.
            cut: of the truth.
            truth: RGB uint8 (h, w, 3).
            image: RGB uint8 (h, w, 3), the restored face.
        """
        if self._landmarker is None:
            return {}
        if self._true is None or self._true[0] != (path, cut):
            self._true = ((path, cut), self._points(truth))
        true_points = self._true[1]
        if true_points is None:
            self.without += 1
            return {}
        points = self._points(image)
        error = math.nan if points is None else landmark_error(true_points, points)
        return {"landmarks_found": 1.0, "landmark_error": error} if math.isfinite(error) else {"landmarks_found": 0.0}

    def notes(self) -> tuple[str, ...]:
        """Warnings about missing measurements."""
        if self._missing:
            return (f"Landmarks were not measured: {self._missing}",)
        return (f"No landmarks were found in the truths of {self.without:,} faces.",) if self.without else ()

    def _points(self, image: ByteImages) -> NDArray[np.float32] | None:
        face = self._landmarker.find([image])[0] if self._landmarker else None
        return None if face is None else face.points
