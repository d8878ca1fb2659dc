"""Files of ``bench export``: how they are run, from their metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.align.template import TRUTH_FRAME
from bench.interfaces import FloatImages

_MAKER = "face-hallucination-bench"
_SMALL, _LARGE = 16, 32  # the sides that vividgan-flow resizes faces to


@dataclass(frozen=True)
class OwnExport:
    """Facts of a file of ``bench export``.

    Attributes:
        output: name of the output: the final face, or the coarse one if there is no other.
        inputs: values of the other inputs: the template centres of the components.
        frame: frame of the output faces.
        any_side: whether it takes more than one side.
    """

    output: str
    inputs: Mapping[str, FloatImages]
    frame: str
    any_side: bool

    def side_for(self, height: int, width: int) -> int | None:
        """Side that a face is resized to, as in the hallucinator; None if the file declares it."""
        if not self.any_side:
            return None
        return _LARGE if max(height, width) > _SMALL else _SMALL


def own_export(metadata: Mapping[str, str], outputs: Sequence[str]) -> OwnExport | None:
    """Read the metadata of an ONNX file; None if ``bench export`` did not write it, or its metadata are incomplete."""
    if not metadata.get("made_by", "").startswith(_MAKER) or not metadata.get("network", "").startswith("vividgan"):
        return None
    output = next((name for name in ("fine", "coarse") if name in outputs), "")
    try:
        centres = np.asarray(json.loads(metadata.get("template_centres", "")), np.float32)
    except ValueError:
        return None
    if not output or centres.shape != (4, 2):
        return None
    inputs = {"centres": centres[None]} if "prior" in outputs else {}
    return OwnExport(output, inputs, TRUTH_FRAME, metadata.get("lr") == "any")
