"""Preparation of chips for a network: checks, order of channels, scaling, layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from bench.errors import ContractError
from bench.interfaces import ByteImages, FloatImages
from bench.types import FaceTemplate


def check_chips(chips: ByteImages, face: FaceTemplate, *, recogniser: str) -> None:
    """Raise ContractError unless chips is uint8 (N, H, W, 3) of the template's size with N >= 1."""
    expected = (face.height, face.width, 3)
    if not isinstance(chips, np.ndarray):
        raise ContractError(f"Recogniser {recogniser} was given {type(chips).__name__}; it takes uint8 arrays")
    if chips.dtype != np.uint8 or chips.ndim != 4 or chips.shape[1:] != expected or len(chips) == 0:
        raise ContractError(
            f"Recogniser {recogniser} was given {chips.dtype} {chips.shape}; it takes uint8 (N, "
            f"{', '.join(map(str, expected))}) with N >= 1"
        )


Colour = Literal["RGB", "BGR", "gray"]


class Scaling(NamedTuple):
    """Scaling of 0..255 values before the network: (x - mean) / std."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


USUAL = Scaling((127.5,), (127.5,))
PLAIN = Scaling((0.0,), (1.0,))
UNIT = Scaling((0.0,), (255.0,))


def network_input(chips: ByteImages, *, colour: Colour, mean: Sequence[float], std: Sequence[float]) -> FloatImages:
    """Convert chips to the input of a network.

    Args:
        chips: RGB, uint8 (N, H, W, 3).
        colour: channel order of the result; ``gray`` is luma, one channel.
        mean: one value, or three in the order of the result's channels; subtracted from 0..255 values.
        std: likewise; divided by after that.

    Returns:
        (chips - mean) / std; float32 (N, 3, H, W), or (N, 1, H, W) of luma; contiguous.
    """
    ordered = luma(chips)[..., None] if colour == "gray" else chips[..., ::-1] if colour == "BGR" else chips
    planes = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), np.float32)
    if any(value != 0 for value in mean):
        planes -= np.asarray(mean, np.float32).reshape(1, -1, 1, 1)
    if any(value != 1 for value in std):
        planes /= np.asarray(std, np.float32).reshape(1, -1, 1, 1)
    return planes


def luma(chips: ByteImages) -> ByteImages:
    """Luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, rounded as Pillow's mode L does.

    Args:
        chips: RGB, uint8 (..., 3).

    Returns:
        uint8 (...).
    """
    weighted = chips.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)  # of 65,536
    return ((weighted + 0x8000) >> 16).astype(np.uint8)
