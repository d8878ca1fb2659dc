"""Where the camera stood: from 2D landmarks and the same points of the reference to a projection matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOCAL = 4.7
"""Focal length over the longer side of the image. The published 492.3 pixels were meant for photographs of LFW, whose
eyes are 42 pixels apart: 11.7 times that, and in our frame the eyes are 0.4 of the side apart. Tied to the image's
size, so that one camera serves photographs of all sizes; published code fails on large ones."""
_WORST = 0.1  # of the longer side: mean distance of reprojected points above which there is no pose
_LEAST = 6  # pairs of points that the solver needs


def camera(height: int, width: int) -> NDArray[np.float64]:
    """Intrinsics (3, 3) of an image of that size; the optical axis passes through its middle."""
    focal = FOCAL * max(height, width)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def find_projection(
    seen: NDArray[np.floating], points: NDArray[np.float64], intrinsics: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Estimate the pose of the reference in a photograph.

    Args:
        seen: (K, 2) pixels, origin at the centre of the top-left one; K of 6 or more.
        points: (K, 3), the same points of the reference.
        intrinsics: (3, 3), see `camera`.

    Returns:
        Projection A [R | t], float64 (3, 4); None where there is no pose that puts the reference before the camera and
        near the points.

    Source: Hassner et al. 2015, eqs. (1) and (2). A closed form starts (Terzakis and Lourakis 2020, which needs no
    guess), Levenberg and Marquardt's method ends.
    """
    import cv2

    image, model = np.ascontiguousarray(seen, np.float64), np.ascontiguousarray(points, np.float64)
    if len(image) < _LEAST or not np.isfinite(image).all() or np.ptp(image, axis=0).min() < 1e-6:
        return None
    try:
        good, turn, shift = cv2.solvePnP(model, image, intrinsics, None, flags=cv2.SOLVEPNP_SQPNP)
        if not good:
            return None
        turn, shift = cv2.solvePnPRefineLM(model, image, intrinsics, None, turn, shift)
    except cv2.error:
        return None
    matrix = np.hstack([cv2.Rodrigues(turn)[0], shift])
    projection: NDArray[np.float64] = intrinsics @ matrix
    places, depth = project(projection, model)
    error = np.hypot(*(places - image).T).mean()
    good = bool(np.isfinite(matrix).all() and depth.min() > 0 and error <= _WORST * np.ptp(image, axis=0).max())
    return projection if good else None


def project(
    projection: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (..., 2) of points (..., 3), and their depths (...) before the camera, in the points' unit."""
    flat = points @ projection[:, :3].T + projection[:, 3]
    return flat[..., :2] / flat[..., 2:], flat[..., 2]


def magnification(projection: NDArray[np.float64]) -> float:
    """Pixels a unit of length of what faces the camera at the reference's origin."""
    focal = float(np.linalg.norm(projection[0, :3] - projection[2, :3] * (projection[0, :3] @ projection[2, :3])))
    return focal / float(projection[2, 3])


def scaled(projection: NDArray[np.float64], down: float, across: float) -> NDArray[np.float64]:
    """The projection into the same photograph resized to ``down`` times its height and ``across`` times its width."""
    resizing = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    return np.asarray(resizing @ projection)
