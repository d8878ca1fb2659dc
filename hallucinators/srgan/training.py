"""Training SRGAN: with pixels, then with a discriminator; differences are in `hallucinators.srgan.DEPARTURES`.

Source: C. Ledig et al., CVPR 2017, section 3.2 (MSE to begin with, then content + 1e-3 adversarial).
"""

from __future__ import annotations

from torch import Tensor, nn

from hallucinators.networks.perceptual import Perceptual, perceptual
from hallucinators.srgan.network import Critic, SRResNet
from hallucinators.stn.upsampling import Terms, Upsampler, pixel_terms
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch

ADVERSARIAL = 1e-3 / 4
"""The paper has 1e-3 with squared errors in [-1, 1], which are four times ours."""
PERCEPTUAL = 1 / 12.75**2 / 4
"""The paper scales VGG's features by 1 / 12.75; divided by four, as all weights here."""


def perceptual_terms(perceptual_loss: Perceptual) -> Terms:
    """The squared error of pixels and that of VGG-19's features."""

    def terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        images, losses = pixel_terms(network, aligned, batch)
        return images, losses | {"perceptual": PERCEPTUAL * perceptual_loss(images, batch.upright_faces())}

    return terms


def _terms(options: Options, stage: str) -> Terms:
    loss = perceptual(options.identity, options.device) if stage == "adversarial" else None
    return pixel_terms if loss is None else perceptual_terms(loss)


METHOD = Upsampler(
    build=SRResNet,
    steps={"pixels": 1000, "adversarial": 500},
    terms=_terms,
    critic=Critic,
    adversarial=ADVERSARIAL,
    rates={"paper": 1e-4, "compact": 1e-3},
    adversarial_rate=1e-4,
)
stages, export = METHOD.stages, METHOD.export
