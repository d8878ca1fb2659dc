"""Training SRGAN: by pixels, then with a discriminator; what we do otherwise is in `hallucinators.srgan.DEPARTURES`.

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
"""The paper's 1e-3 goes with errors in [-1, 1], whose squares are four times ours."""
PERCEPTUAL = 1 / 12.75**2 / 4
"""The paper scales VGG's features by 1 / 12.75; over four, as all weights here."""


def perceptual_terms(compare: Perceptual) -> Terms:
    """The squared error of pixels and that of VGG-19's features."""

    def terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        images, found = pixel_terms(network, aligned, batch)
        return images, found | {"perceptual": PERCEPTUAL * compare(images, batch.turned())}

    return terms


def _terms(options: Options, stage: str) -> Terms:
    compare = perceptual(options.identity, options.device) if stage == "adversarial" else None
    return pixel_terms if compare is None else perceptual_terms(compare)


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
