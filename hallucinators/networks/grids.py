"""Pixel coordinates as `torch.nn.functional.grid_sample` counts them, and similarities applied to them."""

from __future__ import annotations

import torch
from torch import Tensor


def pixel_centres(side: int, device: torch.device | str | None = None) -> Tensor:
    """Centres of the pixels of a square image, x and y in [-1, 1] over the image: float32 (2, side, side)."""
    axis = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1
    return torch.stack([axis.expand(side, side), axis[:, None].expand(side, side)])


def transform_points(similarity: Tensor, at: Tensor) -> Tensor:
    """Apply matrices (N or 1, 2, 3) to points (2, h, w) or (N, 2, h, w): float32 (N, 2, h, w).

    Written out, because autocast would use bfloat16 for a matrix product, with errors of an eighth of a pixel of 128.
    """
    x, y = at[..., :1, :, :], at[..., 1:, :, :]
    a, b, c = (similarity[:, :, k, None, None] for k in range(3))
    return a * x + b * y + c
