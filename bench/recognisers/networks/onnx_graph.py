"""Reads an ONNX recognition graph and rewrites it so that onnxruntime takes it, in batches, and runs it fast.

Nothing it computes changes but by rounding: names are dropped, constants are computed beforehand, an activation is
written with operators that have a fast kernel, the batch axis gets no fixed length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, one_line
from bench.onnx.ports import Layout, Port, describe_ports, external_files, port_of
from bench.recognisers.networks.network_file import check_embedding_size, check_types, choose_output, image_axes
from bench.recognisers.networks.onnx_scaling import InputArithmetic, input_arithmetic
from bench.weights import read_weights

_RANGE_FROM_BATCH = ("DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM")


@dataclass(frozen=True)
class Graph:
    """A recognition graph ready to run.

    Attributes:
        model: the serialised model; its batch axis is free where that was requested.
        image: its one input.
        layout: order of the image's axes, without regard to whether it has a batch axis.
        channels: of the image, or None when free.
        height: of the image, or None when free.
        width: of the image, or None when free.
        batch: images that the graph takes at once: None when free, 0 where its input has no batch axis.
        output: the output that is the embedding.
        embedding_size: length of an embedding, or None when the graph does not say.
        range_from_batch: whether a node takes its range from the whole batch.
        arithmetic: what the graph does to its input before the first layer; None where it does nothing.
        parts: files beside it that hold its weights.
    """

    model: bytes
    image: Port
    layout: Layout
    channels: int | None
    height: int | None
    width: int | None
    batch: int | None
    output: Port
    embedding_size: int | None
    range_from_batch: bool
    arithmetic: InputArithmetic | None
    parts: tuple[Path, ...]


def read_graph(
    path: Path,
    *,
    layout: Layout | Literal["auto"] = "auto",
    output_name: str = "",
    free_batch: bool = True,
    sha256: str | None = None,
    in_parts: bool = True,
) -> Graph:
    """Read and rewrite an ONNX file.

    Args:
        path: the file.
        layout: order of the input's axes; by default where the file declares three channels or one.
        output_name: the output that is the embedding, where there are several.
        free_batch: whether to free the batch axis; without it the file's own batch length stays.
        sha256: digest that its bytes must have; None takes any.
        in_parts: whether weights may lie in files beside it.

    Raises:
        ChangedError: its bytes are others than those of ``sha256``.
        DataError: it is no ONNX file, or not a network of one image input and one embedding output.
        UsageError: it has several outputs and none was named, or none of that name.
    """
    import onnx

    data = read_weights(path, sha256)
    try:
        model = onnx.load_model_from_string(data)
        graph = model.graph
        parts = external_files(graph, path)
        if parts and in_parts:
            onnx.load_external_data_for_model(model, str(path.parent))
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001  # the parser raises its own kinds for damaged files, OSError for a part that is absent
        raise DataError(
            f"The weights {path} are truncated or no ONNX file ({type(error).__name__}: {one_line(error)})."
        ) from None
    if parts and not in_parts:
        raise DataError(f"The weights {path} lie in {len(parts)} more files. Use the recogniser onnx:weights={path}.")
    image_value = _only_input(graph, path)
    output_value = _embedding(graph, output_name, path)
    image, output = port_of(image_value), port_of(output_value)
    check_types(image, output, path)
    order, axes = image_axes(image, layout, path)
    batch = 0 if image.dims is not None and len(image.dims) == 3 else axes[0]
    del graph.output[:]
    graph.output.append(output_value)
    _drop_unused(graph, image_value)
    _compute_constants(graph)
    arithmetic = input_arithmetic(model, image, path)
    _write_prelu_as_maximum(graph)
    for value in (graph.input[0], graph.output[0]):
        _free_axes(value, batch_too=free_batch and batch != 0)
    if free_batch and batch != 0:
        del graph.value_info[:]  # shapes of intermediate results, written for the fixed batch
    try:
        serialised = model.SerializeToString()
    except ValueError as error:
        raise DataError(f"The weights {path} are too large to be held in one piece ({one_line(error)}).") from None
    return Graph(
        model=serialised,
        image=image,
        layout=order,
        channels=axes[1],
        height=axes[2],
        width=axes[3],
        batch=None if free_batch and batch != 0 else batch,
        output=output,
        embedding_size=_embedding_size(output, path, has_batch=batch != 0),
        range_from_batch=any(node.op_type in _RANGE_FROM_BATCH for node in graph.node),
        arithmetic=arithmetic,
        parts=parts,
    )


def _only_input(graph: Any, path: Path) -> Any:
    constants = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    inputs = [value for value in graph.input if value.name not in constants and value.name in used]
    if len(inputs) != 1 or not graph.output:
        named = describe_ports([port_of(value) for value in inputs])
        raise DataError(
            f"The weights {path} are a graph with {len(inputs)} inputs ({named}) and {len(graph.output)} outputs; a "
            "recogniser has one image input and gives one embedding."
        )
    return inputs[0]


def _embedding(graph: Any, name: str, path: Path) -> Any:
    return graph.output[choose_output([port_of(value) for value in graph.output], name, path)]


def _free_axes(value: Any, *, batch_too: bool) -> None:
    """Write axes of length 0 or -1, which stand for any length, and the batch axis by name."""
    for index, dim in enumerate(value.type.tensor_type.shape.dim):
        if dim.HasField("dim_value") and (dim.dim_value <= 0 or (index == 0 and batch_too)):
            dim.dim_param = "N" if index == 0 else f"free_{value.name}_{index}"


def _embedding_size(output: Port, path: Path, *, has_batch: bool) -> int | None:
    if output.dims is None:
        return None
    lengths = output.dims[1:] if has_batch or len(output.dims) > 1 else output.dims
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths) or not lengths:
        return None
    return check_embedding_size(math.prod(known), path)


def _drop_unused(graph: Any, image: Any) -> None:
    """Drop inputs and constants that no node reads; onnxruntime would require such an input from the caller."""
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    used_inputs = [value for value in graph.input if value.name == image.name]
    used_constants = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.input[:]
    graph.input.extend(used_inputs)
    del graph.initializer[:]
    graph.initializer.extend(used_constants)


def _compute_constants(graph: Any) -> None:
    """Unfold weights that are stored as 8-bit integers, and reshape constants, once instead of at every call.

    onnxruntime leaves both in the graph, and then cannot merge a convolution with the normalisation after it.
    """
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    remaining = []
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
            remaining.append(node)
        else:
            constants[node.output[0]] = numpy_helper.from_array(value, node.output[0])
    used = {name for node in remaining for name in node.input} | {value.name for value in graph.output}
    del graph.node[:]
    graph.node.extend(remaining)
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
