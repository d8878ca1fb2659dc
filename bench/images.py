"""Image files to RGB bytes and back, and the one resampling of the suite."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractError, DataError, UsageError

if TYPE_CHECKING:
    from PIL import Image

ByteImages = NDArray[np.uint8]
FloatImages = NDArray[np.float32]

_MOST_PIXELS = 64_000_000  # a face image is never that large; a decompression bomb is
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


def decode(data: bytes) -> ByteImages:
    """Decode an image file.

    The orientation tag is applied; grey, palette, CMYK and other modes become RGB; 16-bit grey is scaled by
    255 / 65535; an alpha channel is dropped, not composed: what is behind it is part of the picture.

    Args:
        data: the bytes of a file of any format Pillow reads.

    Returns:
        RGB, uint8 (H, W, 3), H and W at least 2.

    Raises:
        DataError: with a short reason that names no file: it is empty, no image, truncated, damaged, a single pixel
            wide or high, or far too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise DataError("file is empty")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise DataError("image is too large")
            if min(image.size) < 2:
                raise DataError("image is a single pixel wide or high")
            image.load()
            rgb = _to_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise DataError("not an image") from None
    except Image.DecompressionBombError:
        raise DataError("image is too large") from None
    except OSError as error:
        raise DataError("image is truncated" if "truncated" in str(error) else "image is damaged") from None
    except (ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error):
        raise DataError("image is damaged") from None
    return rgb


def read_image(path: Path) -> ByteImages:
    """Decode a file; see `decode`. A file that is not there is a DataError ``file not found`` too."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("file not found") from None
    except OSError as error:
        raise DataError(f"file not readable ({error.strerror})") from None
    return decode(data)


def encode_png(image: ByteImages) -> bytes:
    """Encode RGB uint8 (H, W, 3) as PNG, quickly rather than tightly; equal images give equal bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def to_float(images: Sequence[ByteImages]) -> FloatImages:
    """Stack N images of one size: uint8 (H, W, 3) each to float32 (N, 3, H, W) in [0, 1]."""
    if not images:
        raise UsageError("to_float needs at least one image")
    stacked = np.stack(images).transpose(0, 3, 1, 2)
    scaled: FloatImages = np.ascontiguousarray(stacked, np.float32) / np.float32(255)
    return scaled


def to_bytes(images: FloatImages) -> ByteImages:
    """Round to 8 bits: float (N, 3, H, W) to uint8 (N, H, W, 3); clipped to [0, 1], halves to even.

    Raises:
        ContractError: a value is not finite.
    """
    if not np.isfinite(images).all():
        raise ContractError("An image with values that are not finite cannot be rounded to 8 bits")
    levels: ByteImages = np.rint(np.clip(images, 0, 1) * np.float32(255)).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))


def resize(image: ByteImages, height: int, width: int) -> ByteImages:
    """Resize RGB uint8 (h, w, 3) to (height, width, 3): `resize_float`, clipped and rounded once."""
    if image.shape[:2] == (height, width):
        return image
    return to_bytes(resize_float(to_float([image]), height, width))[0]


def resize_float(images: FloatImages, height: int, width: int) -> FloatImages:
    """Resize by Pillow's bicubic kernel (a = -0.5), widened when it shrinks, so that nothing aliases.

    Args:
        images: float32 (N, C, h, w).
        height: new height, at least 1.
        width: new width, at least 1.

    Returns:
        float32 (N, C, height, width), not clipped: bicubic overshoots at edges.

    Source: Keys 1981, IEEE TASSP 29(6), eq. (15) with a = -0.5.
    """
    if height < 1 or width < 1:
        raise UsageError(f"Cannot resize to {height} x {width} pixels")
    if images.shape[2:] == (height, width):
        return images
    rows, columns = _operator(images.shape[2], height), _operator(images.shape[3], width)
    resized: FloatImages = np.matmul(np.matmul(rows, images), columns.T)
    return resized


@lru_cache(maxsize=1024)
def _operator(before: int, after: int) -> FloatImages:
    """Pillow's resampling along one axis as a matrix (after, before): what it makes of the unit vectors.

    A matrix product applies it to a whole batch in float, where Pillow itself would round to 8 bits between the axes.
    """
    from PIL import Image

    unit = Image.fromarray(np.eye(before, dtype=np.float32))
    matrix = np.array(unit.resize((before, after), Image.Resampling.BICUBIC), np.float32)
    matrix.setflags(write=False)
    return matrix


def _to_rgb(image: Image.Image) -> ByteImages:
    if image.mode in _SIXTEEN_BIT:
        grey = np.rint(np.asarray(image).astype(np.float64) * (255 / 65535)).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode == "I":  # 16-bit PNG as older Pillow opens it
        wide = np.asarray(image).astype(np.float64)
        grey = np.rint(np.clip(wide, 0, 65535) * (255 / 65535)).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "RGBX", "LA"):
        values = np.asarray(image)
        colour = values[:, :, :3] if image.mode != "LA" else np.repeat(values[:, :, :1], 3, axis=2)
        return np.ascontiguousarray(colour)
    if image.mode == "P":  # a palette may hold alpha, which is dropped as elsewhere
        return np.ascontiguousarray(np.asarray(image.convert("RGBA"))[:, :, :3])
    return np.asarray(image.convert("RGB"))
