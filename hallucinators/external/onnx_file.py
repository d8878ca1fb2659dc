"""``onnx``: any image-to-image network in an ONNX file, with its input format as arguments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.devices import cpu_threads
from bench.errors import ContractError, DataError, UsageError, one_line, pip_install
from bench.interfaces import HALLUCINATORS, FloatImages
from bench.onnx.ports import Layout, Port
from bench.onnx.session import check_providers, open_session, run_session
from bench.types import ImageSpec
from bench.weights import package_file, unchanged_weights, weights_file
from hallucinators.external.onnx_graph import Graph, image_port, layout_of, one_value, read_graph, side_of
from hallucinators.external.own_export import OwnExport, own_export
from hallucinators.external.restorer import Colour, Restorer, check_sides

Values = Literal["0..1", "-1..1", "0..255"]

_RANGES = {
    "0..1": (np.float32(1), np.float32(0)),
    "-1..1": (np.float32(2), np.float32(-1)),
    "0..255": (np.float32(255), np.float32(0)),
}
"""Width and lower end of each range."""
_HOW_TO_GET = "Give the path of an ONNX file: onnx:file=FILE."
_PROBES = (32, 64)
"""Input sides for which the output size of a network of free size is measured."""


class _Ends(NamedTuple):
    """Input and output of the graph for the image."""

    into: Port
    into_layout: Layout
    out: Port
    out_layout: Layout
    channels: int


def _missing() -> str | None:
    """Why it cannot run; None where it can."""
    absent = [name for name in ("onnx", "onnxruntime") if package_file(name, "__init__.py") is None]
    return f"The libraries {' and '.join(absent)} are not installed: {pip_install(*absent)}." if absent else None


@HALLUCINATORS.register(
    "onnx",
    summary="Any image-to-image network in an ONNX file (file=PATH); size, colour and values as arguments.",
    source="the file given",
    licence="that of the file given",
    missing=_missing,
)
class OnnxFile(Restorer):
    """Runs on onnxruntime. Files of ``bench export`` need no further argument: their metadata have the format."""

    def __init__(
        self,
        *,
        file: Path,
        size: int | None = None,
        scale: int | None = None,
        output: int | None = None,
        colour: Colour = "RGB",
        values: Values = "0..1",
        values_out: Values | None = None,
        layout: Layout | Literal["auto"] = "auto",
        input_name: str = "",
        output_name: str = "",
        w: float | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Read the file's declarations; the network is opened at first use.

        If neither the file nor ``scale`` nor ``output`` determines the output size, it is opened here and run on a grey
        image.

        Args:
            file: the ONNX file.
            size: side of the square input of the network (bicubic resizing); 0 leaves images unchanged. By default that
                of the file; 0 if that is free.
            scale: magnification, if the file does not declare the output size.
            output: side that results are resized to; by default that of the network.
            colour: channel order of the network, in and out; ``gray`` for a network of one channel: it runs on luma
                (BT.601: 0.299 R + 0.587 G + 0.114 B), and chroma is interpolated (bicubic).
            values: range of the input values.
            values_out: range of the output values; by default that of ``values``.
            layout: order of the axes; by default from the axis of three channels in the file.
            input_name: the input for the image, if there are several.
            output_name: the output, if several are images.
            w: value of a second, scalar input, such as CodeFormer's fidelity, from 0 (image quality) to 1 (fidelity to
                the input).
            device: ``cpu``, or ``cuda`` if onnxruntime has it.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there is no such file.
            DataError: the file is damaged or no image-to-image network.
            UsageError: an argument does not fit the file, or one is missing.
        """
        check_sides("onnx", size=size, output=output)
        if scale is not None and scale < 1:
            raise UsageError(f"onnx: scale is {scale}; it must be 1 or more")
        named = partial(weights_file, wanted_by="Hallucinator onnx", how_to_get=_HOW_TO_GET)
        self.weights = (named(file),)
        graph = read_graph(file)
        self.weights += tuple(named(part) for part in graph.parts)
        exported = own_export(graph.metadata, [port.name for port in graph.outputs])
        channels = 1 if colour == "gray" else 3
        self._ends = _ends(
            graph, layout, input_name, output_name or (exported.output if exported else ""), channels, file
        )
        self._extra = _extra_inputs(graph, self._ends.into, exported, w, file)
        self._values, self._values_out = values, values_out or values
        if np.dtype(self._ends.into.dtype).kind in "iu" and values != "0..255":
            raise UsageError(f"onnx: {self._ends.into} takes whole numbers; say values=0..255")
        self._file, self._threads = file, cpu_threads(threads)
        check_providers(device)
        self._device = device
        self._pick_side = exported.side_for if exported and size is None else None
        self.output_frame = exported.frame if exported else ""
        side = _side_in(self._ends, size, file)
        result = _declared(self._ends, side, scale, file)
        if result is None and not output:
            result = self._probe(side)
        super().__init__(side=side, result=result, output=output or None, colour=colour)

    def _side_for(self, lr: FloatImages) -> int | None:
        return self._pick_side(lr.shape[2], lr.shape[3]) if self._pick_side else self._side

    def _open(self) -> Any:
        with unchanged_weights(*self.weights):
            return open_session(self._file, path=self._file, threads=self._threads, device=self._device)

    def execution(self) -> Mapping[str, object]:
        """What was used; see `Hallucinator.execution`."""
        colour = "luma by the network, chroma enlarged bicubically" if self._colour == "gray" else self._colour
        facts: dict[str, object] = {
            "device": self._device,
            "batch": "one image a call",
            "input": self._ends.into.name,
            "output": self._ends.out.name,
            "layout": self._ends.into_layout,
            "colour": colour,
            "values": f"{self._values} to {self._values_out}",
        }
        opened = self.__dict__.get("_network")  # absent where every image was in the cache
        return {**facts, "providers": opened.get_providers()} if opened is not None else facts

    def _run(self, network: Any, face: FloatImages) -> FloatImages:
        into = _scale_values(face, self._values)
        if self._ends.into_layout == "nhwc":
            into = into.transpose(0, 2, 3, 1)
        if np.dtype(self._ends.into.dtype).kind in "iu":
            into = np.rint(into)
        given = {self._ends.into.name: np.ascontiguousarray(into, self._ends.into.dtype), **self._extra}
        result = np.asarray(run_session(network, [self._ends.out.name], given)[0], np.float32)
        if result.ndim == 3:
            result = result[None]
        if self._ends.out_layout == "nhwc" and result.ndim == 4:
            result = result.transpose(0, 3, 1, 2)
        return _unscale_values(result, self._values_out)

    def _probe(self, side: int | None) -> ImageSpec:
        """Output size of the network, measured on grey images."""
        tried = (side,) if side else _PROBES
        channels = self._ends.channels
        given = [np.full((1, channels, length, length), 0.5, np.float32) for length in tried]
        try:
            shapes = [self._run(self._network, grey).shape for grey in given]
        except ContractError as error:  # raised if the network cannot be opened; no run has begun yet
            raise DataError(str(error)) from None
        except Exception as error:  # noqa: BLE001  # of onnxruntime
            raise UsageError(
                f"onnx: {self._file.name} declares no size that comes out, and does not run on {tried[0]} x {tried[0]} "
                f"pixels ({one_line(error)}). Say size=, with scale= or output=."
            ) from None
        if any(len(shape) != 4 or shape[1] != channels or shape[2] != shape[3] for shape in shapes):
            raise DataError(f"{self._file} gives {shapes[0]} for {given[0].shape}: no such image. Look at layout=.")
        sides = [shape[2] for shape in shapes]
        if len(set(sides)) == 1:
            return ImageSpec(sides[0])
        if len({after / before for before, after in zip(tried, sides, strict=True)}) == 1 and sides[0] % tried[0] == 0:
            return ImageSpec(scale=sides[0] // tried[0])
        raise UsageError(f"onnx: {self._file.name} gives sides {sides} for {list(tried)}; say size= or output=.")


def _ends(
    graph: Graph, layout: Layout | Literal["auto"], input_name: str, output_name: str, channels: int, file: Path
) -> _Ends:
    into = image_port(graph.inputs, input_name, kind="input", channels=channels, path=file)
    out = image_port(graph.outputs, output_name, kind="output", channels=channels, path=file)
    if into.dims and into.dims[0] not in (1, None):
        raise UsageError(f"onnx: {file.name} takes {into.dims[0]} images at once; export it for one, or any number.")
    if "unknown" in (into.dtype, out.dtype):
        raise DataError(f"{file} takes or gives images of a type that NumPy does not have: {into}; {out}.")
    order = layout_of(into, layout, channels=channels)
    return _Ends(into, order, out, layout_of(out, "auto", channels=channels, otherwise=order), channels)


def _extra_inputs(
    graph: Graph, image: Port, exported: OwnExport | None, w: float | None, file: Path
) -> dict[str, NDArray[Any]]:
    """Values of the inputs beside the image."""
    given: dict[str, NDArray[Any]] = dict(exported.inputs) if exported else {}
    others = [port for port in graph.inputs if port.name != image.name and port.name not in given]
    if len(others) > 1 or any(not port.is_scalar for port in others):
        listed = "; ".join(map(str, others))
        raise DataError(f"{file} has inputs beside the image that this hallucinator cannot fill: {listed}.")
    if others and w is None:
        raise UsageError(f"onnx: {file.name} has a second input, {others[0]}; say its value by w=, such as w=1.0")
    if w is not None and not others:
        raise UsageError(f"onnx: w={w:g} was given, but {file.name} has no input for it beside the image ({image})")
    return given | {port.name: one_value(port, w or 0) for port in others}


def _side_in(ends: _Ends, size: int | None, file: Path) -> int | None:
    declared = side_of(ends.into, ends.into_layout)
    if declared is None or size is None:
        return declared or size or None
    if size != declared:
        raise UsageError(f"onnx: size={size} was requested; {file.name} takes {declared} x {declared} only")
    return size


def _declared(ends: _Ends, side: int | None, scale: int | None, file: Path) -> ImageSpec | None:
    """Output size of the network by the file or the arguments; None if both leave it open."""
    declared = side_of(ends.out, ends.out_layout)
    by_scale = None if scale is None else ImageSpec(side * scale) if side else ImageSpec(scale=scale)
    if declared is None:
        return by_scale
    if by_scale is not None and side and by_scale.size != declared:
        raise UsageError(f"onnx: scale={scale} was requested; {file.name} makes {declared} of {side} pixels")
    return ImageSpec(declared)


def _scale_values(image: FloatImages, values: Values) -> FloatImages:
    span, low = _RANGES[values]
    return image * span + low


def _unscale_values(image: FloatImages, values: Values) -> FloatImages:
    span, low = _RANGES[values]
    return (image - low) / span
