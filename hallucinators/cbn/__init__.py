"""CBN: super-resolution of an upright face in doublings, each guided by masks of estimated landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.weight_file import Facts
from hallucinators.stn.aligned import AlignedHallucinator

if TYPE_CHECKING:
    from torch import nn

PAPER_PARAMETERS = 7_155_079
"""Of the three stages at 8x in the paper preset: 5,001,795 + 1,461,507 + 691,777. The network before the landmarks of
the third stage has 683,713 more, the three landmark regressors 29,447,224. At 4x there is no first stage."""
DEPARTURES: tuple[str, ...] = (
    "faces are aligned by the stn first, as in the comparison of the VividGAN paper, not by CBN's alignment on five "
    "points",
    "the training was never published; here all stages and regressors are trained together with squared errors: of the "
    "last image, of the earlier ones (0.3), of the images of the common branches (0.1), and of the landmarks (0.1)",
    "Adam with one rate; the published networks' factors on the rates of biases, last layers and gates are left out",
    "68 landmarks in place of 105, so brows have one curve each, and nose and jaw two: 14 as in the paper; curves are "
    "cubics of Catmull and Rom",
    "masks of stages 1 and 2 come from landmarks on the image of that stage's common branch; the published code has "
    "other networks without masks for it",
    "there is no fourth stage (256 pixels); from 32 pixels the cascade starts at its second stage, with the LR face "
    "twice",
    "compact: RGB, where the published networks take luminance only and chrominance is interpolated",
    "compact: branches add to the enlarged image, have 5 convolutions in place of 12 or 24, and have several pixels at "
    "each position of 16 x 16 (stage 1) or 32 x 32 features, the size of the masks; stage 3 has a gate too",
    "compact: regressors of three or four strided convolutions with batch norm, on the whole image",
)


@register_method(
    "cbn",
    summary="Super-resolves to 128 x 128 by doublings and landmark masks, pose unchanged; aligns the face first.",
    source="Zhu, Liu, Loy, Tang, Deep Cascaded Bi-Network for Face Hallucination, ECCV 2016",
    sizes="16 x 16 (8x) or 32 x 32 (4x) to 128 x 128",
    aligned="upright by the stn first; pose unchanged",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    trainer=Trainer(module="hallucinators.cbn.training", after_aligner=True),
)
class Cbn(AlignedHallucinator):
    """Aligns faces of ``size`` x ``size`` pixels, unless ``align`` is false, and super-resolves them."""

    network = "cbn"

    def build(self, facts: Facts) -> nn.Module:
        """The cascade of a weight file's preset."""
        from hallucinators.cbn.network import CBN

        return CBN(lr=facts.lr, preset=facts.preset)
