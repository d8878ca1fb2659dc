"""Smooth warps between two sets of landmarks: regularised thin-plate splines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.images import ByteImages, FloatImages

Matrix = NDArray[np.float64]

_STEP = 3


def spline(knots: Matrix, at: Matrix, *, smooth: float = 0.5) -> Matrix:
    """The matrix that interpolates: values at ``at`` = matrix @ values at ``knots``.

    Args:
        knots: (K, 2) positions, at least 3 not on a line.
        at: (M, 2) positions.
        smooth: ridge on the kernel; prevents folds where nearly coincident knots (closed lips) move differently.

    Returns:
        float64 (M, K).

    Source: Bookstein 1989, Principal warps, IEEE PAMI 11(6), eq. (1) to (5), with a ridge on the kernel.
    """
    return _features(at, knots) @ _solve(knots, np.eye(len(knots)), smooth)


def smooth_map(knots: Matrix, values: Matrix, side: int, *, smooth: float) -> Matrix:
    """Positions for `remap`, (side * side, 2): the spline through ``values`` at ``knots``, on every third pixel.

    Other pixels are interpolated, which has no visible effect and takes a tenth of the time.
    """
    import cv2

    count = (side + 2) // _STEP + 1
    coarse = _features(pixel_grid(count) * _STEP, knots) @ _solve(knots, values, smooth)
    at = (pixel_grid(side) / _STEP).reshape(side, side, 2).astype(np.float32)
    fine = cv2.remap(coarse.reshape(count, count, 2).astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_CUBIC)
    return np.asarray(fine, np.float64).reshape(-1, 2)


def pixel_grid(side: int) -> Matrix:
    """Centres of a square image's pixels, (side * side, 2) as x, y."""
    rows, columns = np.mgrid[0:side, 0:side]
    return np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float64)


def remap(image: ByteImages | FloatImages, where: Matrix, side: int) -> NDArray[np.float32]:
    """Sample an image (h, w, 3) at (side * side, 2) positions x, y: float32 (side, side, 3); borders repeat."""
    import cv2

    maps = where.reshape(side, side, 2).astype(np.float32)
    sampled = cv2.remap(
        image.astype(np.float32), maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(sampled, np.float32)


def _features(at: Matrix, knots: Matrix) -> Matrix:
    return np.hstack([_kernel(at, knots), np.ones((len(at), 1)), at])


def _solve(knots: Matrix, values: Matrix, smooth: float) -> Matrix:
    """Weights of the features, (K + 3, C), for values (K, C) at the knots."""
    count = len(knots)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(knots, knots) + smooth * np.eye(count)
    system[:count, count:] = np.hstack([np.ones((count, 1)), knots])
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, values.shape[1]))]))
    return np.asarray(weights, np.float64)


def _kernel(one: Matrix, other: Matrix) -> Matrix:
    """r^2 log r for every pair of positions, without an array of differences."""
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    squared = np.maximum(squared, 1e-12)
    kernel: Matrix = 0.5 * squared * np.log(squared)
    return kernel
