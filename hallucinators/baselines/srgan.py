"""Training SRGAN: by pixels, then with a discriminator; what we do otherwise is in `hallucinators.srgan.DEPARTURES`.

Source: C. Ledig et al., CVPR 2017, section 3.2 (MSE to begin with, then content + 1e-3 adversarial).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from hallucinators.baselines.header import Facts
from hallucinators.baselines.srgan_net import Critic, SRResNet
from hallucinators.baselines.upsampling import Terms, Upsampler, pixel_terms, upright
from hallucinators.baselines.vgg19 import Perceptual, perceptual
from hallucinators.training.batch import Batch
from hallucinators.training.plan import Options, Stage

ADVERSARIAL = 1e-3 / 4
"""The paper's 1e-3 goes with errors in [-1, 1], whose squares are four times ours."""
PERCEPTUAL = 1 / 12.75**2 / 4
"""The paper scales VGG's features by 1 / 12.75; over four, as all weights here."""


def perceptual_terms(compare: Perceptual) -> Terms:
    """The squared error of pixels and that of VGG-19's features."""

    def terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        images, found = pixel_terms(network, aligned, batch)
        return images, found | {"perceptual": PERCEPTUAL * compare(images, upright(batch))}

    return terms


def _terms(options: Options, stage: str) -> Terms:
    compare = perceptual(options.identity, options.device) if stage == "adversarial" else None
    return pixel_terms if compare is None else perceptual_terms(compare)


def _method(rate: float) -> Upsampler:
    return Upsampler(
        build=SRResNet,
        steps={"pixels": 1000, "adversarial": 500},
        terms=_terms,
        critic=Critic,
        adversarial=ADVERSARIAL,
        rate=rate,
        adversarial_rate=1e-4,
    )


_METHODS = {"paper": _method(1e-4), "compact": _method(1e-3)}


def stages(options: Options) -> list[Stage]:
    """By pixels, then with the discriminator.

    Raises:
        UsageError: an unknown preset, size or stage.
        MissingError: the aligner is not trained yet, or VGG's weights are not where ``identity`` says.
        DataError: a file is damaged or of another network.
    """
    return _METHODS.get(options.preset, _METHODS["compact"]).stages(options)


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Args:
        options: those it was trained with.
        folder: of the training.
        out: the file.
        trained: what the card says of it.

    Raises:
        DataError: no stage is finished.
    """
    return _METHODS.get(options.preset, _METHODS["compact"]).export(options, folder, out, trained)
