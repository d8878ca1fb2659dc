"""Any recognition network in a TensorFlow Lite file; the arguments say how its input is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.onnx.ports import Layout
from bench.recognisers.networks.chips import check_chips
from bench.recognisers.networks.network_file import (
    COLOURS,
    ColourName,
    TemplateName,
    check_arguments,
    chip_size,
    default_scaling,
    describe_scaling,
    face_template,
    scaling_of,
)
from bench.recognisers.networks.tflite_session import TfliteNetwork
from bench.weights import weights_file


@RECOGNISERS.register(
    "tflite",
    summary="Any recognition network in a TensorFlow Lite file (weights=PATH); colour and scaling as arguments.",
    source="the file given",
    licence="that of the file given",
)
class TfliteFile(Recogniser):
    """Input (x - mean) / std of 0..255 values; a quantised network takes the whole numbers that stand for these values.

    A batch of fixed length is filled up with copies of an image. Several images go in at once only where that gives
    what each gives alone, which is tried when the file is opened. The file is first run in a process of its own.
    """

    def __init__(
        self,
        *,
        weights: Path,
        size: tuple[int, ...] = (),
        colour: ColourName = "rgb",
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        layout: Layout | Literal["auto"] = "auto",
        output_name: str = "",
        template: TemplateName = "arcface",
        points: tuple[float, ...] = (),
        threads: int = 0,
    ) -> None:
        """Read the file's declarations.

        Args:
            weights: the TensorFlow Lite file: one image input, and an output that is the embedding.
            size: height and width of a chip; by default what the file declares.
            colour: channel order the network was trained on; ``gray`` gives networks of one channel luma (BT.601, as
                Pillow's mode L: 0.299 R + 0.587 G + 0.114 B).
            mean: one value, or one for each channel in that order. By default 127.5; 0 where the network takes whole
                numbers that stand for themselves.
            std: what differences from the mean are divided by, one value or three; none is 0. By
                default 127.5; 1 where the network takes whole numbers that stand for themselves.
            layout: order of the input's axes; by default where the file declares three channels or one.
            output_name: name of the output that is the embedding, or its index from 0, where the file has several.
            template: where the network wants the face; scaled to ``size``.
            points: five points as ten numbers x, y, x, y... in pixels of the chip, in place of ``template``.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there is no such file, or ai-edge-litert is not installed.
            DataError: it is no recognition network that LiteRT runs.
            UsageError: an argument does not go with the file, or the file needs one more.
        """
        check_arguments("tflite", colour=colour, mean=mean, std=std, size=size, points=points)
        file = weights_file(
            weights, wanted_by="Recogniser tflite", how_to_get="Give the path of a TensorFlow Lite file."
        )
        self.weights = (file,)
        self.colour = COLOURS[colour]
        self._network = TfliteNetwork(
            weights, layout=layout, colour=self.colour, output_name=output_name, threads=threads, sha256=file.sha256
        )
        graph = self._network.graph
        height, width = chip_size("tflite", size, (graph.height, graph.width), weights)
        self.face = face_template(height, width, template, points)
        self._scaling = scaling_of(
            "tflite", mean, std, image=graph.image, fitting=default_scaling(graph.image), path=weights
        )
        self.scaling = describe_scaling(self._scaling)
        self.embedding_size = self._network.embedding_size(height, width, self._scaling)

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3) of ``face`` as float32 (N, ``embedding_size``)."""
        check_chips(chips, self.face, recogniser="tflite")
        return self._network.embed(chips, self._scaling)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def notes(self) -> tuple[str, ...]:
        """See `Recogniser.notes`."""
        return self._network.notes()
