"""From five points to the 128 x 128 face crop of TP-GAN; for faces without points, the square usual in their camera."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import numpy as np

from bench.errors import DataError
from bench.media.similarity import Matrix, resized_points
from bench.types import Cut, FaceTemplate, Points
from protocols.multipie.files import Take
from protocols.multipie.tables import CAMERAS

SIDE = 128
EYES, EYES_TO_MOUTH = (64.0, 40.0), 48.0
_MOST_TILT_DEG = 30.0
_ENOUGH = 3  # faces of a camera that make a usual square
_MOST_SCALE = 1.5
_MOST_SHIFT = 0.5  # sides


class Square(NamedTuple):
    """A square in an image: middle and side, pixels, origin at the first pixel's centre."""

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
        points: the face's five points in the image; None where the usual square serves.
        square: that square, where it does.
    """

    points: Points | None
    square: Square | None = None

    def cut(self, lr: int) -> Cut:
        """The cut to 128 x 128, then to ``lr`` unless that is 0."""
        if self.points is None:
            return Cut(box=self.square.box if self.square else None, side=lr or SIDE)
        return Cut(points=self.points, face=FaceTemplate(SIDE, SIDE, self.laid()), side=lr or None)

    def laid(self) -> Points:
        """Where the points come to lie in the crop; none where there are none."""
        if self.points is None:
            return ()
        laid = np.asarray(self.points) @ similarity(self.points)[:, :2].T + similarity(self.points)[:, 2]
        return tuple((float(x), float(y)) for x, y in laid)

    def landmarks(self, lr: int) -> Points | None:
        """The points in pixels of what the cut gives."""
        if self.points is None:
            return None
        return resized_points(self.laid(), (SIDE, SIDE), (lr or SIDE, lr or SIDE))


def similarity(points: Points) -> Matrix:
    """The similarity of TP-GAN's crop: eyes level, their middle at (64, 40), the mouth's 48 pixels lower.

    Args:
        points: eyes, nose, mouth corners.

    Returns:
        float64 (2, 3), image to crop.

    Raises:
        DataError: the mouth is not below the eyes, or a point is not finite.

    Source: face_db_align_single_custom.m of TP-GAN (Huang et al. 2017); not rounded to whole pixels here.
    """
    found = np.asarray(points, np.float64)
    if found.shape != (5, 2) or not np.isfinite(found).all():
        raise DataError("five finite points are needed")
    eyes, mouth = found[:2].mean(0), found[3:].mean(0)
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
    """The square that the crop by points takes out of the image, as if it were upright."""
    matrix = similarity(points)
    middle = np.linalg.solve(matrix[:, :2], (SIDE - 1) / 2 - matrix[:, 2])
    return Square(float(middle[0]), float(middle[1]), SIDE / math.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def crops(found: Mapping[Take, Points | None]) -> tuple[dict[Take, Crop], int]:
    """A crop for every take.

    Points are not trusted where the eyes tilt by more than 30 degrees (in profile views the two fall together) or the
    square differs from what is usual in the camera (median, from three faces on) by a factor of 1.5, or by half its
    side. Then, and where no face was found, the usual square of the camera serves, or of the nearest camera in which
    faces were found.

    Returns:
        The crops, and how many takes had points that were not trusted.

    Raises:
        DataError: there are takes, and not one face was found.
    """
    squares: dict[Take, Square] = {}
    for take, points in found.items():
        if points is not None and abs(math.degrees(tilt_rad(points))) <= _MOST_TILT_DEG:
            try:
                squares[take] = square_of(points)
            except DataError:
                continue
    cameras: dict[str, list[Square]] = defaultdict(list)
    for take, square in squares.items():
        cameras[take.camera].append(square)
    usual = {camera: _median(squares) for camera, squares in cameras.items()}
    if found and not usual:
        raise DataError(
            f"No face was found in any of {len(found)} takes of Multi-PIE, so nothing says where the faces are. Are "
            "these the images of the database?"
        )
    trusted = {
        take: points
        for take, points in found.items()
        if points is not None
        and take in squares
        and (len(cameras[take.camera]) < _ENOUGH or _alike(squares[take], usual[take.camera]))
    }
    made = {
        take: Crop(trusted[take]) if take in trusted else Crop(None, usual[_nearest(take.camera, usual)])
        for take in found
    }
    return made, sum(points is not None for points in found.values()) - len(trusted)


def _nearest(camera: str, usual: Mapping[str, Square]) -> str:
    """The camera itself where it can be, else the nearest in yaw."""
    yaw = CAMERAS[camera]
    return min(usual, key=lambda other: (abs(CAMERAS[other] - yaw), abs(CAMERAS[other]), other))


def _median(squares: Sequence[Square]) -> Square:
    return Square(*(round(median(values), 2) for values in zip(*squares, strict=True)))


def _alike(one: Square, other: Square) -> bool:
    ratio = one.side / other.side
    shift = math.hypot(one.x - other.x, one.y - other.y) / other.side
    return 1 / _MOST_SCALE <= ratio <= _MOST_SCALE and shift <= _MOST_SHIFT
