"""Training WaveletSRNet: the losses on its bands.

Source: H. Huang, R. He, Z. Sun, T. Tan, ICCV 2017, as in hhb072/WaveletSRNet, main.py. Differences are listed in
`hallucinators.waveletsrnet.DEPARTURES`.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from hallucinators.stn.upsampling import Upsampler
from hallucinators.training.steps.batch import Batch
from hallucinators.waveletsrnet.haar import inverse, transform
from hallucinators.waveletsrnet.network import WaveletSRNet

HIGH, LOW, IMAGE, TEXTURE = 0.99, 0.01, 0.1, 1.0
"""The authors' weights: of all bands but the first, of the first band, of the image, of the texture."""
ELEMENTS = 3 * 128**2
FACTOR = ELEMENTS / 2
"""The authors' loss divided by ours: they take half the sum of squares of a face, we take the mean over its 49152
values. Their texture term is a mean, so its weight is divided by FACTOR here, which keeps its (small) effect."""
_ENERGY_FACTOR = 1.2


def texture(bands: Tensor, truth: Tensor) -> Tensor:
    """Shortfall of the energy of predicted bands below 1.2 times the true energy.

    Args:
        bands: predicted, float (N, 3 * B, h, w), three colours for each band, without the first band.
        truth: the bands of the true face, the same shape.

    Returns:
        Mean over bands and positions of the shortfall of the squared norm over the three colours.
    """
    predicted, true = (_energies(part) for part in (bands, truth))
    return F.relu(_ENERGY_FACTOR * true - predicted).mean()


def _energies(bands: Tensor) -> Tensor:
    n, channels, h, w = bands.shape
    return bands.float().reshape(n, channels // 3, 3, h, w).square().sum(2)


def band_losses(bands: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """The weighted terms of one batch, to be summed.

    The image term needs no inverse transform: the transform is orthonormal, so squared distances of images and of bands
    are equal.

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
    """Faces (N, 3, 128, 128) without gradient, and the weighted losses by name."""
    net = cast(WaveletSRNet, network)
    bands = net.bands(aligned)
    losses = band_losses(bands, transform(batch.upright_faces(), net.levels))
    return inverse(bands.detach(), net.levels), losses


METHOD = Upsampler(
    build=lambda preset, lr: WaveletSRNet(lr=lr, preset=preset),
    steps={"pixels": 1500},
    terms=lambda options, stage: terms,
    rates={"paper": 2e-4, "compact": 1e-3},
)
stages, export = METHOD.stages, METHOD.export
