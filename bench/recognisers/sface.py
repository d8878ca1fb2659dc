"""SFace: a MobileFaceNet-like network. Its weights come with the suite, so it runs after installation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.align.templates import ARCFACE_112
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.recognisers.networks.chips import PLAIN, check_chips
from bench.recognisers.networks.onnx_session import OnnxNetwork
from bench.weights import weights_file

MODEL = Path(__file__).with_name("face_recognition_sface_2021dec_int8bq.onnx")
"""The weights; source, licence and digest are in the card of that name beside it."""
_HOW_TO_GET = "Install the suite again, or pass weights=PATH of OpenCV's face_recognition_sface_2021dec ONNX file."


def _missing() -> str | None:
    return None if MODEL.is_file() else f"The SFace weights are not here. {_HOW_TO_GET}"


@RECOGNISERS.register(
    "sface",
    summary="SFace (MobileNet backbone, 8-bit weights), 128-d; runs straight after installation.",
    source="Zhong et al. 2021, SFace: sigmoid-constrained hypersphere loss; OpenCV model zoo",
    licence="Apache-2.0",
    missing=_missing,
)
class SFace(Recogniser):
    """The default recogniser. Its graph scales 0..255 values itself."""

    face = ARCFACE_112
    embedding_size = 128
    colour = "RGB"
    scaling = "0..255, unscaled (the graph scales)"

    def __init__(self, *, weights: Path | None = None, threads: int = 0) -> None:
        """Find the weights.

        Args:
            weights: the ONNX file; by default the one that comes with the suite.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there are no weights.
        """
        path = weights or MODEL
        self.weights = (weights_file(path, wanted_by="Recogniser sface", how_to_get=_HOW_TO_GET),)
        self._network = OnnxNetwork(path, threads=threads, sha256=self.weights[0].sha256)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def notes(self) -> tuple[str, ...]:
        """See `Recogniser.notes`."""
        return self._network.notes()

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, 112, 112, 3) as float32 (N, 128)."""
        check_chips(chips, self.face, recogniser="sface")
        return self._network.embed(chips, PLAIN)
