"""From a painted square to a picture a camera made: small and noisy, or a face standing in a larger frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractError
from bench.interfaces import ByteImages

Box = tuple[float, float, float, float]
_FEATHER = 0.08  # of a square's side: how far its border fades into what is behind it


def cut(image: ByteImages, box: Box) -> ByteImages:
    """Cut left, top, right, bottom, rounded, out of an image; what lies outside repeats the border."""
    left, top, right, bottom = (round(v) for v in box)
    if right <= left or bottom <= top:
        raise ContractError(f"A face box of no size, {box}, came from the painter's five points.")
    rows = np.clip(np.arange(top, bottom), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, right), 0, image.shape[1] - 1)
    return image[np.ix_(rows, columns)]


def low_resolution(face: ByteImages, rng: np.random.Generator, height: int) -> ByteImages:
    """Make a tight crop what a distant camera gives natively: averaged down, out of focus, dim or bright, noisy.

    Args:
        face: RGB uint8 (H, W, 3), larger than the result.
        rng: blur, gain and noise.
        height: of the result, 12 to 36; the width keeps the shape within a tenth, and is at least 12.

    Returns:
        RGB uint8 (height, width, 3). JPEG, the last fault, comes with the file.
    """
    from scipy.ndimage import gaussian_filter

    shape = face.shape[1] / face.shape[0] * rng.uniform(0.95, 1.1)
    width = min(36, max(12, round(height * shape)))
    small = _averaged(face, width, height)
    small = gaussian_filter(small, (*([rng.uniform(0.2, 0.7)] * 2), 0.0), mode="nearest")
    small = small * rng.uniform(0.8, 1.15) + rng.uniform(-10, 10)
    small = small + rng.normal(0.0, rng.uniform(1.5, 6.0), small.shape)
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def backdrop(rng: np.random.Generator, height: int, width: int) -> ByteImages:
    """A smooth, dim scene of a few colours: RGB uint8 (height, width, 3)."""
    from scipy.ndimage import zoom

    coarse = rng.uniform(60, 190, (1, 1, 3)) + rng.uniform(-35, 35, (4, 6, 3))
    scene = zoom(coarse, (height / 4, width / 6, 1), order=1, grid_mode=True, mode="nearest")
    return np.clip(np.rint(scene), 0, 255).astype(np.uint8)


def stand(scene: ByteImages, image: ByteImages, left: int, top: int) -> None:
    """Put a square into a scene, in place, with a border that fades; parts outside the scene are lost."""
    side = image.shape[0]
    ramp = np.minimum(1.0, (np.minimum(np.arange(side), np.arange(side)[::-1]) + 1) / (_FEATHER * side + 1))
    fade = (ramp[:, None] * ramp[None, :])[..., None]
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(scene.shape[0], top + side), min(scene.shape[1], left + side)
    if y1 <= y0 or x1 <= x0:
        return
    part, weight = image[y0 - top : y1 - top, x0 - left : x1 - left], fade[y0 - top : y1 - top, x0 - left : x1 - left]
    behind = scene[y0:y1, x0:x1]
    scene[y0:y1, x0:x1] = np.rint(behind * (1 - weight) + part * weight).astype(np.uint8)


def _averaged(image: ByteImages, width: int, height: int) -> NDArray[np.float64]:
    """Average over areas, as a sensor with large cells does."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX), np.float64)
