"""Camera pose: a projection matrix from 2D landmarks and the same points of the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOCAL = 4.7
"""Focal length over the longer side of the image. The published 492.3 pixels are for photographs of LFW, whose eyes
are 42 pixels apart: 11.7 times that, and in our frame the eyes are 0.4 of the side apart. It is relative to the size of
the image, so that one camera serves photographs of all sizes; the published code fails on large ones."""
_WORST = 0.1  # of the longer side: mean reprojection error above which a pose is rejected
_LEAST = 6  # least number of points of the solver


def camera(height: int, width: int) -> NDArray[np.float64]:
    """Intrinsics (3, 3) of an image of that size; the optical axis passes through its middle."""
    focal = FOCAL * max(height, width)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def find_projection(
    image_points: NDArray[np.floating], points: NDArray[np.float64], intrinsics: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Estimate the pose of the reference in a photograph.

    Args:
        image_points: (K, 2) pixels, origin at the centre of the top-left one; K of 6 or more.
        points: (K, 3), the same points of the reference.
        intrinsics: (3, 3), see `camera`.

    Returns:
        Projection A [R | t], float64 (3, 4); None without a pose that has the reference in front of the camera and
        near the points.

    Source: Hassner et al. 2015, eqs. (1) and (2). A closed form (Terzakis and Lourakis 2020) gives the initial pose,
    the Levenberg-Marquardt method refines it.
    """
    import cv2

    image, model = np.ascontiguousarray(image_points, np.float64), np.ascontiguousarray(points, np.float64)
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
    pixels, depth = project(projection, model)
    error = np.hypot(*(pixels - image).T).mean()
    good = bool(np.isfinite(matrix).all() and depth.min() > 0 and error <= _WORST * np.ptp(image, axis=0).max())
    return projection if good else None


def project(
    projection: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (..., 2) of points (..., 3), and their depths (...), in the unit of the points."""
    flat = points @ projection[:, :3].T + projection[:, 3]
    return flat[..., :2] / flat[..., 2:], flat[..., 2]


def magnification(projection: NDArray[np.float64]) -> float:
    """Pixels per unit of length at the reference's origin, parallel to the image."""
    focal = float(np.linalg.norm(projection[0, :3] - projection[2, :3] * (projection[0, :3] @ projection[2, :3])))
    return focal / float(projection[2, 3])


def scale_projection(projection: NDArray[np.float64], down: float, across: float) -> NDArray[np.float64]:
    """The projection into the same photograph resized to ``down`` times its height and ``across`` times its width."""
    resizing = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    return np.asarray(resizing @ projection)
