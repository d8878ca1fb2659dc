"""Five points, 68 points and the head's pose, derived from the 478 points of the mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.faces.landmarks.bundle import CanonicalMesh, FloatArray

RIGHT_IRIS, LEFT_IRIS = 468, 473  # centres; right and left are the person's
_NOSE_TIP, _RIGHT_MOUTH, _LEFT_MOUTH = 1, 61, 291

# Vertex of each of the 68 points of iBUG 300-W (Sagonas et al. 2013): jaw from the person's right ear to the left,
# brows, nose, eyes, outer and inner lips. The vertex whose mean distance to dlib's point over 264 near-frontal UTKFace
# photographs is least, the two sides of the face alike.
SIXTY_EIGHT = (
    *(127, 234, 177, 215, 172, 136, 149, 148, 152, 377, 378, 365, 397, 435, 401, 454, 356),
    *(70, 63, 105, 66, 55, 285, 296, 334, 293, 300),
    *(168, 197, 5, 4, 240, 97, 2, 326, 460),
    *(33, 160, 158, 155, 153, 144, 382, 385, 387, 263, 373, 380),
    *(61, 74, 37, 11, 267, 304, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)


def five_points(points: FloatArray) -> FloatArray:
    """Eye centres (irises), nose tip and mouth corners in the order of the recognisers' templates.

    Args:
        points: float32 (478, 2 or more) of the mesh, or (68, 2 or more) of iBUG.

    Returns:
        float32 (5, 2): the eye at the image's left first, then the other, nose tip, mouth corner left, right.

    Raises:
        DataError: there are neither 478 nor 68 points.
    """
    if len(points) == 478:
        chosen = points[[RIGHT_IRIS, LEFT_IRIS, _NOSE_TIP, _RIGHT_MOUTH, _LEFT_MOUTH], :2]
    elif len(points) == 68:
        eyes = [points[36:42, :2].mean(0), points[42:48, :2].mean(0)]
        chosen = np.stack([*eyes, points[30, :2], points[48, :2], points[54, :2]])
    else:
        raise DataError(f"Five points are derived from 478 or 68 points, not {len(points)}")
    return chosen.astype(np.float32)


def sixty_eight_points(points: FloatArray) -> FloatArray:
    """The 68 points of iBUG 300-W: float32 (478, 3) to (68, 3); 68 points are returned unchanged.

    Raises:
        DataError: there are neither 478 nor 68 points.
    """
    if len(points) == 68:
        return points
    if len(points) != 478:
        raise DataError(f"68 points are derived from 478 points, not {len(points)}")
    return points[list(SIXTY_EIGHT)]


def rotation(yaw_deg: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> NDArray[np.float64]:
    """Rotation matrix (3, 3): pitch, then yaw, then roll in the image plane.

    x points to the image's right, y down, z away from the camera. Positive yaw turns the face to the image's right,
    positive pitch looks up, positive roll turns clockwise.
    """
    yaw, pitch, roll = np.deg2rad([yaw_deg, pitch_deg, roll_deg])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(tilt @ turn @ nod)


def angles(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a rotation matrix (3, 3): the inverse of `rotation`, yaw in [-90, 90]."""
    yaw = np.arcsin(np.clip(matrix[2, 0], -1, 1))
    pitch = np.arctan2(-matrix[2, 1], matrix[2, 2])
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    yaw_deg, pitch_deg, roll_deg = np.rad2deg([yaw, pitch, roll])
    return float(yaw_deg), float(pitch_deg), float(roll_deg)


def head_rotation(points: FloatArray, mesh: CanonicalMesh) -> NDArray[np.float64]:
    """Rotation (3, 3) of the rigid fit of the canonical mesh to the points, under weak perspective.

    Args:
        points: float32 (478, 3) in pixels.
        mesh: the canonical mesh, with the weights of its vertices.

    Raises:
        DataError: the points are not finite or coincide.

    Source: Umeyama 1991, IEEE TPAMI 13(4), eqs. (40)-(42), weighted.
    """
    used = mesh.weights > 0
    weights = (mesh.weights[used] / mesh.weights.sum()).astype(np.float64)[:, None]
    model, seen = mesh.vertices[used].astype(np.float64), points[: len(mesh.vertices)][used].astype(np.float64)
    model, seen = model - (weights * model).sum(0), seen - (weights * seen).sum(0)
    if not np.isfinite(seen).all() or np.square(seen).sum() < 1e-6:
        raise DataError("A head pose needs finite points that do not all coincide")
    left, _, right = np.linalg.svd((weights * seen).T @ model)
    mirrored = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    return np.asarray((left * mirrored) @ right)
