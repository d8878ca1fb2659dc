"""WaveletSRNet: super-resolution of an upright face by predicting its Haar bands at the LR size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.weight_file import Facts
from hallucinators.stn.aligned import AlignedHallucinator

if TYPE_CHECKING:
    from torch import nn

PAPER_PARAMETERS = 74_999_296
"""At 8x in the paper preset; 51,353,968 at 4x."""
DEPARTURES: tuple[str, ...] = (
    "faces are aligned by the stn first, as in the comparison of the VividGAN paper; the stn is frozen and this "
    "network is trained on its output",
    "losses are means over the values of a face where the authors take half the sums: all divided by 24576, the "
    "texture term too, whose effect is as small as theirs; no weight decay",
    "the rate rises, and falls by a cosine; whole faces in place of random crops",
    "compact: 3 groups of residual blocks of up to 128 channels (64 from 32 pixels) in place of 5 of up to 1024",
    "compact: 6 or 8 channels a band in the heads in place of 32, no second widening, at most 12 groups (3 from 32 "
    "pixels) where the paper has one for each band",
    "compact: adds to the bands of the bicubic enlargement; the paper predicts the bands themselves",
)


@register_method(
    "waveletsrnet",
    summary="Super-resolves to 128 x 128 by Haar wavelet bands, pose unchanged; aligns the face first.",
    source="Huang, He, Sun, Tan, Wavelet-SRNet: A Wavelet-based CNN for Multi-scale Face Super Resolution, ICCV 2017",
    sizes="16 x 16 (8x) or 32 x 32 (4x) to 128 x 128",
    aligned="upright by the stn first; pose unchanged",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    trainer=Trainer(module="hallucinators.waveletsrnet.training", after_aligner=True),
)
class WaveletSrNet(AlignedHallucinator):
    """Aligns faces of ``size`` x ``size`` pixels, unless ``align`` is false, and super-resolves them."""

    network = "waveletsrnet"

    def build(self, facts: Facts) -> nn.Module:
        """The network of a weight file's preset."""
        from hallucinators.waveletsrnet.network import WaveletSRNet

        return WaveletSRNet(lr=facts.lr, preset=facts.preset)
