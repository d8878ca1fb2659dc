"""TP-GAN's 128 x 128 face crop from five points; for faces without points, the median square of their camera."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import numpy as np

from bench.errors import DataError
from bench.media.crop import cut_to_template
from bench.media.similarity import Matrix
from bench.types import Cut, FaceTemplate, Points
from protocols.multipie.files import Take
from protocols.multipie.tables import CAMERAS

SIDE = 128
EYES, EYES_TO_MOUTH = (64.0, 40.0), 48.0
_MAX_TILT_DEG = 30.0
_ENOUGH = 3  # faces of a camera before its median square is used to reject outliers
_MAX_SCALE = 1.5
_MAX_SHIFT = 0.5  # sides


class Square(NamedTuple):
    """A square in an image: centre and side, pixels, origin at the first pixel's centre."""

    x: float
    y: float
    side: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width, height between pixel edges."""
        half = self.side / 2 - 0.5
        return round(self.x - half, 2), round(self.y - half, 2), self.side, self.side


@dataclass(frozen=True)
class Crop:
    """How one take is cropped.

    Attributes:
        points: the face's five points in the image; None where the camera's median square is used.
        square: that square.
    """

    points: Points | None
    square: Square | None = None

    def cut(self, lr: int) -> Cut:
        """The cut to 128 x 128, then to ``lr`` unless that is 0."""
        if self.points is None:
            return Cut(box=self.square.box if self.square else None, side=lr or SIDE)
        return cut_to_template(self.points, FaceTemplate(SIDE, SIDE, self.points_in_crop()), lr)[0]

    def points_in_crop(self) -> Points:
        """The points in pixels of the 128 x 128 crop; empty where there are none."""
        if self.points is None:
            return ()
        matrix = similarity(self.points)
        return tuple((float(x), float(y)) for x, y in np.asarray(self.points) @ matrix[:, :2].T + matrix[:, 2])

    def landmarks(self, lr: int) -> Points | None:
        """The points in pixels of the result of `cut`; None where there are none."""
        if self.points is None:
            return None
        return cut_to_template(self.points, FaceTemplate(SIDE, SIDE, self.points_in_crop()), lr)[1]


def similarity(points: Points) -> Matrix:
    """The similarity of TP-GAN's crop: the eyes level and centred at (64, 40), the mouth centred 48 pixels below.

    Args:
        points: eyes, nose, mouth corners.

    Returns:
        float64 (2, 3), image to crop.

    Raises:
        DataError: the mouth is not below the eyes, or a point is not finite.

    Source: face_db_align_single_custom.m of TP-GAN (Huang et al. 2017); not rounded to whole pixels here.
    """
    five = np.asarray(points, np.float64)
    if five.shape != (5, 2) or not np.isfinite(five).all():
        raise DataError("five finite points are needed")
    eyes, mouth = five[:2].mean(0), five[3:].mean(0)
    tilt = tilt_rad(points)
    cos, sin = math.cos(tilt), math.sin(tilt)
    turn = np.array([[cos, sin], [-sin, cos]])
    drop = float((turn @ (mouth - eyes))[1])
    if drop <= 0:
        raise DataError("the mouth is not below the eyes")
    turn *= EYES_TO_MOUTH / drop
    return np.column_stack([turn, np.asarray(EYES) - turn @ eyes])


def tilt_rad(points: Points) -> float:
    """Tilt of the line through the eyes, between -pi/2 and pi/2 whichever eye comes first; 0 where it is upright."""
    (x0, y0), (x1, y1) = points[:2]
    return 0.0 if x0 == x1 else math.atan((y1 - y0) / (x1 - x0))


def square_of(points: Points) -> Square:
    """The square of the crop by points, with its rotation ignored."""
    matrix = similarity(points)
    middle = np.linalg.solve(matrix[:, :2], (SIDE - 1) / 2 - matrix[:, 2])
    return Square(float(middle[0]), float(middle[1]), SIDE / math.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def choose_crops(detected: Mapping[Take, Points | None]) -> tuple[dict[Take, Crop], int]:
    """A crop for every take.

    Points are rejected where the line through the eyes tilts by more than 30 degrees (in profile views the eyes nearly
    coincide), or where the square differs from the camera's median (of three faces or more) by a factor of 1.5 or by
    half its side. For rejected points, and where no face was detected, the median square of the camera is used, or that
    of the nearest camera with detected faces.

    Args:
        detected: five points of each take, or None.

    Returns:
        The crops, and the number of takes whose points were rejected.

    Raises:
        DataError: there are takes, and no face was detected in any.
    """
    squares: dict[Take, Square] = {}
    for take, points in detected.items():
        if points is not None and abs(math.degrees(tilt_rad(points))) <= _MAX_TILT_DEG:
            try:
                squares[take] = square_of(points)
            except DataError:
                continue
    cameras: dict[str, list[Square]] = defaultdict(list)
    for take, square in squares.items():
        cameras[take.camera].append(square)
    medians = {camera: _median(squares) for camera, squares in cameras.items()}
    if detected and not medians:
        raise DataError(
            f"No face was detected in any of {len(detected)} takes of Multi-PIE, so no image can be cropped. Are these "
            "the images of the database?"
        )
    accepted = {
        take: points
        for take, points in detected.items()
        if points is not None
        and take in squares
        and (len(cameras[take.camera]) < _ENOUGH or _similar(squares[take], medians[take.camera]))
    }
    crops = {
        take: Crop(accepted[take]) if take in accepted else Crop(None, medians[_nearest(take.camera, medians)])
        for take in detected
    }
    return crops, sum(points is not None for points in detected.values()) - len(accepted)


def _nearest(camera: str, medians: Mapping[str, Square]) -> str:
    """The camera itself where it has a median square, else the nearest in yaw."""
    yaw = CAMERAS[camera]
    return min(medians, key=lambda other: (abs(CAMERAS[other] - yaw), abs(CAMERAS[other]), other))


def _median(squares: Sequence[Square]) -> Square:
    return Square(*(round(median(values), 2) for values in zip(*squares, strict=True)))


def _similar(one: Square, other: Square) -> bool:
    ratio = one.side / other.side
    shift = math.hypot(one.x - other.x, one.y - other.y) / other.side
    return 1 / _MAX_SCALE <= ratio <= _MAX_SCALE and shift <= _MAX_SHIFT
