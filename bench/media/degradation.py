"""LR images as cameras and files make them: kernel, blur, noise and JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.images import ByteImages, FloatImages, resize_float

Kernel = Literal["bicubic", "bilinear", "area"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)


@dataclass(frozen=True, slots=True)
class Shrinking:
    """How one image is reduced.

    Attributes:
        kernel: ``bicubic`` (antialiased, as the LR faces of protocols are made), ``bilinear`` (antialiased) or ``area``
            (the mean of each area).
        blur_px: standard deviation of a Gaussian blur before the reduction, pixels of the larger image; 0 for none.
        noise: standard deviation of Gaussian noise after it, for images in [0, 255]; 0 for none.
        jpeg: quality of a JPEG compression at the end, 1 to 95; 0 for none.
    """

    kernel: Kernel = "bicubic"
    blur_px: float = 0.0
    noise: float = 0.0
    jpeg: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: one is out of range.
        """
        if self.kernel not in KERNELS:
            raise UsageError(f"There is no kernel {self.kernel!r}; known are {', '.join(KERNELS)}.")
        for name, value, most in (("blur", self.blur_px, 50.0), ("noise", self.noise, 255.0), ("jpeg", self.jpeg, 95)):
            if not 0 <= value <= most:
                raise UsageError(f"{name} is {value:g}; it must be from 0 to {most:g}.")


def shrink(
    image: ByteImages, height: int, width: int, shrinking: Shrinking, rng: np.random.Generator | None = None
) -> ByteImages:
    """Reduce an image; rounded to 8 bits after the noise.

    Args:
        image: RGB uint8 (H, W, 3).
        height: of the result, pixels.
        width: of the result, pixels.
        shrinking: kernel, blur, noise and JPEG.
        rng: random generator of the noise; needed where there is noise.

    Returns:
        RGB uint8 (height, width, 3).
    """
    import cv2

    values: FloatImages = image.astype(np.float32)
    if shrinking.blur_px:
        sigma = shrinking.blur_px
        values = np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
    if shrinking.kernel == "area":
        small: NDArray[Any] = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
    elif shrinking.kernel == "bilinear":
        small = _bilinear(values, height, width)
    else:
        small = resize_float(values.transpose(2, 0, 1)[None], height, width)[0].transpose(1, 2, 0)
    if shrinking.noise:
        if rng is None:
            raise UsageError("Noise needs a random generator.")
        small = small + rng.normal(0, shrinking.noise, small.shape).astype(np.float32)
    stored: ByteImages = np.ascontiguousarray(np.rint(small.clip(0, 255)).astype(np.uint8))
    return _compressed(stored, shrinking.jpeg) if shrinking.jpeg else stored


@dataclass(frozen=True, slots=True)
class Degradation:
    """Random degradations of training images: shares of images, and ranges.

    Attributes:
        blur: share with a Gaussian blur before the reduction.
        most_blur_px: largest standard deviation of the blur, pixels of the larger image.
        area: share that is reduced by the mean of each area.
        bilinear: share that is reduced by the bilinear kernel; the others by the bicubic one.
        noise: share with Gaussian noise after the reduction.
        most_noise: largest standard deviation of the noise, for images in [0, 255].
        jpeg: share that is compressed.
        quality: smallest and largest quality of the JPEG.
    """

    blur: float = 0.15
    most_blur_px: float = 1.2
    area: float = 0.15
    bilinear: float = 0.2
    noise: float = 0.15
    most_noise: float = 5.0
    jpeg: float = 0.15
    quality: tuple[int, int] = (70, 95)

    def draw(self, rng: np.random.Generator) -> Shrinking:
        """The reduction of one image."""
        blur, kernel, noise, jpeg = rng.random(4)
        return Shrinking(
            "area" if kernel < self.area else "bilinear" if kernel < self.area + self.bilinear else "bicubic",
            rng.uniform(0, self.most_blur_px) if blur < self.blur else 0.0,
            rng.uniform(0, self.most_noise) if noise < self.noise else 0.0,
            int(rng.integers(self.quality[0], self.quality[1] + 1)) if jpeg < self.jpeg else 0,
        )


PLAIN = Degradation(blur=0.0, area=0.0, bilinear=0.0, noise=0.0, jpeg=0.0)
"""Antialiased bicubic alone."""


def degrade(images: ByteImages, side: int, rng: np.random.Generator, degradation: Degradation) -> FloatImages:
    """Reduce images to LR faces, each with its own random degradation; rounded to 8 bits like stored images.

    Args:
        images: RGB uint8 (N, S, S, 3).
        side: of the LR faces, pixels.
        rng: random generator.
        degradation: shares and ranges.

    Returns:
        float32 (N, 3, side, side) in [0, 1].
    """
    small = np.stack([shrink(image, side, side, degradation.draw(rng), rng) for image in images])
    scaled: FloatImages = small.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    return scaled


def _bilinear(values: FloatImages, height: int, width: int) -> FloatImages:
    """Antialiased bilinear reduction of (H, W, 3) to (height, width, 3), by Pillow."""
    from PIL import Image

    bilinear = Image.Resampling.BILINEAR
    planes = [Image.fromarray(values[..., k]).resize((width, height), bilinear) for k in range(3)]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], 2)


def _compressed(image: ByteImages, quality: int) -> ByteImages:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer, formats=["JPEG"]) as decoded:
        return np.asarray(decoded.convert("RGB"), np.uint8)
