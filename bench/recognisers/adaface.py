"""AdaFace: IR-18, IR-50 and IR-101 in their public ``.ckpt`` files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.interfaces import RECOGNISERS
from bench.recognisers.networks.chips import USUAL
from bench.recognisers.published.recogniser import PublishedRecogniser

if TYPE_CHECKING:
    from torch import Tensor, nn

_HOW_TO_GET = "Pass weights=PATH of a .ckpt file as published by the project AdaFace (adaface_ir50_ms1mv2.ckpt)."


@RECOGNISERS.register(
    "adaface",
    summary="AdaFace's IR-18, IR-50 or IR-101 (.ckpt), 512-d. Needs weights=PATH.",
    source="Kim et al. 2022, AdaFace: quality adaptive margin for face recognition",
    licence="code MIT; the training sets are for research",
    missing=lambda: f"Its weights come with no package. {_HOW_TO_GET}",
)
class AdaFace(PublishedRecogniser):
    """BGR, (x - 127.5) / 127.5; the embedding before the network's division by its length."""

    name = "adaface"
    how_to_get = _HOW_TO_GET
    colour = "BGR"
    scaling = "(x - 127.5) / 127.5"
    values = USUAL
    prefixes = ("model.", "")
    first = "input_layer.0.weight"

    def _build(self, state: Mapping[str, Tensor]) -> nn.Module:
        from bench.recognisers.published.adaface_ir import AdaFaceIR, units_of

        return AdaFaceIR(units_of(state), str(self._path))
