"""The aligner as a hallucinator: unaligned LR faces to upright ones of the same size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.align.template import TRUTH_FRAME
from bench.types import ImageSpec
from hallucinators.networks.hallucinator import SizedHallucinator
from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.weight_file import Facts

if TYPE_CHECKING:
    from torch import nn

PAPER_PARAMETERS = 58_592
"""Of the authors' spatial transformer on an RGB face of 16 x 16 in the paper preset; 13,244 at 32 x 32."""
DEPARTURES: tuple[str, ...] = (
    "the paper only says that a spatial transformer aligns; the layers of the preset `paper` are those of the authors' "
    "earlier code (XinYuANU/JFFH), which starts from a rotation by 1 rad, while this starts from the identity",
    "rotation, scale and shift are limited to 60 degrees, a factor of 2 and 0.3 of the side",
    "it is trained with the true positions of points, which generated pairs have; with pixels alone it is not trained",
    "compact: two networks, the second one on the face aligned by the first; six convolutions and more channels in "
    "each",
    "one resampling, bicubic where the authors' code is bilinear: 1.8 to 1.9 dB more with the true similarity",
)


@register_method(
    "stn",
    summary="Brings an unaligned LR face upright, same size, same pose: the step before srgan, cbn, waveletsrnet.",
    source="Zhang, Tsang, Li, Liu, Lu, Yu, TIP 2021, section V.A.2; Jaderberg et al., NIPS 2015",
    sizes="16 x 16 or 32 x 32, given back",
    aligned="it is the aligner; pose unchanged",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    trainer=Trainer(module="hallucinators.stn.aligner"),
)
class Stn(SizedHallucinator):
    """Aligns faces of ``size`` x ``size`` pixels. srgan, cbn and waveletsrnet include it (``align``)."""

    network = "stn"
    output_spec = ImageSpec()
    output_frame = TRUTH_FRAME

    def build(self, facts: Facts) -> nn.Module:
        """The aligner of a weight file."""
        from hallucinators.stn.aligner import Aligner

        return Aligner(facts.preset, facts.lr)
