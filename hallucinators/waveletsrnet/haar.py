"""The full packet Haar transform of WaveletSRNet in closed form: every band is split again in each level."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.errors import DataError

_CELLS = (((1.0, 1.0), (1.0, 1.0)), ((1.0, -1.0), (1.0, -1.0)), ((1.0, 1.0), (-1.0, -1.0)), ((1.0, -1.0), (-1.0, 1.0)))
"""Signs of one level on 2 x 2 pixels: mean, left against right, top against bottom, diagonal. Over 2 they are
orthonormal."""


@lru_cache
def patterns(levels: int) -> Tensor:
    """The orthonormal block patterns.

    Band i, written in base 4 with the coarsest level first, is the Kronecker product of the cells its digits name: the
    closed form of the weights that the authors' code reads from a file (hhb072/WaveletSRNet, wavelet_weights_c2).

    Args:
        levels: number of levels, 0 or more; blocks have 2**levels pixels a side.

    Returns:
        float32 (4**levels, side, side); every entry is +1/side or -1/side. Not to be changed.
    """
    with torch.inference_mode(False):  # cached for later calls, which may need gradients
        cells = torch.tensor(_CELLS) / 2
        blocks = torch.ones(1, 1, 1)
        for _ in range(levels):
            blocks = torch.stack([torch.kron(coarse, fine) for coarse in blocks for fine in cells])
        return blocks


def transform(images: Tensor, levels: int) -> Tensor:
    """Images to bands.

    Args:
        images: float (N, C, h * side, w * side), side of 2**levels.
        levels: of splitting.

    Returns:
        float32 (N, 4**levels * C, h, w), band by band with the C colours of each together; the first band is side
        times the mean of each block.

    Raises:
        DataError: height or width is no multiple of the block.
    """
    side = 2**levels
    if images.ndim != 4 or images.shape[2] % side or images.shape[3] % side:
        raise DataError(f"haar: {levels} levels take (N, C, h, w), h and w multiples of {side}: {tuple(images.shape)}")
    blocks = F.pixel_unshuffle(images.float(), side) if levels else images.float()
    count, colours, (h, w) = len(blocks), images.shape[1], blocks.shape[2:]
    return _apply_matrix(blocks.reshape(count, colours, -1, h, w).transpose(1, 2), _matrix(levels, images))


def inverse(bands: Tensor, levels: int) -> Tensor:
    """Bands (N, 4**levels * C, h, w), as `transform` gives them, back to images float32 (N, C, h * side, w * side).

    Raises:
        DataError: the bands do not fit the levels.
    """
    count = 4**levels
    if bands.ndim != 4 or bands.shape[1] % count or not bands.shape[1]:
        raise DataError(f"haar: {levels} levels have {count} bands for each colour, given {tuple(bands.shape)}")
    n, channels, h, w = bands.shape
    split = n, count, channels // count, h, w
    blocks = (
        _apply_matrix(bands.float().reshape(split), _matrix(levels, bands).mT).view(split).transpose(1, 2).flatten(1, 2)
    )
    return F.pixel_shuffle(blocks, 2**levels) if levels else blocks


def _matrix(levels: int, like: Tensor) -> Tensor:
    """Bands by pixels of a block."""
    return patterns(levels).flatten(1).to(like.device)


def _apply_matrix(parts: Tensor, matrix: Tensor) -> Tensor:
    """Apply a matrix over the second axis of (N, K, C, h, w), in float32 also under autocast: band 0 reaches 8, where
    bfloat16 has steps of 1/32. Gives (N, K * C, h, w).
    """
    with torch.autocast(parts.device.type, enabled=False):
        return torch.einsum("ik,nkchw->nichw", matrix, parts).flatten(1, 2)
