"""TANN as a hallucinator: an unaligned tiny face in any pose to an upright frontal one."""

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
    "weight 0.3 continues this, as in our training of vividgan: with pixels alone it stays near the identity",
    "spatial transformers start as the identity and stay within 60 degrees, a factor of 2 and 0.3 of the side; the "
    "authors' start from a rotation by 1 rad, without bounds",
    "the adversary is used from half time on; while its loss is too high the adversarial term is left out, where the "
    "authors leave out the whole step",
    "the perceptual loss needs ImageNet weights of VGG-19 (--identity FILE), which are not shipped; without them it is "
    "left out",
    "triplets: the positive is the frontal truth reduced to LR, the negative that of another person of the batch; as "
    "in the authors' code only the anchor gets a gradient, towards its positive",
    "Adam at 0.001 in place of RMSprop, weights averaged over steps, constant weights of the losses",
    "4x, which the authors do not have: one more level with a transformer at 32 x 32 and a skip connection",
    "compact preset: fewer channels; convolution before doubling at 64 and 128 pixels, 3 x 3 in place of 5 x 5; "
    "alignment after convolution in the decoder; wider localisation in the first transformer",
    "compact preset: a residual is added to the LR image as the first transformer aligned it, not to grey, as in "
    "vividgan",
)
PAPER_PARAMETERS = 13_088_611
"""Of the generator in the paper preset, 8x."""


@register_method(
    "tann",
    summary="TANN: frontal face from an unaligned one by one network of spatial transformers. 16 or 32 to 128 x 128.",
    source="Yu, Shiri, Ghanem, Porikli 2019, Can we see more? Joint frontalization and hallucination of unaligned tiny "
    "faces (TPAMI); trained anew, see the weights' card",
    sizes="16 x 16 (8x) or 32 x 32 (4x) to 128 x 128",
    aligned="by itself; upright and frontal",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    trainer=Trainer(module="hallucinators.tann.training"),
)
class TannHallucinator(SizedHallucinator):
    """Takes unaligned faces, without an aligner."""

    network = "tann"
    output_frame = TRUTH_FRAME

    def build(self, facts: Facts) -> nn.Module:
        """The generator."""
        from hallucinators.tann.network import TannNet

        return TannNet(lr=facts.lr, preset=facts.preset)
