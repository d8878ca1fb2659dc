"""One photograph as a square face with its landmarks, as a pack holds it, or why it is rejected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.align.template import FRAMES, TRUTH_FRAME
from bench.errors import DataError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks, why_unusable
from bench.faces.landmarks.points import five_points
from bench.images import ByteImages, read_image, resize
from bench.media.similarity import fit_similarity, warp_bicubic

SIDE = 128
MESH = 478
"""Landmarks of the engine; those of another landmarker follow."""


@dataclass(frozen=True)
class FramedFace:
    """A usable photograph.

    Attributes:
        face: the square face, RGB uint8 (s, s, 3).
        points: its landmarks, float32 (478 or more, 3), in pixels of ``face``.
        photograph: the photograph itself, RGB uint8 (h, w, 3).
        landmarks: of the photograph.
    """

    face: ByteImages
    points: NDArray[np.float32]
    photograph: ByteImages
    landmarks: Landmarks


def framed_face(
    path: Path,
    landmarker: Landmarker,
    most_yaw_deg: float,
    margin: int | None,
    outline: tuple[str, Landmarker] | None,
) -> tuple[str, FramedFace | None]:
    """The reason why a photograph is rejected, or its face and points; for arguments see `bench.faces.pairs.pack`."""
    try:
        image = read_image(path)
    except DataError as error:
        return str(error), None
    landmarks = landmarker.find([image])[0]
    reason = why_unusable(landmarks, *image.shape[:2], most_yaw_deg=most_yaw_deg)
    if landmarks is None or reason:
        return reason or "no face", None
    points = landmarks.points
    if outline is not None:
        other = outline[1].find([image])[0]
        if other is None:
            return f"no 68 points by {outline[0]}", None
        points = np.concatenate([points, np.nan_to_num(other.points)])  # their depth is not known
    if margin is not None:
        return "", FramedFace(*_align_to_frame(image, points, margin), image, landmarks)
    height, width = image.shape[:2]
    longer = max(height, width)
    top, left = (longer - height) // 2, (longer - width) // 2
    square = np.pad(image, ((top, longer - height - top), (left, longer - width - left), (0, 0)), mode="edge")
    scale = SIDE / longer
    points = points.astype(np.float64) + np.array([left + 0.5, top + 0.5, 0.0])
    points = points * scale - np.array([0.5, 0.5, 0.0])
    return "", FramedFace(resize(square, SIDE, SIDE), points.astype(np.float32), image, landmarks)


def _align_to_frame(
    image: ByteImages, landmarks: NDArray[np.float32], margin: int
) -> tuple[ByteImages, NDArray[np.float32]]:
    """Align a photograph and its points to the frame of hallucinated faces; mirrored beyond its border."""
    side = SIDE + 2 * margin
    target = np.array(FRAMES[TRUTH_FRAME]) * SIDE - 0.5 + margin
    five = five_points(landmarks[:MESH])[:, :2].astype(np.float64)
    matrix = fit_similarity(tuple(map(tuple, five)), tuple(map(tuple, target)))
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 1:  # antialiased: shrunk to the frame's size first
        height, width = (max(2, round(length * scale)) for length in image.shape[:2])
        grow = np.array([image.shape[1] / width, image.shape[0] / height])
        step = np.array([[grow[0], 0, grow[0] / 2 - 0.5], [0, grow[1], grow[1] / 2 - 0.5], [0, 0, 1]])
        image, from_small = resize(image, height, width), matrix @ step
    else:
        from_small = matrix
    moved = warp_bicubic(image, from_small, side)
    points = landmarks.astype(np.float64)
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] *= scale
    return moved, points.astype(np.float32)
