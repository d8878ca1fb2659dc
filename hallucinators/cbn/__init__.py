"""CBN: super-resolution of an upright face in doublings, each guided by masks of the landmarks seen so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.weight_file import Facts
from hallucinators.stn.aligned import AlignedHallucinator

if TYPE_CHECKING:
    from torch import nn

PAPER_PARAMETERS = 7_155_079
"""Of the three stages at 8x in the paper preset: 5,001,795 + 1,461,507 + 691,777. The network that shows the third
stage its landmarks has 683,713 more, the three landmark regressors 29,447,224. At 4x there is no first stage."""
DEPARTURES: tuple[str, ...] = (
    "faces are brought upright by the stn first, as in the comparison of the VividGAN paper, and not by CBN's own "
    "pre-alignment on five points",
    "training was never published; here all stages and regressors learn together by squared errors: of the last "
    "picture, of the earlier ones (0.3), of what the common branches make alone (0.1), and of the landmarks (0.1)",
    "Adam with one rate; the published networks' factors on the rates of biases, last layers and gates are left out",
    "68 landmarks in place of 105, so brows have one curve each, and nose and jaw two: 14 as in the paper; curves are "
    "cubics of Catmull and Rom",
    "masks of stages 1 and 2 come from landmarks on the picture of that stage's own common branch; the published code "
    "runs other networks without masks for it",
    "the fourth stage (256 pixels) is not built; from 32 pixels the cascade starts at its second, with the LR face "
    "twice",
    "compact: RGB, where the published networks see luminance alone and chrominance is interpolated",
    "compact: branches add to the enlarged picture, have 5 convolutions in place of 12 or 24, and hold several pixels "
    "at one place of 16 x 16 (stage 1) or 32 x 32 features, where masks are drawn; stage 3 has a gate too",
    "compact: regressors of three or four halving convolutions with batch norm, on the whole picture",
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
    """Aligns, unless told not to, and super-resolves faces of ``size`` x ``size`` pixels."""

    network = "cbn"

    def build(self, facts: Facts) -> nn.Module:
        """The cascade of a weight file's preset."""
        from hallucinators.cbn.network import CBN

        return CBN(lr=facts.lr, preset=facts.preset)
