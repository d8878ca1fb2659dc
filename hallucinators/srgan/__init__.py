"""SRGAN: super-resolution of an upright face by residual blocks, trained with pixels and a discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.weight_file import Facts
from hallucinators.stn.aligned import AlignedHallucinator

if TYPE_CHECKING:
    from torch import nn

PAPER_PARAMETERS = 1_697_175
"""Of SRResNet with 16 blocks at 8x in the paper preset; 1,549,462 at 4x."""
DEPARTURES: tuple[str, ...] = (
    "faces are aligned by the stn first, as in the comparison of the VividGAN paper; the stn is frozen and this "
    "network is trained on its output",
    "whole faces of one size in place of crops of 96; 8x by a third doubling, which the paper does not have",
    "squared errors of pixels beside the adversarial term, since VGG-19's weights cannot be shipped; --identity "
    "FILE adds those of its features (relu3_2; the paper has conv5_4 alone)",
    "the discriminator is not updated while it is accurate (VividGAN's rule); it is used after two thirds of the steps",
    "compact: 6 blocks of 64 channels (48 from 32 pixels) in place of 16, fewer channels towards 128 pixels, "
    "kernels of 5 in place of 9, an eighth of the discriminator's channels",
    "compact: adds a residual to the bicubic enlargement; the paper's network generates the whole face (2.3 dB less "
    "after 150 steps)",
)


@register_method(
    "srgan",
    summary="Super-resolves to 128 x 128, pose unchanged; brings the face upright first.",
    source="Ledig et al., Photo-Realistic Single Image Super-Resolution Using a GAN, CVPR 2017",
    sizes="16 x 16 (8x) or 32 x 32 (4x) to 128 x 128",
    aligned="upright by the stn first; pose unchanged",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    trainer=Trainer(module="hallucinators.srgan.training", after_aligner=True),
)
class Srgan(AlignedHallucinator):
    """Aligns faces of ``size`` x ``size`` pixels, unless ``align`` is false, and super-resolves them."""

    network = "srgan"

    def build(self, facts: Facts) -> nn.Module:
        """SRResNet of a weight file's preset."""
        from hallucinators.srgan.network import SRResNet

        return SRResNet(facts.preset, facts.lr)
