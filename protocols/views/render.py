"""The pictures behind `protocols.views.turned`: find the frontal face, bring it to its frame, turn it, move it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import DataError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks, why_unusable
from bench.faces.landmarks.points import five_points, rotation
from bench.faces.pairs.pairs import Jitter, in_lr, random_similarity, turned_five
from bench.faces.render.mesh import head_mesh
from bench.faces.render.pose import prepare, views
from bench.images import ByteImages, resize
from bench.media.similarity import Matrix, fit_similarity, warp_bicubic
from bench.types import Media, Points
from protocols.views.recipe import Photograph

_SIDE = 128
_AROUND = 32  # pixels of the photograph kept on each side while the head turns: hair and ears that come into view


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is made of one frontal face.

    Attributes:
        truth: RGB uint8 (128, 128, 3).
        five: its five points.
        views: yaw in degrees, RGB uint8 (128, 128, 3), its five points.
    """

    truth: ByteImages
    five: Points
    views: tuple[tuple[float, ByteImages, Points], ...]


def find_frontal(
    photograph: Photograph, landmarker: Landmarker, *, most_yaw_deg: float, most_roll_deg: float
) -> tuple[ByteImages, Landmarks]:
    """The first cut of a photograph that shows an upright frontal face, and its points.

    Args:
        photograph: file and cuts.
        landmarker: finds the points.
        most_yaw_deg: a face turned further is no frontal one.
        most_roll_deg: a face tilted further is not upright.

    Returns:
        RGB uint8 (h, w, 3) and 478 points in its pixels.

    Raises:
        DataError: none does; the reason of the first cut, in a few words and without names.
    """
    from bench.pipeline.reader import open_media

    first = ""
    for cut in photograph.cuts:
        reason: str | None
        try:
            image = open_media(Media("", photograph.path, "gallery", None, "", cut=cut))
            found = landmarker.find([image])[0]
        except DataError as error:
            reason = str(error)
        else:
            reason = why_unusable(found, *image.shape[:2], most_yaw_deg=most_yaw_deg)
            if found is not None and reason is None and not abs(found.roll_deg) <= most_roll_deg:
                reason = "not upright"
            if found is not None and reason is None:
                return image, found
        first = first or str(reason)
    raise DataError(first or "no frontal view")


def render(
    image: ByteImages,
    found: Landmarks,
    *,
    aim: Points,
    yaws_deg: Sequence[float],
    jitter: Jitter | None,
    seed: Sequence[int],
) -> Rendered:
    """Bring a face to its frame and turn it.

    Args:
        image: RGB uint8 (h, w, 3).
        found: 478 points of its face.
        aim: where the five points shall lie in the frontal face of 128 x 128 pixels.
        yaws_deg: turns; positive turns the face to the image's right.
        jitter: ranges of the similarity of views, or None for none.
        seed: of the similarities.

    Raises:
        DataError: the points are unusable.
    """
    matrix = fit_similarity(_as_points(five_points(found.points)), aim)
    matrix[:, 2] += _AROUND
    canvas = _brought(image, matrix, _SIDE + 2 * _AROUND)
    points = found.points.copy()
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] *= _scale(matrix)
    moved = Landmarks(points, found.yaw_deg, found.pitch_deg, found.roll_deg, found.expression, 1.0, 1)
    portrait = prepare(canvas, moved, canvas.shape[0], oversample=1)
    turned = views([portrait], [rotation(yaw) for yaw in yaws_deg])
    pivot = head_mesh(moved).pivot
    rng = np.random.default_rng(list(seed))
    made = []
    for yaw, view in zip(yaws_deg, turned, strict=True):
        similarity = np.eye(2, 3) if jitter is None else random_similarity(rng, jitter)
        five = in_lr(turned_five(moved, yaw, pivot) - np.float32(_AROUND), _SIDE, similarity)
        made.append((yaw, _taken(view, similarity), _as_points(five)))
    return Rendered(_taken(canvas, np.eye(2, 3)), _as_points(five_points(points) - _AROUND), tuple(made))


def _taken(canvas: ByteImages, similarity: Matrix) -> ByteImages:
    """The inner 128 x 128 pixels of a canvas after a similarity of those: bicubic, borders mirrored."""
    matrix = similarity.copy()
    matrix[:, 2] -= similarity[:, :2] @ np.full(2, float(_AROUND))
    return warp_bicubic(canvas, matrix, _SIDE)


def _brought(image: ByteImages, matrix: Matrix, side: int) -> ByteImages:
    """A similarity of an image, bicubic, borders mirrored; what is shrunk is drawn larger first, then averaged."""
    times = max(1, math.ceil(1 / _scale(matrix)))
    larger = matrix * times
    larger[:, 2] += (times - 1) / 2  # pixel centres
    return resize(warp_bicubic(image, larger, side * times), side, side)


def _scale(matrix: Matrix) -> float:
    return math.hypot(matrix[0, 0], matrix[1, 0])


def _as_points(five: object) -> Points:
    return tuple((float(x), float(y)) for x, y in np.asarray(five))
