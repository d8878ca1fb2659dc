"""What an ONNX file says of itself: inputs, outputs, sizes, metadata. Its weights are not looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
from bench.io.file_digests import known_file_digest
from hallucinators.external.restorer import shortened

Layout = Literal["nchw", "nhwc"]

_CHANNELS_AT = {"nchw": 1, "nhwc": 3}


@dataclass(frozen=True)
class Port:
    """An input or output.

    Attributes:
        name: its name.
        dtype: NumPy's name of its type, such as ``float32``.
        dims: lengths of its axes, None where free; None altogether where the file does not say.
    """

    name: str
    dtype: str
    dims: tuple[int | None, ...] | None

    def __str__(self) -> str:
        dims = "any shape" if self.dims is None else f"({', '.join('?' if d is None else str(d) for d in self.dims)})"
        return f"{self.name} {self.dtype} {dims}"

    @property
    def is_scalar(self) -> bool:
        """Whether one number fills it; free axes count as 1."""
        return self.dims is not None and all(length in (1, None) for length in self.dims) and len(self.dims) < 3

    def side(self, layout: Layout) -> int | None:
        """Side of the square image it holds; None where that is free.

        Raises:
            DataError: its images are not square, or one side alone is fixed.
        """
        if self.dims is None or len(self.dims) != 4:
            return None
        height, width = self.dims[2:] if layout == "nchw" else self.dims[1:3]
        if height != width:
            raise DataError(f"{self} holds images that are not square; a hallucinator's faces are.")
        return height


@dataclass(frozen=True)
class Graph:
    """An ONNX file's declarations.

    Attributes:
        inputs: what a caller must give.
        outputs: what comes out.
        metadata: texts its maker left in it.
        parts: files beside it that hold its weights.
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


def image_port(ports: Sequence[Port], name: str, *, kind: Literal["input", "output"], path: Path) -> Port:
    """The input or output that is an image: the one named, else the only one that can be.

    Raises:
        UsageError: there is none of that name, none that can be, or several.
    """
    listed = "; ".join(map(str, ports)) or "none"
    named = [port for port in ports if port.name == name]
    if name and not named:
        raise UsageError(f"onnx: {path.name} has no {kind} {name!r}; it has {listed}. Name one by {kind}_name=")
    found = named or [port for port in ports if _may_be_image(port)]
    if len(found) > 1:
        raise UsageError(f"onnx: {path.name} has several {kind}s that may be the image: {listed}. Say {kind}_name=")
    if not found:
        raise UsageError(
            f"onnx: no {kind} of {path.name} is an RGB image (1, 3, height, width) or (1, height, width, 3): {listed}."
        )
    return found[0]


def layout_of(port: Port, asked: Layout | Literal["auto"], otherwise: Layout = "nchw") -> Layout:
    """Order of a port's axes: where its three channels are, else ``otherwise``.

    Raises:
        UsageError: what was asked for puts another number of channels there.
    """
    dims = port.dims if port.dims is not None and len(port.dims) == 4 else (None,) * 4
    fitting: list[Layout] = [layout for layout in ("nchw", "nhwc") if dims[_CHANNELS_AT[layout]] == 3]
    if asked == "auto":
        return fitting[0] if len(fitting) == 1 else otherwise
    if asked not in (fitting or [asked]) or dims[_CHANNELS_AT[asked]] not in (3, None):
        raise UsageError(f"onnx: layout={asked} does not fit {port}")
    return asked


def one_value(port: Port, value: float) -> NDArray[Any]:
    """A number as an array of the port's type and shape; free axes get length 1."""
    shape = tuple(length or 1 for length in port.dims or ())
    return np.full(shape, value, port.dtype)


@lru_cache(maxsize=64)
def _read(path: Path, sha256: str) -> Graph:
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # noqa: BLE001  # the parser raises kinds of its own
        raise DataError(
            f"{path} is truncated or no ONNX file ({shortened(error)}). Torch weights are run by spandrel:file=FILE."
        ) from None
    graph = model.graph
    if not graph.node or not graph.output:
        raise DataError(f"{path} is truncated or no ONNX file: there is no network in it.")
    constants = {tensor.name for tensor in graph.initializer}
    return Graph(
        inputs=tuple(_port(value) for value in graph.input if value.name not in constants),
        outputs=tuple(_port(value) for value in graph.output),
        metadata={entry.key: entry.value for entry in model.metadata_props},
        parts=_parts(graph, path),
    )


def _port(value: Any) -> Port:
    import onnx

    tensor = value.type.tensor_type
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    except (KeyError, TypeError, ValueError):
        dtype = "unknown"
    if not tensor.HasField("shape"):
        return Port(value.name, dtype, None)
    lengths = (int(dim.dim_value) if dim.HasField("dim_value") else 0 for dim in tensor.shape.dim)
    return Port(value.name, dtype, tuple(length if length > 0 else None for length in lengths))


def _may_be_image(port: Port) -> bool:
    if port.dims is None:
        return True
    return len(port.dims) == 4 and any(port.dims[axis] in (3, None) for axis in _CHANNELS_AT.values())


def _parts(graph: Any, path: Path) -> tuple[Path, ...]:
    names = {entry.value for tensor in graph.initializer for entry in tensor.external_data if entry.key == "location"}
    folder = path.parent.resolve()
    found = tuple((folder / name).resolve() for name in sorted(names))
    for part in found:
        if not part.is_relative_to(folder):
            raise DataError(f"{path} names weights outside its own folder ({part}), and is refused.")
    return found
