"""TDAE as a hallucinator: an unaligned tiny face to an upright one in the same pose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.align.template import TRUTH_FRAME
from hallucinators.networks.hallucinator import SizedHallucinator
from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.weight_file import Facts

if TYPE_CHECKING:
    from torch import nn

DEPARTURES: tuple[str, ...] = (
    "a stage before the paper's trains the first spatial transformer with the true location of the face, and a term of "
    "weight 0.3 continues this with decoder 1, as in our training of vividgan: with pixels alone it stays near the "
    "identity",
    "spatial transformers start as the identity and stay within 60 degrees, a factor of 2 and 0.3 of the side; the "
    "authors' start from a rotation by 1 rad, without bounds",
    "the adversaries are used from half time of each decoder on; while their loss is too high the adversarial term is "
    "left out, where the authors leave out the whole step",
    "Adam at 0.001 in place of RMSprop, weights averaged over steps, constant weights of the losses",
    "4x, which the authors do not have: decoders without their first doubling, the encoder without its last pooling",
    "compact preset: trained on LR faces without noise (the authors' have noise of 0.1), as all others here",
    "compact preset: fewer channels; convolution before doubling, 3 x 3 in place of 5 x 5; the first transformer "
    "follows the first convolution, with a wider localisation network",
    "compact preset: decoders add to the enlarged image (the first one as its transformer aligned it), the encoder to "
    "the reduced one, not to grey",
)
PAPER_PARAMETERS = 6_909_529
"""Of decoder 1, encoder and decoder 2 in the paper preset: 4,038,291 + 646,083 + 2,225,155."""


@register_method(
    "tdae",
    summary="TDAE: decoder, encoder, decoder; aligns and super-resolves, pose unchanged. 16 or 32 to 128 x 128.",
    source="Yu, Porikli 2017, Hallucinating very low-resolution unaligned and noisy face images by transformative "
    "discriminative autoencoders (CVPR); trained anew, see the weights' card",
    sizes="16 x 16 (8x) or 32 x 32 (4x) to 128 x 128",
    aligned="by itself; pose unchanged",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    trainer=Trainer(module="hallucinators.tdae.training"),
)
class TdaeHallucinator(SizedHallucinator):
    """Takes unaligned faces, without an aligner."""

    network = "tdae"
    output_frame = TRUTH_FRAME

    def build(self, facts: Facts) -> nn.Module:
        """The three networks."""
        from hallucinators.tdae.network import TdaeNet

        return TdaeNet(lr=facts.lr, preset=facts.preset)
