"""ArcFace: iresnet backbones in their public ``.pth`` files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.interfaces import RECOGNISERS
from bench.recognisers.networks.chips import USUAL
from bench.recognisers.published.recogniser import PublishedRecogniser

if TYPE_CHECKING:
    from torch import Tensor, nn

_HOW_TO_GET = "Pass weights=PATH of backbone.pth, as published by the project insightface (arcface_torch)."


@RECOGNISERS.register(
    "arcface",
    summary="ArcFace's iresnet-18 to -100 (.pth), 512-d. Needs weights=PATH.",
    source="Deng et al. 2019, ArcFace; weights of insightface's arcface_torch",
    licence="code MIT; the weights are for non-commercial research",
    missing=lambda: f"Its weights come with no package. {_HOW_TO_GET}",
)
class ArcFace(PublishedRecogniser):
    """RGB, (x - 127.5) / 127.5."""

    name = "arcface"
    how_to_get = _HOW_TO_GET
    colour = "RGB"
    scaling = "(x - 127.5) / 127.5"
    values = USUAL
    prefixes = ("", "backbone.")
    first = "conv1.weight"

    def _build(self, state: Mapping[str, Tensor]) -> nn.Module:
        from bench.recognisers.published.iresnet import IResNet, blocks_of

        return IResNet(blocks_of(state, str(self._path)), eps=1e-5)
