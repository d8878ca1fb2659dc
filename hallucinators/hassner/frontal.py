"""From a photograph and its projection to the frontal face: sampling, hidden parts, soft symmetry."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.faces.landmarks.bundle import FloatArray
from hallucinators.hassner.pose import project
from hallucinators.hassner.surface import SIDE, Reference

Symmetry = Literal["auto", "always", "never"]

_PUBLISHED = 320  # side of the published frame, to which the published numbers belong
_SCALE = SIDE / _PUBLISHED
THRESHOLD = 800 * _SCALE**2
"""Hits by which the halves of the head must differ before symmetry is used: 800 of a published frame's pixels."""


def frontalise(
    photo: FloatArray, projection: NDArray[np.float64], reference: Reference, symmetry: Symmetry = "auto"
) -> FloatArray:
    """Turn a photograph's face to the front.

    Args:
        photo: RGB float32 (h, w, 3), any range; its face about as large as the reference's.
        projection: float64 (3, 4) from the reference to its pixels.
        reference: the generic head.
        symmetry: whether the side that is hidden more is filled from the other one: where it is clearly the more
            hidden one (``auto``), whatever the difference, or not at all.

    Returns:
        RGB float32 (128, 128, 3), not clipped: bicubic sampling overshoots.

    Source: Hassner et al. 2015, sections 3.2 and 3.3, with the weights of the published code.
    """
    places, _ = project(projection, reference.surface)
    raw = sample(photo, places)
    if symmetry == "never":
        return raw
    hidden = hidden_share(photo.shape[:2], places, reference.head)
    more_left = float(hidden[:, : SIDE // 2].sum() - hidden[:, SIDE // 2 :].sum())
    if symmetry == "auto" and abs(more_left) <= THRESHOLD:
        return raw
    return softly_symmetric(raw, hidden, reference.eyes, left_is_hidden=more_left > 0)


def sample(photo: FloatArray, places: NDArray[np.float64]) -> FloatArray:
    """Bicubic look-up at (H, W, 2) pixels; beyond the photograph its border repeats."""
    import cv2

    maps = places.astype(np.float32)
    found = cv2.remap(photo, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def hidden_share(shape: tuple[int, ...], places: NDArray[np.float64], head: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far each pixel of the head is hidden: how many output pixels take the same pixel of the photograph, blurred.

    The published estimate, not a depth test: pixels that are stretched, and so badly seen, count as those that are
    hidden, and a wrong pose gives no hard edge between the two.

    Args:
        shape: height and width of the photograph.
        places: (128, 128, 2), where each output pixel looks.
        head: bool (128, 128).

    Returns:
        float64 (128, 128), about 1 where the face is seen from the front; 0 beside the head.
    """
    limits = np.array([shape[1] - 1, shape[0] - 1])
    nearest = np.rint(places).clip(0, limits).astype(np.int64)
    inside = head & (np.rint(places) == nearest).all(2)
    source = nearest[..., 1] * shape[1] + nearest[..., 0]
    hits = np.bincount(source[inside], minlength=shape[0] * shape[1])[source] * inside
    hits[head & ~inside] = hits.max()  # what the photograph does not show at all
    return _blurred(hits.astype(np.float64), 15, 30)


def softly_symmetric(
    raw: FloatArray, hidden: NDArray[np.float64], eyes: FloatArray, *, left_is_hidden: bool
) -> FloatArray:
    """Fill the hidden side from the other one, the more the more it is hidden; the eyes stay.

    By the published weights at least e^-1.5 of a pixel stays its own and at most e^-0.5 of the hidden side does: what
    lies before a hidden cheek shows through.

    Args:
        raw: RGB float32 (128, 128, 3), the frontal face as sampled.
        hidden: float64 (128, 128), see `hidden_share`.
        eyes: float32 (128, 128) in [0, 1], where the result is ``raw``.
        left_is_hidden: which half, of the image, is filled.

    Returns:
        RGB float32 (128, 128, 3).
    """
    halves = np.full((SIDE, SIDE), float(not left_is_hidden))
    halves[:, SIDE // 2 :] = left_is_hidden
    seen = _blurred(halves, 33, 60.5)
    own = 1 / np.exp(0.5 + hidden / max(float(hidden.max()), 1e-9))
    weights = np.stack([seen + own * seen[:, ::-1], (1 - own) * seen[:, ::-1]])
    straight, mirrored = (weights / weights.sum(0))[..., None]
    mixed = raw * straight + raw[:, ::-1] * mirrored
    return np.asarray(mixed + (raw - mixed) * eyes[..., None], np.float32)


def _blurred(values: NDArray[np.float64], kernel: int, sigma: float) -> NDArray[np.float64]:
    """Blurred by a Gaussian of the published frame, brought to ours; borders repeat."""
    import cv2

    side = 2 * round((kernel - 1) / 2 * _SCALE) + 1
    blurred = cv2.GaussianBlur(values, (side, side), sigma * _SCALE, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float64)
