"""Rendering for `protocols.views.turned`: detect the frontal face, align it to its frame, turn and move it."""

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
from bench.faces.render.pose import prepare, render_poses
from bench.images import ByteImages, resize
from bench.media.similarity import Matrix, fit_similarity, warp_bicubic
from bench.types import Media, Points
from protocols.views.recipe import Photograph

_SIDE = 128
_BORDER = 32  # pixels of the photograph around the crop while the head turns: hair and ears that come into view


@dataclass(frozen=True, slots=True)
class Rendered:
    """A frontal face and the views rendered from it.

    Attributes:
        truth: the frontal face, RGB uint8 (128, 128, 3).
        five: its five points.
        views: of each the yaw in degrees, the image, RGB uint8 (128, 128, 3), and its five points.
    """

    truth: ByteImages
    five: Points
    views: tuple[tuple[float, ByteImages, Points], ...]


def find_frontal(
    photograph: Photograph, landmarker: Landmarker, *, most_yaw_deg: float, most_roll_deg: float
) -> tuple[ByteImages, Landmarks]:
    """Find the first crop of a photograph that shows an upright frontal face.

    Args:
        photograph: file and crops.
        landmarker: detects the points.
        most_yaw_deg: largest yaw of a frontal face.
        most_roll_deg: largest roll of an upright face.

    Returns:
        RGB uint8 (h, w, 3) and 478 points in its pixels.

    Raises:
        DataError: no crop does; the text is a short reason for the first crop, without file names.
    """
    from bench.pipeline.reader import open_media

    first = ""
    for cut in photograph.cuts:
        reason: str | None
        try:
            image = open_media(Media("", photograph.path, "gallery", None, "", cut=cut))
            landmarks = landmarker.find([image])[0]
        except DataError as error:
            reason = str(error)
        else:
            reason = why_unusable(landmarks, *image.shape[:2], most_yaw_deg=most_yaw_deg)
            if landmarks is not None and reason is None and not abs(landmarks.roll_deg) <= most_roll_deg:
                reason = "not upright"
            if landmarks is not None and reason is None:
                return image, landmarks
        first = first or str(reason)
    raise DataError(first or "no frontal view")


def render(
    image: ByteImages,
    landmarks: Landmarks,
    *,
    aim: Points,
    yaws_deg: Sequence[float],
    jitter: Jitter | None,
    seed: Sequence[int],
) -> Rendered:
    """Align a face to its frame and render it at other yaws.

    Args:
        image: RGB uint8 (h, w, 3).
        landmarks: 478 points of its face.
        aim: target of the five points in the frontal face of 128 x 128 pixels.
        yaws_deg: yaws of the views, degrees; positive turns the face to the image's right.
        jitter: ranges of the random similarity of views, or None for none.
        seed: of the similarities.

    Raises:
        DataError: the points are unusable.
    """
    matrix = fit_similarity(_as_points(five_points(landmarks.points)), aim)
    matrix[:, 2] += _BORDER
    canvas = _warp_antialiased(image, matrix, _SIDE + 2 * _BORDER)
    points = landmarks.points.copy()
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] *= _scale(matrix)
    pose = landmarks.yaw_deg, landmarks.pitch_deg, landmarks.roll_deg
    aligned = Landmarks(points, *pose, landmarks.expression, 1.0, 1)
    portrait = prepare(canvas, aligned, canvas.shape[0], oversample=1)
    turned = render_poses([portrait], [rotation(yaw) for yaw in yaws_deg])
    pivot = head_mesh(aligned).pivot
    rng = np.random.default_rng(list(seed))
    views = []
    for yaw, view in zip(yaws_deg, turned, strict=True):
        similarity = np.eye(2, 3) if jitter is None else random_similarity(rng, jitter)
        five = in_lr(turned_five(aligned, yaw, pivot) - np.float32(_BORDER), _SIDE, similarity)
        views.append((yaw, _crop_moved(view, similarity), _as_points(five)))
    return Rendered(_crop_moved(canvas, np.eye(2, 3)), _as_points(five_points(points) - _BORDER), tuple(views))


def _crop_moved(canvas: ByteImages, similarity: Matrix) -> ByteImages:
    """The inner 128 x 128 pixels of a canvas after a similarity in their coordinates; bicubic, borders mirrored."""
    matrix = similarity.copy()
    matrix[:, 2] -= similarity[:, :2] @ np.full(2, float(_BORDER))
    return warp_bicubic(canvas, matrix, _SIDE)


def _warp_antialiased(image: ByteImages, matrix: Matrix, side: int) -> ByteImages:
    """Apply a similarity, bicubic, borders mirrored; one that shrinks is rendered larger first, then resized."""
    times = max(1, math.ceil(1 / _scale(matrix)))
    larger = matrix * times
    larger[:, 2] += (times - 1) / 2  # pixel centres
    return resize(warp_bicubic(image, larger, side * times), side, side)


def _scale(matrix: Matrix) -> float:
    return math.hypot(matrix[0, 0], matrix[1, 0])


def _as_points(five: object) -> Points:
    return tuple((float(x), float(y)) for x, y in np.asarray(five))
