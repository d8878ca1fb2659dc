"""Any recognition network in an ONNX file; the arguments say how its input is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from bench.align.templates import ARCFACE_112, DLIB_150, FACENET_160, SPHEREFACE_112X96
from bench.errors import UsageError
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.onnx.ports import Layout
from bench.recognisers.networks.chips import Colour, check_chips
from bench.recognisers.networks.onnx_scaling import USUAL, Scaling
from bench.recognisers.networks.onnx_session import OnnxNetwork
from bench.types import FaceTemplate, Points
from bench.weights import weights_file

_TEMPLATES = {"arcface": ARCFACE_112, "sphereface": SPHEREFACE_112X96, "facenet": FACENET_160, "dlib": DLIB_150}
_COLOURS: dict[str, Colour] = {"rgb": "RGB", "bgr": "BGR", "gray": "gray"}


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
        colour: Literal["rgb", "bgr", "gray"] = "rgb",
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        layout: Layout | Literal["auto"] = "auto",
        output_name: str = "",
        template: Literal["arcface", "sphereface", "facenet", "dlib"] = "arcface",
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
        for name, values in (("mean", mean), ("std", std)):
            if values is not None and len(values) not in ((1,) if colour == "gray" else (1, 3)):
                raise UsageError(
                    f"onnx: {name}={list(values)} must hold {'1' if colour == 'gray' else '1 or 3'} values"
                )
            if not np.isfinite(values or ()).all():
                raise UsageError(f"onnx: {name}={list(values or ())} must be finite")
        if std is not None and 0 in std:
            raise UsageError(f"onnx: std={list(std)}: no std may be 0")
        if len(size) not in (0, 2) or any(side < 1 for side in size):
            raise UsageError(f"onnx: size={size} must be height and width in pixels, such as [112,112]")
        if len(points) not in (0, 10):
            raise UsageError(f"onnx: points holds {len(points)} numbers; five points are ten: x, y, x, y...")
        named = partial(weights_file, wanted_by="Recogniser onnx", how_to_get="Give the path of an ONNX file.")
        self.weights = (named(weights),)
        self.colour = _COLOURS[colour]
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
        height, width = self._size(size, weights)
        self.face = _template(height, width, _TEMPLATES[template], points)
        self._scaling, self._scaling_notes = self._choose_scaling(mean, std, weights)
        self.scaling = f"(x - {_listed(self._scaling.mean)}) / {_listed(self._scaling.std)}"
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
        kind = np.dtype(graph.image.dtype)
        if mean is None and std is None:
            if kind == np.int8:
                raise UsageError(
                    f"onnx: {path.name} takes {graph.image}; say how 0..255 become signed bytes, such as "
                    "mean=[128],std=[1]"
                )
            return fitting, ()
        scaling = Scaling(mean or USUAL.mean, std or USUAL.std)
        if kind.kind in "iu":
            low, high = (0 - max(scaling.mean)) / min(scaling.std), (255 - min(scaling.mean)) / min(scaling.std)
            if low < np.iinfo(kind).min or high > np.iinfo(kind).max or high - low < 128:
                raise UsageError(
                    f"onnx: {path.name} takes {graph.image}; mean={list(scaling.mean)},std={list(scaling.std)} makes "
                    f"values from {low:g} to {high:g}, which whole numbers of that kind do not hold. Leave both out."
                )
        if graph.arithmetic is None or not graph.arithmetic.scales_twice(scaling):
            return scaling, ()
        note = (
            f"{path.name} shifts or scales its input by itself ({', '.join(graph.arithmetic.nodes)}): with mean="
            f"{list(scaling.mean)}, std={list(scaling.std)} values are scaled twice. Leave mean and std out, or say "
            f"mean={list(fitting.mean)},std={list(fitting.std)}."
        )
        return scaling, (note,)

    def _size(self, size: tuple[int, ...], path: Path) -> tuple[int, int]:
        declared = (self._network.graph.height, self._network.graph.width)
        sides = size or declared
        for side, fixed in zip(sides, declared, strict=True):
            if fixed is not None and side != fixed:
                raise UsageError(f"onnx: size={list(size)} was given; {path.name} takes {list(declared)}")
        height, width = sides
        if height is None or width is None:
            raise UsageError(f"onnx: {path.name} takes images of any size; say which: size=[112,112]")
        return height, width


def _template(height: int, width: int, known: FaceTemplate, points: tuple[float, ...]) -> FaceTemplate:
    if points:
        return FaceTemplate(height, width, tuple(zip(points[::2], points[1::2], strict=True)))
    scaled: Points = tuple((x * width / known.width, y * height / known.height) for x, y in known.points)
    return FaceTemplate(height, width, scaled)


def _listed(values: tuple[float, ...]) -> str:
    return f"{values[0]:g}" if len(values) == 1 else f"({', '.join(f'{value:g}' for value in values)})"
