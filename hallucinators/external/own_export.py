"""How files of ``bench export`` are run: their metadata say it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.align.template import TRUTH_FRAME
from bench.interfaces import FloatImages

_MAKER = "face-hallucination-bench"
_SMALL, _LARGE = 16, 32  # the sides that vividgan-flow brings faces to


@dataclass(frozen=True)
class OwnExport:
    """What a file of ours says.

    Attributes:
        output: the output that is the face: the final one, or the coarse one where there is no other.
        inputs: what inputs beside the face are given: the usual places of the components.
        frame: the frame that faces come out in.
        any_side: whether it takes more than one side.
    """

    output: str
    inputs: Mapping[str, FloatImages]
    frame: str
    any_side: bool

    def side_for(self, height: int, width: int) -> int | None:
        """The side a face is brought to, as the hallucinator does; None where the file itself declares it."""
        if not self.any_side:
            return None
        return _LARGE if max(height, width) > _SMALL else _SMALL


def own_export(metadata: Mapping[str, str], outputs: Sequence[str]) -> OwnExport | None:
    """Read the metadata of an ONNX file; None where somebody else made it.

    A file that claims to be ours and does not hold what ours do counts as somebody else's.
    """
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
