"""Photographs from painted squares: small and noisy LR faces, or faces placed in a larger scene."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractError
from bench.faces.people.look import Look
from bench.interfaces import ByteImages

Box = tuple[float, float, float, float]
_FEATHER = 0.2  # of half a square's side: width of the border that is blended with the scene


def cut(image: ByteImages, box: Box) -> ByteImages:
    """Crop left, top, right, bottom, rounded; outside the image its border is repeated."""
    left, top, right, bottom = (round(v) for v in box)
    if right <= left or bottom <= top:
        raise ContractError(f"A face box of no size, {box}, came from the painter's five points.")
    rows = np.clip(np.arange(top, bottom), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, right), 0, image.shape[1] - 1)
    return image[np.ix_(rows, columns)]


def low_resolution(face: ByteImages, rng: np.random.Generator, height: int) -> ByteImages:
    """Degrade a tight crop like a distant camera: downsampling, blur, gain and noise.

    Args:
        face: RGB uint8 (H, W, 3), larger than the result.
        rng: blur, gain and noise.
        height: of the result, 12 to 36; the width keeps the aspect ratio within 10 % and is at least 12.

    Returns:
        RGB uint8 (height, width, 3), before JPEG compression.
    """
    from scipy.ndimage import gaussian_filter

    shape = face.shape[1] / face.shape[0] * rng.uniform(0.95, 1.1)
    width = min(36, max(12, round(height * shape)))
    small = _averaged(face, width, height)
    small = gaussian_filter(small, (*([rng.uniform(0.2, 0.7)] * 2), 0.0), mode="nearest")
    small = small * rng.uniform(0.8, 1.15) + rng.uniform(-10, 10)
    small = small + rng.normal(0.0, rng.uniform(1.5, 6.0), small.shape)
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def distant(image: ByteImages, scale: float) -> ByteImages:
    """A painted square as seen by a distant camera: downsampled to ``scale`` of its side, slightly blurred."""
    from scipy.ndimage import gaussian_filter

    side = max(8, round(image.shape[0] * scale))
    small = gaussian_filter(_averaged(image, side, side), (0.4, 0.4, 0.0), mode="nearest")
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def backdrop(rng: np.random.Generator, height: int, width: int, tone: NDArray[np.float64] | None = None) -> ByteImages:
    """A smooth scene of one colour with varying lightness: RGB uint8 (height, width, 3).

    Args:
        rng: of the colour and its variation.
        height: in pixels.
        width: in pixels.
        tone: the colour, (3,), 0 to 255; drawn when None.
    """
    from PIL import Image

    drawn = rng.uniform(90, 150) + rng.uniform(-20, 20, 3)
    coarse = (drawn if tone is None else tone) + rng.uniform(-12, 12, (4, 6, 1))
    small = Image.fromarray(np.clip(np.rint(coarse), 0, 255).astype(np.uint8))
    return np.array(small.resize((width, height), Image.Resampling.BILINEAR))


def tone_of(image: ByteImages) -> NDArray[np.float64]:
    """Background colour of a painted square: mean of its two upper corners, (3,), 0 to 255."""
    part = max(1, image.shape[0] // 10)
    corners = np.stack([image[:part, :part], image[:part, -part:]])
    return np.asarray(corners.reshape(-1, 3).mean(axis=0), np.float64)


def stand(scene: ByteImages, image: ByteImages, left: int, top: int, *, head_only: bool = False) -> None:
    """Blend a square into a scene, in place, with a soft border; parts outside the scene are dropped.

    Args:
        scene: RGB uint8 (H, W, 3), changed.
        image: RGB uint8 (side, side, 3).
        left: first column of the square in the scene; may be negative.
        top: first row of the square in the scene; may be negative.
        head_only: blend a circle around the head instead of a square with round corners.
    """
    side = image.shape[0]
    fade = _fade(side, 2 if head_only else 5)
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(scene.shape[0], top + side), min(scene.shape[1], left + side)
    if y1 <= y0 or x1 <= x0:
        return
    part, weight = image[y0 - top : y1 - top, x0 - left : x1 - left], fade[y0 - top : y1 - top, x0 - left : x1 - left]
    behind = scene[y0:y1, x0:x1]
    scene[y0:y1, x0:x1] = np.rint(behind * (1 - weight) + part * weight).astype(np.uint8)


def rotate_by_look(points: NDArray[np.float64], look: Look) -> NDArray[np.float64]:
    """Rotate points by the pose of a look: yaw about the vertical axis, then pitch, then roll in the image plane.

    Args:
        points: (N, 3), x to the right, y down, z to the viewer, from the centre of the head.
        look: gives the angles.

    Returns:
        (N, 3) in the same axes.
    """
    yaw, pitch, roll = np.deg2rad([look.yaw_deg, look.pitch_deg, look.roll_deg])
    x, y, z = points.T
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) - z * np.sin(pitch), z * np.cos(pitch) + y * np.sin(pitch)
    x, y = x * np.cos(roll) - y * np.sin(roll), y * np.cos(roll) + x * np.sin(roll)
    return np.stack([x, y, z], axis=1)


def _averaged(image: ByteImages, width: int, height: int) -> NDArray[np.float64]:
    """Downsample by averaging over areas."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX), np.float64)


@lru_cache(maxsize=64)
def _fade(side: int, rounding: int) -> NDArray[np.float32]:
    """Blending weight of a square, (side, side, 1); rounding 2 is a circle, infinity a square."""
    axis = np.abs(np.linspace(-1, 1, side))
    rim = (axis[:, None] ** rounding + axis[None, :] ** rounding) ** (1 / rounding)
    fade: NDArray[np.float32] = np.clip((1 - rim) / _FEATHER, 0, 1)[..., None].astype(np.float32)
    return fade
