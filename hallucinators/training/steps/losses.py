"""Losses that several methods share: pixels and both sides of an adversary. Equation numbers are VividGAN's."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from bench.errors import DataError


def pixel(hallucinated: Tensor, truth: Tensor) -> Tensor:
    """Equation 4: mean squared difference of faces and truth, both (N, 3, h, w); equation 10 uses it on patches.

    Raises:
        DataError: the shapes differ.
    """
    return mean_square(hallucinated, truth)


def discriminator_terms(real: Tensor, hallucinated: Tensor) -> tuple[Tensor, Tensor]:
    """The terms of equation 7, -log D(h) and -log(1 - D(h^)), from the logits (N,) of real and hallucinated faces."""
    return F.softplus(-real.float()).mean(), F.softplus(hallucinated.float()).mean()


def adversarial(hallucinated: Tensor) -> Tensor:
    """Equation 8: -log D(h^), from the logits (N,) of hallucinated faces."""
    return F.softplus(-hallucinated.float()).mean()


def mean_square(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference over all elements, in float32.

    Raises:
        DataError: the shapes differ.
    """
    if a.shape != b.shape:
        raise DataError(f"losses compare equal shapes; given {tuple(a.shape)} and {tuple(b.shape)}")
    return (a.float() - b.float()).square().mean()
