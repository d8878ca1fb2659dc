"""The arithmetic of an ONNX graph on its input before the first layer, and the scaling that fits before it.

Many files begin by subtracting a mean and dividing by a deviation. Fed values that are scaled already, such a network
sees an almost uniform grey. The nodes between the input and the first layer are run alone, on images of one value, and
the answer tells which range of values they were written for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.onnx.ports import Port
from bench.onnx.session import open_session, run_session
from bench.recognisers.networks.chips import PLAIN, UNIT, USUAL, Scaling

_ARITHMETIC = ("Add", "Sub", "Mul", "Div")
_LIGHT = (
    *_ARITHMETIC, "Neg", "BatchNormalization", "Cast", "Clip", "Concat", "DequantizeLinear", "Dropout", "Flatten",
    "Gather", "Identity", "Pad", "QuantizeLinear", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Transpose",
    "Unsqueeze", "Upsample",
)  # fmt: skip
"""Operators that move or scale values; any other one, such as a convolution, is the network's first layer."""
_SAMPLE_SIDE = 8  # of the image where the graph declares no size
_MIN_GAIN = 0.5  # of `InputArithmetic.misfit`: another scaling must be better than the usual one by this


@dataclass(frozen=True)
class InputArithmetic:
    """The arithmetic on the input.

    Attributes:
        nodes: its operators in order, such as ``Sub, Mul``.
        responses: input values, ascending, and what becomes of each.
    """

    nodes: tuple[str, ...]
    responses: tuple[tuple[float, float], ...]

    @property
    def fitting(self) -> Scaling:
        """The scaling before it that fits: the usual one, unless another fits clearly better."""
        return min((USUAL, PLAIN, UNIT), key=lambda s: self.misfit(s) - (_MIN_GAIN if s == USUAL else 0))

    def scales_twice(self, scaling: Scaling) -> bool:
        """Whether another scaling fits clearly better than this one."""
        return self.misfit(scaling) > self.misfit(self.fitting) + 2 * _MIN_GAIN

    def misfit(self, scaling: Scaling) -> float:
        """How far 0..255 values end from those that networks compute with, which are about 0 and of size 1.

        Returns:
            0 at best, for -1 to 1; grows by 1 when values double or halve, and with their middle's distance from 0.
        """
        mean, std = float(np.mean(scaling.mean)), float(np.mean(scaling.std))
        inputs, outputs = zip(*self.responses, strict=True)
        low, high = (float(np.interp((value - mean) / std, inputs, outputs)) for value in (0, 255))
        half, middle = abs(high - low) / 2, (high + low) / 2
        return math.inf if half == 0 else abs(math.log2(half)) + abs(middle) / half


def input_arithmetic(model: Any, image: Port, path: Path) -> InputArithmetic | None:
    """Measure the arithmetic of a graph on its input before its first layer.

    Args:
        model: the ``onnx.ModelProto``.
        image: its image input.
        path: the file, for errors.

    Returns:
        The arithmetic; None where there is none, or where it changes no value.
    """
    if np.dtype(image.dtype).kind != "f":
        return None  # whole numbers are 0..255 as they are
    nodes, end = _prefix(model.graph, image.name)
    kinds = tuple(node.op_type for node in nodes if _changes_values(node))
    if not kinds or end == image.name:
        return None
    inputs = (-255.0, -1.0, 0.0, 1.0, 255.0)
    try:
        outputs = _run_prefix(model, nodes, end, image, inputs, path)
    except Exception:  # noqa: BLE001  # a graph that does not run is reported when it is opened as a whole
        return None
    if not np.isfinite(outputs).all() or np.allclose(outputs, inputs, rtol=1e-4, atol=1e-6):
        return None
    return InputArithmetic(kinds, tuple(zip(inputs, map(float, outputs), strict=True)))


def _prefix(graph: Any, image: str) -> tuple[list[Any], str]:
    """The nodes between the image and the first layer, and the value that the first layer takes."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    fixed = {*constants, ""}
    light, nodes = {image}, []
    for node in graph.node:
        inputs = set(node.input)
        if inputs <= fixed or node.op_type in ("Constant", "Shape", "ConstantOfShape"):
            fixed.update(node.output)
            nodes.append(node)
        elif not inputs & light:
            continue
        elif _is_light(node, inputs, light, fixed, constants):
            light.update(node.output)
            nodes.append(node)
        else:
            end = next(name for name in node.input if name in light)
            return _needed(nodes, end), end
    return [], image


def _is_light(node: Any, inputs: set[str], light: set[str], fixed: set[str], constants: dict[str, Any]) -> bool:
    if not inputs <= light | fixed:
        return False
    moving = [name for name in node.input if name in light]
    if node.op_type in ("Conv", "MatMul"):
        return len(moving) == 1 and _scales_channels(node, constants)
    if len(moving) > 1 and node.op_type != "Concat":
        return False  # a product of the value with itself is not a scaling
    trained = any(attribute.name == "training_mode" and attribute.i for attribute in node.attribute)
    return node.op_type in _LIGHT and not trained


def _scales_channels(node: Any, constants: dict[str, Any]) -> bool:
    """Whether a convolution multiplies or reorders channels and does nothing else."""
    from onnx import numpy_helper

    weight = constants.get(node.input[1]) if node.op_type == "Conv" and len(node.input) > 1 else None
    if weight is None or tuple(weight.dims[2:]) != (1, 1) or weight.dims[0] > 3:
        return False
    values = numpy_helper.to_array(weight).reshape(weight.dims[0], -1)
    return bool(((values != 0).sum(axis=1) == 1).all())


def _changes_values(node: Any) -> bool:
    return node.op_type in (*_ARITHMETIC, "Neg", "BatchNormalization", "Conv")


def _needed(nodes: Sequence[Any], end: str) -> list[Any]:
    """The nodes that a value depends on, in order."""
    names, needed = {end}, []
    for node in reversed(nodes):
        if names & set(node.output):
            names.update(node.input)
            needed.append(node)
    return needed[::-1]


def _run_prefix(
    model: Any, nodes: Sequence[Any], end: str, image: Port, values: Sequence[float], path: Path
) -> NDArray[np.float64]:
    """The mean output of the nodes for constant images."""
    import onnx

    part = onnx.ModelProto()
    part.CopyFrom(model)
    graph = part.graph
    names = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in model.graph.initializer if tensor.name in names]
    for field in (graph.node, graph.initializer, graph.output, graph.value_info):
        del field[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    _plain_normalisation(graph)
    graph.output.append(onnx.ValueInfoProto(name=end))
    session = open_session(part.SerializeToString(), path=path, threads=1)
    dims = image.dims or (1, 3, None, None)
    shape = [length or (1 if axis == 0 else 3 if axis == 1 else _SAMPLE_SIDE) for axis, length in enumerate(dims)]
    outputs = [
        run_session(session, [end], {image.name: np.full(shape, value, image.dtype)})[0].astype(np.float64).mean()
        for value in values
    ]
    return np.array(outputs)


def _plain_normalisation(graph: Any) -> None:
    """Let batch normalisations divide by their deviation alone: what they multiply by afterwards is the network's."""
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    for index, node in enumerate(graph.node):
        if node.op_type != "BatchNormalization" or any(name not in constants for name in node.input[1:3]):
            continue
        for at, value in ((1, 1), (2, 0)):
            array = numpy_helper.to_array(constants[node.input[at]])
            name = f"plain_{index}_{at}"
            graph.initializer.append(numpy_helper.from_array(np.full_like(array, value), name))
            node.input[at] = name
