"""Inputs and outputs of a network in an ONNX file, as the file declares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.errors import DataError

Layout = Literal["nchw", "nhwc"]
CHANNELS_AT = {"nchw": 1, "nhwc": 3}
"""Axis of the channels in a batch of images."""


@dataclass(frozen=True)
class Port:
    """An input or output.

    Attributes:
        name: its name.
        dtype: NumPy's name of its type, such as ``float32``; ``unknown`` where NumPy has none.
        dims: lengths of its axes, None where free; None where the file has no shape.
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


def port_of(value: Any) -> Port:
    """Read an ``onnx.ValueInfoProto``; an axis of length 0 or -1, which some exporters write, is free."""
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


def describe_ports(ports: Sequence[Port]) -> str:
    """Ports with types and shapes, for an error."""
    return "; ".join(map(str, ports)) or "none"


def external_files(graph: Any, path: Path) -> tuple[Path, ...]:
    """The files beside an ONNX file that hold its weights.

    Raises:
        DataError: one of them is outside the folder.
    """
    names = {entry.value for tensor in graph.initializer for entry in tensor.external_data if entry.key == "location"}
    folder = path.parent.resolve()
    parts = tuple((folder / name).resolve() for name in sorted(names))
    for part in parts:
        if not part.is_relative_to(folder):
            raise DataError(f"{path} refers to weights outside its folder ({part}) and is refused.")
    return parts
