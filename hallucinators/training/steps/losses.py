"""Losses that several methods share: pixels, and the two sides of an adversary. Equation numbers are VividGAN's."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from bench.errors import DataError

Reduction = Literal["mean", "sum"]


def pixel(hallucinated: Tensor, truth: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Equation 4: squared distance of faces to the truth, both (N, 3, h, w); equation 10 uses it on patches."""
    return squared_distance(hallucinated, truth, reduction)


def discriminator(real: Tensor, hallucinated: Tensor) -> Tensor:
    """Equation 7: -[log D(h) + log(1 - D(h^))], from the logits (N,) of true and hallucinated faces."""
    return F.softplus(-real.float()).mean() + F.softplus(hallucinated.float()).mean()


def adversarial(hallucinated: Tensor) -> Tensor:
    """Equation 8: -log D(h^), from the logits (N,) of hallucinated faces."""
    return F.softplus(-hallucinated.float()).mean()


def squared_distance(a: Tensor, b: Tensor, reduction: Reduction) -> Tensor:
    """Mean over everything, or the sum for each face and the mean over faces; always in float32."""
    if a.shape != b.shape:
        raise DataError(f"losses compare equal shapes; given {tuple(a.shape)} and {tuple(b.shape)}")
    squared = (a.float() - b.float()).square()
    return squared.mean() if reduction == "mean" else squared.flatten(1).sum(dim=1).mean()
