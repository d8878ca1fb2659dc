"""Training WaveletSRNet: the losses on its bands.

Source: H. Huang, R. He, Z. Sun, T. Tan, ICCV 2017, as hhb072/WaveletSRNet, main.py has it. What we do otherwise is
listed in `hallucinators.waveletsrnet.DEPARTURES`.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from hallucinators.stn.upsampling import Terms, Upsampler
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch
from hallucinators.waveletsrnet.haar import inverse, transform
from hallucinators.waveletsrnet.network import WaveletSRNet

HIGH, LOW, IMAGE, TEXTURE = 0.99, 0.01, 0.1, 1.0
"""The authors' weights: of all bands but the first, of the first, of the image, of the texture."""
ELEMENTS = 3 * 128**2
FACTOR = ELEMENTS / 2
"""The authors' loss is so many times ours: they sum squares over a face and halve the sum, we take the mean over its
49152 numbers. Their texture term is a mean, so here it has 1 / FACTOR of its weight and acts as little as theirs."""
_ENOUGH = 1.2  # times the true energy


def texture(bands: Tensor, truth: Tensor) -> Tensor:
    """By how much the energy of predicted bands falls short of 1.2 times the true one.

    Args:
        bands: float (N, 3 * B, h, w), colours of a band together; the first band left out.
        truth: the same.

    Returns:
        Mean over bands and places of the shortfall of the squared norm over the three colours.
    """
    found, wanted = (_energies(part) for part in (bands, truth))
    return F.relu(_ENOUGH * wanted - found).mean()


def _energies(bands: Tensor) -> Tensor:
    n, channels, h, w = bands.shape
    return bands.float().reshape(n, channels // 3, 3, h, w).square().sum(2)


def band_losses(bands: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """The weighted terms of one batch, to be added.

    The term of the image needs no inverse transform: the bands are those of an orthonormal one, so squared distances
    of images and of bands are the same.

    Args:
        bands: predicted, float (N, 3 * B, h, w), 3 * B * h * w being 49152.
        truth: of the true face.
    """
    squared = (bands.float() - truth.float()).square()
    low, high = (part.flatten(1).sum(1).mean() / ELEMENTS for part in (squared[:, :3], squared[:, 3:]))
    return {
        "high": HIGH * high,
        "low": LOW * low,
        "image": IMAGE * (high + low),
        "texture": TEXTURE / FACTOR * texture(bands[:, 3:], truth[:, 3:]),
    }


def terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Faces (N, 3, 128, 128), which carry no gradient, and the weighted losses by name."""
    net = cast(WaveletSRNet, network)
    bands = net.bands(aligned)
    found = band_losses(bands, transform(batch.turned(), net.levels))
    return inverse(bands.detach(), net.levels), found


def _terms(options: Options, stage: str) -> Terms:
    return terms


METHOD = Upsampler(
    build=lambda preset, lr: WaveletSRNet(lr=lr, preset=preset),
    steps={"pixels": 1500},
    terms=_terms,
    rates={"paper": 2e-4, "compact": 1e-3},
)
stages, export = METHOD.stages, METHOD.export
