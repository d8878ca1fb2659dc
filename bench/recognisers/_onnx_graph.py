"""Rewrites an ONNX recognition graph so that onnxruntime takes it, in batches, and runs it fast.

Nothing it computes changes but by rounding: names are dropped, constants are computed beforehand, an activation is
written with operators that have a fast kernel, the batch axis gets no fixed length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError

Layout = Literal["nchw", "nhwc"]

_SCALING = ("Sub", "Mul", "Div", "Add")
_RANGE_FROM_BATCH = ("DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM")


@dataclass(frozen=True)
class Graph:
    """A recognition graph ready to run.

    Attributes:
        model: the serialised model, its batch axis free where ``batched`` says so.
        input_name: its one input.
        height: input height declared, or None when free.
        width: input width declared, or None when free.
        embedding_size: length of an embedding, or None when the graph does not say.
        batched: whether several images may be run at once; False when a node looks at the whole batch.
        scales: whether the first thing the graph does is to shift or scale its input.
        freed: whether the file itself declares another, fixed batch length, so that batching must be tried first.
    """

    model: bytes
    input_name: str
    height: int | None
    width: int | None
    embedding_size: int | None
    batched: bool
    scales: bool
    freed: bool


def read_graph(path: Path, *, layout: Layout = "nchw", free_batch: bool = True) -> Graph:
    """Read and rewrite an ONNX file.

    Args:
        path: the file.
        layout: order of the input's axes.
        free_batch: whether to free the batch axis; without it the file's own batch length stays.

    Raises:
        DataError: it is no ONNX file, or not a network of one image input and one embedding output.
    """
    import onnx

    try:
        model = onnx.load(str(path))
        graph = model.graph
    except Exception as error:  # noqa: BLE001  # the parser raises its own kinds for damaged files, OSError for a part that is absent
        cause = " ".join(str(error).split())[:120]
        raise DataError(
            f"The weights {path} are truncated or no ONNX file ({type(error).__name__}: {cause})."
        ) from None
    image = _only_input(graph, path)
    output = graph.output[0]
    height, width = _sides(image, path, layout)
    lengths = [_length(v.type.tensor_type.shape.dim[0]) for v in (image, output) if v.type.tensor_type.shape.dim]
    freed = free_batch and any(length is not None for length in lengths)
    dims = output.type.tensor_type.shape.dim
    embedding_size = _length(dims[-1]) if len(dims) >= 2 else None
    scales = any(node.op_type in _SCALING for node in graph.node if image.name in node.input)
    _drop_unused(graph, image)
    _compute_constants(graph)
    _write_prelu_as_maximum(graph)
    if freed:
        for value in (graph.input[0], output):  # not `image`: the list was built anew
            if value.type.tensor_type.shape.dim:
                value.type.tensor_type.shape.dim[0].dim_param = "N"
        del graph.value_info[:]  # shapes of intermediate results, written for the fixed batch
    batched = free_batch and not any(node.op_type in _RANGE_FROM_BATCH for node in graph.node)
    try:
        serialised = model.SerializeToString()
    except ValueError as error:
        raise DataError(f"The weights {path} are too large to be held in one piece ({error}).") from None
    return Graph(serialised, image.name, height, width, embedding_size, batched, scales, freed)


def _only_input(graph: Any, path: Path) -> Any:
    constants = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    inputs = [value for value in graph.input if value.name not in constants and value.name in used]
    if len(inputs) != 1 or not graph.output:
        raise DataError(
            f"The weights {path} are a graph with {len(inputs)} inputs and {len(graph.output)} outputs; a recogniser "
            "has one image input and gives one embedding."
        )
    return inputs[0]


def _sides(image: Any, path: Path, layout: Layout) -> tuple[int | None, int | None]:
    dims = image.type.tensor_type.shape.dim
    channels, height, width = (1, 2, 3) if layout == "nchw" else (3, 1, 2)
    if len(dims) != 4 or _length(dims[channels]) not in (3, None):
        shape = [d.dim_value or d.dim_param or "?" for d in dims]
        wanted = "(N, 3, height, width)" if layout == "nchw" else "(N, height, width, 3)"
        raise DataError(f"The weights {path} take an input of shape {shape}; a recogniser takes {wanted}.")
    return _length(dims[height]), _length(dims[width])


def _length(dim: Any) -> int | None:
    return int(dim.dim_value) if dim.HasField("dim_value") and dim.dim_value > 0 else None


def _drop_unused(graph: Any, image: Any) -> None:
    """Drop inputs and constants that no node reads; onnxruntime would ask the caller for such an input."""
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    kept_inputs = [value for value in graph.input if value.name == image.name]
    kept_constants = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.input[:]
    graph.input.extend(kept_inputs)
    del graph.initializer[:]
    graph.initializer.extend(kept_constants)


def _compute_constants(graph: Any) -> None:
    """Unfold weights that are stored as 8-bit integers, and reshape constants, once instead of at every call.

    onnxruntime leaves both in the graph, and then cannot merge a convolution with the normalisation after it.
    """
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        value = None
        if node.input and all(name in constants for name in node.input):
            arrays = [numpy_helper.to_array(constants[name]) for name in node.input]
            attributes = {a.name: a.i for a in node.attribute}
            if node.op_type == "DequantizeLinear" and arrays[0].dtype in (np.int8, np.uint8, np.int32):
                value = _dequantised(arrays, attributes.get("axis", 1), attributes.get("block_size", 0))
            elif node.op_type == "Reshape" and 0 not in arrays[1]:
                value = arrays[0].reshape(arrays[1])
        if value is None:
            kept.append(node)
        else:
            constants[node.output[0]] = numpy_helper.from_array(value, node.output[0])
    used = {name for node in kept for name in node.input} | {value.name for value in graph.output}
    del graph.node[:]
    graph.node.extend(kept)
    del graph.initializer[:]
    graph.initializer.extend(tensor for name, tensor in constants.items() if name in used)


def _dequantised(arrays: list[NDArray[Any]], axis: int, block_size: int) -> NDArray[np.float32]:
    """(x - zero) * scale, with one scale for all, for each index of an axis, or for each block along it (opset 21)."""
    stored, factors = arrays[0], arrays[1:]
    if factors[0].ndim == 1 and stored.ndim > 1:
        shape = [1] * stored.ndim
        shape[axis] = -1
        factors = [factor.reshape(shape) for factor in factors]
    elif block_size:
        cut = [slice(None)] * stored.ndim
        cut[axis] = slice(stored.shape[axis])
        factors = [np.repeat(factor, block_size, axis)[tuple(cut)] for factor in factors]
    scale = factors[0].astype(np.float32)
    zero = factors[1].astype(np.float32) if len(factors) > 1 else np.float32(0)
    value: NDArray[np.float32] = (stored.astype(np.float32) - zero) * scale
    return value


def _write_prelu_as_maximum(graph: Any) -> None:
    """Write PRelu(x) with slopes <= 1 as max(x, slope x): the same bits, several times faster in onnxruntime."""
    from onnx import helper, numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        slope = constants.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is not None and numpy_helper.to_array(slope).max() <= 1:
            scaled = f"{node.output[0]}/scaled"
            nodes.append(helper.make_node("Mul", list(node.input), [scaled]))
            nodes.append(helper.make_node("Max", [node.input[0], scaled], list(node.output)))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
