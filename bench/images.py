"""Image files to RGB bytes and back, and the one resampling of the suite."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractError, DataError, UsageError
from bench.io.filekinds import HEAD, kind_of, read_plain
from bench.io.image_formats import FORMATS

if TYPE_CHECKING:
    from PIL import Image

ByteImages = NDArray[np.uint8]
FloatImages = NDArray[np.float32]

_READ = frozenset({"a JPEG image", "a PNG image", "a GIF image", "a WebP image"})
_MOST_PIXELS = 64_000_000  # larger images are decompression bombs, not faces
_LONGEST_SIDE = 20_000  # also keeps the matrices of `resize` small
_SIXTEEN_BIT = ("I", "I;16", "I;16L", "I;16B", "I;16N")  # "I": 32 bits, in which Pillow opens some 16-bit files
_BITS_PER_SAMPLE = 258  # TIFF tag


def decode(data: bytes) -> ByteImages:
    """Decode an image file; of an animation, its first frame.

    The orientation tag is applied; grey, palette, CMYK and other modes become RGB; 16-bit grey is scaled by
    255 / 65535, 12-bit grey by 255 / 4095; of 16-bit colour the high byte is used, as Pillow opens it. An alpha
    channel is dropped, not composed: the colours of transparent pixels are kept.

    Args:
        data: the bytes of a file of one of `FORMATS`.

    Returns:
        RGB, uint8 (H, W, 3), H and W at least 2, writable.

    Raises:
        DataError: with a short reason that names no file: it is empty, not an image, of another format, truncated,
            damaged, a single pixel wide or high, far too large, or has no defined white level (floating point, 32
            bits).
    """
    with open_image(data) as image:
        return _decode(image)


@contextmanager
def open_image(data: bytes) -> Iterator[Image.Image]:
    """Open an image file without decoding it: the only place where Pillow receives bytes of the user.

    Args:
        data: the bytes of a file of one of `FORMATS`.

    Yields:
        Pillow's image; exceptions of decoding it inside the block become the same errors.

    Raises:
        DataError: see `decode`.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise DataError("file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS or max(image.size) > _LONGEST_SIDE:
                raise DataError("image is too large")
            yield image
    except (DataError, MemoryError):
        raise
    except UnidentifiedImageError:
        kind = kind_of(data[:HEAD])
        if kind in _READ:
            raise DataError("image is damaged") from None
        raise DataError(f"not an image, but {kind}" if kind else "not an image") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError("image is too large") from None
    except OSError as error:
        raise DataError("image is truncated" if "truncated" in str(error).lower() else "image is damaged") from None
    except Exception:  # noqa: BLE001  # Pillow raises many classes for damaged files; one image must not end a run
        raise DataError("image is damaged") from None


def read_image(path: Path | str) -> ByteImages:
    """Decode a file; see `decode`. A missing file is a DataError ``file not found``."""
    return decode(read_plain(Path(path)))


def encode_png(image: ByteImages) -> bytes:
    """Encode RGB uint8 (H, W, 3) as PNG with fast, weak compression; equal images give equal bytes."""
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
    resized: ByteImages = to_bytes(resize_float(to_float([image]), height, width))[0]
    return resized


def resize_float(images: FloatImages, height: int, width: int) -> FloatImages:
    """Resize by Pillow's bicubic kernel (a = -0.5), widened when the image shrinks, to avoid aliasing.

    Computed in float64, so that pixels round to the same level on every machine.

    Args:
        images: float32 (N, C, h, w).
        height: new height, at least 1.
        width: new width, at least 1.

    Returns:
        float32 (N, C, height, width), not clipped: bicubic overshoots at edges. ``images`` itself if the size does
        not change.

    Source: Keys 1981, IEEE TASSP 29(6), eq. (15) with a = -0.5.
    """
    if height < 1 or width < 1:
        raise UsageError(f"Cannot resize to {height} x {width} pixels")
    if images.shape[2:] == (height, width):
        return images
    rows, columns = _operator(images.shape[2], height), _operator(images.shape[3], width)
    resized: FloatImages = np.matmul(np.matmul(rows, images), columns.T).astype(np.float32)
    return resized


@lru_cache(maxsize=256)
def _operator(before: int, after: int) -> NDArray[np.float64]:
    """Resampling along one axis as a matrix (after, before), applied to a whole batch by one product.

    Pillow would round to 8 bits between the axes.
    """
    scale = before / after
    centres = (np.arange(after)[:, None] + 0.5) * scale
    distances = np.abs(np.arange(before) + 0.5 - centres) / max(scale, 1.0)
    near = (1.5 * distances - 2.5) * distances**2 + 1
    far = ((2.5 - 0.5 * distances) * distances - 4) * distances + 2
    weights = np.where(distances < 1, near, np.where(distances < 2, far, 0.0))
    matrix: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)  # the kernel is truncated at the border
    matrix.setflags(write=False)
    return matrix


def _decode(image: Image.Image) -> ByteImages:
    """RGB uint8 (H, W, 3) of an opened image."""
    from PIL import ImageOps

    if min(image.size) < 2:
        raise DataError("image is a single pixel wide or high")
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))[0]
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode in _SIXTEEN_BIT:
        wide = np.asarray(upright).astype(np.float64)
        if bits > 16 or wide.min() < 0 or wide.max() > 65535:
            raise DataError("image has more than 16 bits")
        grey = np.rint(wide * (255 / (2**bits - 1))).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if upright.mode == "F":
        raise DataError("image has floating-point values")
    if upright.mode in ("RGBA", "RGBX"):
        return np.array(np.asarray(upright)[:, :, :3])
    if upright.mode == "LA":
        return np.repeat(np.asarray(upright)[:, :, :1], 3, axis=2)
    if upright.mode == "P":  # a palette may hold alpha, which is dropped too
        return np.array(np.asarray(upright.convert("RGBA"))[:, :, :3])
    return np.array(upright.convert("RGB"))
