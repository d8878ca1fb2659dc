"""Places of pixels as `torch.nn.functional.grid_sample` counts them, and similarities of them."""

from __future__ import annotations

import torch
from torch import Tensor


def places(side: int, device: torch.device | str | None = None) -> Tensor:
    """Centres of the pixels of a square, x and y from -1 to 1 over its edges: float32 (2, side, side)."""
    axis = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1
    return torch.stack([axis.expand(side, side), axis[:, None].expand(side, side)])


def moved(similarity: Tensor, at: Tensor) -> Tensor:
    """Places (2, h, w) or (N, 2, h, w) moved by matrices (N or 1, 2, 3): float32 (N, 2, h, w).

    Written out because autocast would do a product of matrices in bfloat16, an eighth of a pixel of 128 off.
    """
    x, y = at[..., :1, :, :], at[..., 1:, :, :]
    a, b, c = (similarity[:, :, k, None, None] for k in range(3))
    return a * x + b * y + c
