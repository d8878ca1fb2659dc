"""Any recognition network in an ONNX file; the arguments say how its input is prepared."""

from __future__ import annotations

from collections.abc import Mapping

from bench.interfaces import RECOGNISERS
from bench.recognisers.networks.file_recogniser import FileRecogniser
from bench.recognisers.networks.onnx_session import OnnxNetworkInParts


@RECOGNISERS.register(
    "onnx",
    summary="Any recognition network in an ONNX file (weights=PATH); size, colour and scaling as arguments.",
    source="the file given",
    licence="that of the file given",
)
class OnnxFile(FileRecogniser[OnnxNetworkInParts]):
    """Input (x - mean) / std of 0..255 values, where the file's own graph does not scale them.

    Several images go in at once only where that gives what each gives alone, which is tried when the file is opened.

    Args:
        weights: the ONNX file: one image input, and an output that is the embedding.
        mean: one value, or one for each channel in that order. By default 127.5; 0 where the graph scales its
            input by itself or takes whole numbers.
        std: what differences from the mean are divided by, one value or three; none is 0. By
            default 127.5; 1 where the graph scales, 255 where it does so from [0, 1].
    """

    name = "onnx"
    format = "an ONNX file"
    network_type = OnnxNetworkInParts

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        inside = self._network.graph.arithmetic
        return {**super().execution(), **({"scaling in the graph": ", ".join(inside.nodes)} if inside else {})}

    def notes(self) -> tuple[str, ...]:
        """See `Recogniser.notes`."""
        scaling, fitting, inside = self._scaling, self._network.scaling, self._network.graph.arithmetic
        if not self._scaling_is_given or inside is None or not inside.scales_twice(scaling):
            return super().notes()
        note = (
            f"{self.weights[0].name} shifts or scales its input by itself ({', '.join(inside.nodes)}): with mean="
            f"{list(scaling.mean)}, std={list(scaling.std)} values are scaled twice. Leave mean and std out, or say "
            f"mean={list(fitting.mean)},std={list(fitting.std)}."
        )
        return (note, *super().notes())
