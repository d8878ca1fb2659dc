"""Frontal face from a photograph and its projection: sampling, visibility, soft symmetry."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.faces.landmarks.bundle import FloatArray
from hallucinators.hassner.pose import project
from hallucinators.hassner.surface import SIDE, Reference

Symmetry = Literal["auto", "always", "never"]

_PUBLISHED = 320  # side of the published frame, for which the published constants are
_SCALE = SIDE / _PUBLISHED
THRESHOLD = 800 * _SCALE**2
"""Difference in hits between both halves of the head above which symmetry is used: 800 in the published frame."""


def frontalise(
    photo: FloatArray, projection: NDArray[np.float64], reference: Reference, symmetry: Symmetry = "auto"
) -> FloatArray:
    """Frontalise the face of a photograph.

    Args:
        photo: RGB float32 (h, w, 3), any range; its face about as large as the reference's.
        projection: float64 (3, 4) from the reference to its pixels.
        reference: the generic head.
        symmetry: whether the more hidden side is filled from the other one: if the difference is large (``auto``),
            always, or never.

    Returns:
        RGB float32 (128, 128, 3), not clipped: bicubic sampling overshoots.

    Source: Hassner et al. 2015, sections 3.2 and 3.3, with the weights of the published code.
    """
    positions, _ = project(projection, reference.surface)
    raw = sample(photo, positions)
    if symmetry == "never":
        return raw
    hidden = hidden_share(photo.shape[:2], positions, reference.head)
    more_left = float(hidden[:, : SIDE // 2].sum() - hidden[:, SIDE // 2 :].sum())
    if symmetry == "auto" and abs(more_left) <= THRESHOLD:
        return raw
    return apply_soft_symmetry(raw, hidden, reference.eyes, left_is_hidden=more_left > 0)


def sample(photo: FloatArray, positions: NDArray[np.float64]) -> FloatArray:
    """Bicubic interpolation at (H, W, 2) pixels; beyond the photograph its border repeats."""
    import cv2

    maps = positions.astype(np.float32)
    values = cv2.remap(photo, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32)


def hidden_share(
    shape: tuple[int, ...], positions: NDArray[np.float64], head: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How hidden each pixel of the head is: the number of output pixels with the same source pixel, blurred.

    This is the published estimate, not a depth test: stretched pixels count as hidden, and a wrong pose gives no hard
    edge between visible and hidden parts.

    Args:
        shape: height and width of the photograph.
        positions: (128, 128, 2), source position of each output pixel.
        head: bool (128, 128).

    Returns:
        float64 (128, 128), about 1 where the surface faces the camera; 0 beside the head.
    """
    limits = np.array([shape[1] - 1, shape[0] - 1])
    nearest = np.rint(positions).clip(0, limits).astype(np.int64)
    inside = head & (np.rint(positions) == nearest).all(2)
    source = nearest[..., 1] * shape[1] + nearest[..., 0]
    hits = np.bincount(source[inside], minlength=shape[0] * shape[1])[source] * inside
    hits[head & ~inside] = hits.max()  # parts outside the photograph
    return _blur(hits.astype(np.float64), 15, 30)


def apply_soft_symmetry(
    raw: FloatArray, hidden: NDArray[np.float64], eyes: FloatArray, *, left_is_hidden: bool
) -> FloatArray:
    """Fill the hidden side from the other one, in proportion to how hidden it is; the eyes are not changed.

    With the published weights a pixel keeps a share between e^-1.5 and e^-0.5 of its value: an object in front of a
    hidden cheek remains visible.

    Args:
        raw: RGB float32 (128, 128, 3), the frontal face as sampled.
        hidden: float64 (128, 128), see `hidden_share`.
        eyes: float32 (128, 128) in [0, 1], 1 where the result is ``raw``.
        left_is_hidden: which half, of the image, is filled.

    Returns:
        RGB float32 (128, 128, 3).
    """
    halves = np.full((SIDE, SIDE), float(not left_is_hidden))
    halves[:, SIDE // 2 :] = left_is_hidden
    visible = _blur(halves, 33, 60.5)
    direct = 1 / np.exp(0.5 + hidden / max(float(hidden.max()), 1e-9))
    weights = np.stack([visible + direct * visible[:, ::-1], (1 - direct) * visible[:, ::-1]])
    straight, mirrored = (weights / weights.sum(0))[..., None]
    mixed = raw * straight + raw[:, ::-1] * mirrored
    return np.asarray(mixed + (raw - mixed) * eyes[..., None], np.float32)


def _blur(values: NDArray[np.float64], kernel: int, sigma: float) -> NDArray[np.float64]:
    """Gaussian blur with the constants of the published frame, scaled to ours; borders repeat."""
    import cv2

    side = 2 * round((kernel - 1) / 2 * _SCALE) + 1
    blurred = cv2.GaussianBlur(values, (side, side), sigma * _SCALE, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float64)
