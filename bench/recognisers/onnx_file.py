"""Any recognition network in an ONNX file; how its input is prepared is said in the arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bench.errors import UsageError
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.recognisers._chips import check_chips, network_input
from bench.recognisers._onnx_session import OnnxNetwork
from bench.recognisers.templates import ARCFACE_112, DLIB_150, FACENET_160, SPHEREFACE_112X96
from bench.types import FaceTemplate, Points
from bench.weights import weights_file

_TEMPLATES = {"arcface": ARCFACE_112, "sphereface": SPHEREFACE_112X96, "facenet": FACENET_160, "dlib": DLIB_150}


@RECOGNISERS.register(
    "onnx",
    summary="Any recognition network in an ONNX file (weights=PATH); size, colour and scaling as arguments.",
    source="the file given",
    licence="that of the file given",
)
class OnnxFile(Recogniser):
    """Input (x - mean) / std of 0..255 values. A batch axis fixed in the file is freed, or images go in one by one."""

    def __init__(
        self,
        *,
        weights: Path,
        size: tuple[int, ...] = (),
        colour: Literal["rgb", "bgr"] = "rgb",
        mean: tuple[float, ...] = (127.5,),
        std: tuple[float, ...] = (127.5,),
        layout: Literal["nchw", "nhwc"] = "nchw",
        template: Literal["arcface", "sphereface", "facenet", "dlib"] = "arcface",
        points: tuple[float, ...] = (),
        threads: int = 0,
    ) -> None:
        """Read the file's declarations.

        Args:
            weights: the ONNX file: one image input, the first output is the embedding.
            size: height and width of a chip; by default what the file declares.
            colour: channel order the network was trained on.
            mean: one value, or one for each channel in that order.
            std: what differences from the mean are divided by, one value or three; none is 0.
            layout: order of the input's axes.
            template: where the network wants the face; scaled to ``size``.
            points: five points as ten numbers x, y, x, y... in pixels of the chip, in place of ``template``.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there is no such file.
            DataError: it is no recognition network.
            UsageError: an argument has the wrong number of values, or the size is not the one the file declares.
        """
        if len(mean) not in (1, 3) or len(std) not in (1, 3) or 0 in std:
            raise UsageError(f"onnx: mean={mean} and std={std} must hold 1 or 3 values each, and no std may be 0")
        if len(size) not in (0, 2) or any(side < 1 for side in size):
            raise UsageError(f"onnx: size={size} must be height and width in pixels, such as [112,112]")
        if len(points) not in (0, 10):
            raise UsageError(f"onnx: points holds {len(points)} numbers; five points are ten: x, y, x, y...")
        how_to_get = "Give the path of an ONNX file."
        self.weights = (weights_file(weights, wanted_by="Recogniser onnx", how_to_get=how_to_get),)
        self._network = OnnxNetwork(weights, layout=layout, threads=threads)
        height, width = self._size(size, weights)
        self.face = _template(height, width, _TEMPLATES[template], points)
        self.colour = "RGB" if colour == "rgb" else "BGR"
        self.scaling = f"(x - {_listed(mean)}) / {_listed(std)}"
        self._mean, self._std = mean, std
        self.embedding_size = self._network.embedding_size(height, width)

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3) of ``face`` as float32 (N, ``embedding_size``)."""
        check_chips(chips, self.face, recogniser="onnx")
        return self._network.run(network_input(chips, colour=self.colour, mean=self._mean, std=self._std))

    def _size(self, asked: tuple[int, ...], path: Path) -> tuple[int, int]:
        declared = (self._network.graph.height, self._network.graph.width)
        sides = asked or declared
        for side, fixed in zip(sides, declared, strict=True):
            if fixed is not None and side != fixed:
                raise UsageError(f"onnx: size={list(asked)} was asked for; {path.name} takes {list(declared)}")
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
