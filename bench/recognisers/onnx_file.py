"""Any recognition network in an ONNX file; the arguments say how its input is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.onnx.ports import Layout
from bench.recognisers.networks.chips import Scaling, check_chips
from bench.recognisers.networks.network_file import (
    COLOURS,
    ColourName,
    TemplateName,
    check_arguments,
    chip_size,
    describe_scaling,
    face_template,
    scaling_of,
)
from bench.recognisers.networks.onnx_session import OnnxNetwork
from bench.weights import weights_file


@RECOGNISERS.register(
    "onnx",
    summary="Any recognition network in an ONNX file (weights=PATH); size, colour and scaling as arguments.",
    source="the file given",
    licence="that of the file given",
)
class OnnxFile(Recogniser):
    """Input (x - mean) / std of 0..255 values, where the file's own graph does not scale them.

    Several images go in at once only where that gives what each gives alone, which is tried when the file is opened.
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
            weights: the ONNX file: one image input, and an output that is the embedding.
            size: height and width of a chip; by default what the file declares.
            colour: channel order the network was trained on; ``gray`` gives networks of one channel luma (BT.601, as
                Pillow's mode L: 0.299 R + 0.587 G + 0.114 B).
            mean: one value, or one for each channel in that order. By default 127.5; 0 where the graph scales its
                input by itself or takes whole numbers.
            std: what differences from the mean are divided by, one value or three; none is 0. By
                default 127.5; 1 where the graph scales, 255 where it does so from [0, 1].
            layout: order of the input's axes; by default where the file declares three channels or one.
            output_name: the output that is the embedding, where the file has several.
            template: where the network wants the face; scaled to ``size``.
            points: five points as ten numbers x, y, x, y... in pixels of the chip, in place of ``template``.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there is no such file.
            DataError: it is no recognition network.
            UsageError: an argument does not go with the file, or the file needs one more.
        """
        check_arguments("onnx", colour=colour, mean=mean, std=std, size=size, points=points)
        named = partial(weights_file, wanted_by="Recogniser onnx", how_to_get="Give the path of an ONNX file.")
        self.weights = (named(weights),)
        self.colour = COLOURS[colour]
        self._network = OnnxNetwork(
            weights,
            layout=layout,
            colour=self.colour,
            output_name=output_name,
            threads=threads,
            sha256=self.weights[0].sha256,
            in_parts=True,
        )
        self.weights += tuple(named(part) for part in self._network.graph.parts)
        height, width = chip_size("onnx", size, (self._network.graph.height, self._network.graph.width), weights)
        self.face = face_template(height, width, template, points)
        self._scaling, self._scaling_notes = self._choose_scaling(mean, std, weights)
        self.scaling = describe_scaling(self._scaling)
        self.embedding_size = self._network.embedding_size(height, width, self._scaling)

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3) of ``face`` as float32 (N, ``embedding_size``)."""
        check_chips(chips, self.face, recogniser="onnx")
        return self._network.embed(chips, self._scaling)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        inside = self._network.graph.arithmetic
        more = {"scaling in the graph": ", ".join(inside.nodes)} if inside else {}
        return {**super().execution(), **self._network.execution(), **more}

    def notes(self) -> tuple[str, ...]:
        """See `Recogniser.notes`."""
        return (*self._scaling_notes, *self._network.notes())

    def _choose_scaling(
        self, mean: tuple[float, ...] | None, std: tuple[float, ...] | None, path: Path
    ) -> tuple[Scaling, tuple[str, ...]]:
        """The scaling to use, and notes on it."""
        graph, fitting = self._network.graph, self._network.scaling
        scaling = scaling_of("onnx", mean, std, image=graph.image, fitting=fitting, path=path)
        if mean is None and std is None:
            return scaling, ()
        if graph.arithmetic is None or not graph.arithmetic.scales_twice(scaling):
            return scaling, ()
        note = (
            f"{path.name} shifts or scales its input by itself ({', '.join(graph.arithmetic.nodes)}): with mean="
            f"{list(scaling.mean)}, std={list(scaling.std)} values are scaled twice. Leave mean and std out, or say "
            f"mean={list(fitting.mean)},std={list(fitting.std)}."
        )
        return scaling, (note,)
