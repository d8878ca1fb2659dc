"""MagFace: iresnet backbones in their public ``.pth`` files; the length of an embedding is a measure of quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.interfaces import RECOGNISERS
from bench.recognisers.networks.chips import UNIT
from bench.recognisers.published.recogniser import PublishedRecogniser

if TYPE_CHECKING:
    from torch import Tensor, nn

_HOW_TO_GET = "Pass weights=PATH of a .pth file as published by the project MagFace (magface_epoch_00025.pth)."


@RECOGNISERS.register(
    "magface",
    summary="MagFace's iresnet-18 to -100 (.pth), 512-d. Needs weights=PATH.",
    source="Meng et al. 2021, MagFace: a universal representation for face recognition and quality assessment",
    licence="code Apache-2.0; see the project for the weights",
    missing=lambda: f"Its weights come with no package. {_HOW_TO_GET}",
)
class MagFace(PublishedRecogniser):
    """BGR, x / 255, as in the project's program for features."""

    name = "magface"
    how_to_get = _HOW_TO_GET
    colour = "BGR"
    scaling = "x / 255"
    values = UNIT
    prefixes = ("features.module.", "module.features.", "features.", "")
    first = "conv1.weight"

    def _build(self, state: Mapping[str, Tensor]) -> nn.Module:
        from bench.recognisers.published.iresnet import IResNet, blocks_of

        return IResNet(blocks_of(state, str(self._path)), eps=2e-5)
