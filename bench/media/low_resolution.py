"""How an LR face is made of a larger one: one place for evaluation, training pairs, canaries and cuts."""

from __future__ import annotations

import numpy as np

from bench.images import ByteImages, FloatImages, resize, resize_float


def to_low_resolution(face: ByteImages, side: int) -> ByteImages:
    """Shrink a face by Pillow's antialiased bicubic kernel, as the paper's LR faces are made.

    Args:
        face: RGB uint8 (H, W, 3).
        side: of the square LR face, in pixels.

    Returns:
        RGB uint8 (side, side, 3).
    """
    return resize(face, side, side)


def to_low_resolution_batch(faces: ByteImages, side: int) -> FloatImages:
    """Shrink many faces for training, rounded to 8 bits as a stored LR face is.

    Args:
        faces: RGB uint8 (N, H, W, 3).
        side: as above.

    Returns:
        float32 (N, 3, side, side) in [0, 1], multiples of 1/255.
    """
    small = resize_float(faces.transpose(0, 3, 1, 2).astype(np.float32), side, side)
    rounded: FloatImages = np.rint(small.clip(0, 255)).astype(np.float32) / np.float32(255)
    return rounded
