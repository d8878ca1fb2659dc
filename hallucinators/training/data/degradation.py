"""LR faces as cameras and files make them: other kernels, blur, noise and JPEG on a share of the images."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.images import resize_float

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Degradation:
    """Shares of images and ranges.

    Attributes:
        blur: share that is blurred by a 3 x 3 mean before it is reduced.
        area: share that is reduced by the mean of each area.
        bilinear: share that is reduced by an antialiased bilinear kernel; the others by an antialiased bicubic one, as
            the LR faces of protocols are.
        noise: share with Gaussian noise after the reduction.
        most_noise: largest standard deviation of the noise, for images in [0, 1].
        jpeg: share that is compressed.
        quality: smallest and largest quality of the JPEG.
    """

    blur: float = 0.15
    area: float = 0.15
    bilinear: float = 0.2
    noise: float = 0.15
    most_noise: float = 0.02
    jpeg: float = 0.15
    quality: tuple[int, int] = (70, 95)


PLAIN = Degradation(blur=0.0, area=0.0, bilinear=0.0, noise=0.0, jpeg=0.0)
"""Antialiased bicubic alone."""


def degrade(images: NDArray[np.uint8], side: int, rng: np.random.Generator, degradation: Degradation) -> FloatArray:
    """Reduce images to LR faces, each with its own random degradation; rounded to 8 bits like stored images.

    Args:
        images: RGB uint8 (N, S, S, 3).
        side: of the LR faces, pixels.
        rng: random generator.
        degradation: shares and ranges.

    Returns:
        float32 (N, 3, side, side) in [0, 1].
    """
    return np.stack([_degrade(image, side, rng, degradation) for image in images])


def _degrade(image: NDArray[np.uint8], side: int, rng: np.random.Generator, d: Degradation) -> FloatArray:
    import cv2

    values: FloatArray = image.astype(np.float32)
    if rng.random() < d.blur:
        values = np.asarray(cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
    kernel = rng.random()
    if kernel < d.area:
        small: NDArray[Any] = cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    elif kernel < d.area + d.bilinear:
        small = _bilinear(values, side)
    else:
        small = resize_float(values.transpose(2, 0, 1)[None], side, side)[0]
    if rng.random() < d.noise:
        deviation = 255 * rng.uniform(0, d.most_noise)
        small = small + rng.normal(0, deviation, small.shape).astype(np.float32)
    stored: NDArray[np.uint8] = np.rint(small.clip(0, 255)).astype(np.uint8)
    if rng.random() < d.jpeg:
        stored = _compressed(stored, int(rng.integers(d.quality[0], d.quality[1] + 1)))
    scaled: FloatArray = stored.astype(np.float32) / np.float32(255)
    return scaled


def _bilinear(values: FloatArray, side: int) -> FloatArray:
    """Antialiased bilinear reduction of (h, w, 3) to (3, side, side), by Pillow."""
    from PIL import Image

    planes = [Image.fromarray(values[..., k]).resize((side, side), Image.Resampling.BILINEAR) for k in range(3)]
    return np.stack([np.asarray(plane, np.float32) for plane in planes])


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compress (3, s, s) as a JPEG and decode it."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer, formats=["JPEG"]) as decoded:
        return np.asarray(decoded.convert("RGB"), np.uint8).transpose(2, 0, 1)
