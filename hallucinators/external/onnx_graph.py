"""Declarations of an ONNX file: inputs, outputs, sizes, metadata. Its weights are not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError, one_line
from bench.io.file_digests import known_file_digest
from bench.onnx.ports import CHANNELS_AT, Layout, Port, describe_ports, external_files, port_of


@dataclass(frozen=True)
class Graph:
    """An ONNX file's declarations.

    Attributes:
        inputs: inputs that a caller must provide.
        outputs: outputs.
        metadata: metadata texts by key.
        parts: files beside it with its weights.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]
    parts: tuple[Path, ...]


def read_graph(path: Path) -> Graph:
    """Read the declarations of an ONNX file, which exists.

    Raises:
        DataError: it is damaged or no ONNX file, or names weights outside its folder.
    """
    return _read(path, known_file_digest(path))


def image_port(
    ports: Sequence[Port], name: str, *, kind: Literal["input", "output"], channels: int, path: Path
) -> Port:
    """The input or output for images of this number of channels: the one named, or else the only candidate.

    Raises:
        UsageError: there is none of that name, no candidate, or several.
    """
    named = [port for port in ports if port.name == name]
    if name and not named:
        raise UsageError(
            f"onnx: {path.name} has no {kind} {name!r}; it has {describe_ports(ports)}. Name one by {kind}_name="
        )
    fitting = named or [port for port in ports if _may_be_image(port, channels)]
    if len(fitting) > 1:
        raise UsageError(
            f"onnx: {path.name} has several {kind}s that may be the image: {describe_ports(ports)}. Say {kind}_name="
        )
    if fitting:
        return fitting[0]
    if channels == 3 and any(_may_be_image(port, 1) for port in ports):
        raise UsageError(
            f"onnx: the {kind} of {path.name} has one channel: {describe_ports(ports)}. Give colour=gray: the network "
            "then gets luma, and chroma is enlarged bicubically."
        )
    wanted = "an RGB image" if channels == 3 else "an image of one channel (colour=gray)"
    raise UsageError(
        f"onnx: no {kind} of {path.name} is {wanted} (1, {channels}, height, width) or (1, height, width, {channels}): "
        f"{describe_ports(ports)}."
    )


def layout_of(port: Port, requested: Layout | Literal["auto"], *, channels: int, otherwise: Layout = "nchw") -> Layout:
    """Order of a port's axes by its number of channels, or else ``otherwise``.

    Raises:
        UsageError: the requested order does not fit the number of channels.
    """
    dims = port.dims if port.dims is not None and len(port.dims) == 4 else (None,) * 4
    orders: tuple[Layout, ...] = ("nchw", "nhwc")
    fitting = [layout for layout in orders if dims[CHANNELS_AT[layout]] == channels]
    if requested == "auto":
        return fitting[0] if len(fitting) == 1 else otherwise
    if requested not in (fitting or [requested]) or dims[CHANNELS_AT[requested]] not in (channels, None):
        raise UsageError(f"onnx: layout={requested} does not fit {port}")
    return requested


def side_of(port: Port, layout: Layout) -> int | None:
    """Side of the square image of a port; None if it is free.

    Raises:
        DataError: its images are not square, or one side alone is fixed.
    """
    if port.dims is None or len(port.dims) != 4:
        return None
    height, width = port.dims[2:] if layout == "nchw" else port.dims[1:3]
    if height != width:
        raise DataError(f"{port} holds images that are not square; a hallucinator's faces are.")
    return height


def one_value(port: Port, value: float) -> NDArray[Any]:
    """A number as an array of the port's type and shape; free axes get length 1."""
    shape = tuple(length or 1 for length in port.dims or ())
    return np.full(shape, value, port.dtype)


@lru_cache(maxsize=64)
def _read(path: Path, sha256: str) -> Graph:
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # noqa: BLE001  # the parser raises its own types
        raise DataError(
            f"{path} is truncated or no ONNX file ({one_line(error)}). Torch weights are run by spandrel:file=FILE."
        ) from None
    graph = model.graph
    if not graph.node or not graph.output:
        raise DataError(f"{path} is truncated or no ONNX file: there is no network in it.")
    constants = {tensor.name for tensor in graph.initializer}
    return Graph(
        inputs=tuple(port_of(value) for value in graph.input if value.name not in constants),
        outputs=tuple(port_of(value) for value in graph.output),
        metadata={entry.key: entry.value for entry in model.metadata_props},
        parts=external_files(graph, path),
    )


def _may_be_image(port: Port, channels: int) -> bool:
    if port.dims is None:
        return True
    if len(port.dims) != 4:
        return False
    lengths = [port.dims[axis] for axis in CHANNELS_AT.values()]
    counts = [length for length in lengths if length in (1, 3)]
    return channels in counts if counts else None in lengths
