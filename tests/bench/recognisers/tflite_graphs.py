"""Small TensorFlow Lite recognition networks, written for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
flatbuffers = pytest.importorskip("flatbuffers")
from ai_edge_litert import schema_py_generated as schema  # noqa: E402

GAINS = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
_TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int8": 9}  # TensorType of the format
_ADD, _FULLY_CONNECTED, _MEAN = 0, 9, 40  # BuiltinOperator


def save(
    path: Path,
    *,
    shape: Sequence[int] = (1, 12, 10, 3),
    signature: Sequence[int] | None = None,
    mixes: bool = False,
    gains: np.ndarray = GAINS,
    outputs: Sequence[str] = ("embedding",),
    dtype: str = "float32",
    operator: int = _MEAN,
) -> Path:
    """Write a network that multiplies the mean of each channel by ``gains``.

    Args:
        path: the file.
        shape: of the input ``image``; its channels are last, or first where the second axis is 3.
        signature: the same with -1 for free axes.
        mixes: whether the mean of the batch is added to each row.
        gains: (3, D).
        outputs: names of the outputs; the second one is the mean of each channel.
        dtype: of the input.
        operator: number of the first operator.
    """
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description, model.buffers, model.operatorCodes = 3, "test", [schema.BufferT()], []
    graph.tensors, graph.operators, graph.name = [], [], "main"

    def tensor(name: str, lengths: Sequence[int], kind: str = "float32", values: Any = None) -> int:
        item = schema.TensorT()
        item.name, item.shape, item.type, item.hasRank = name, list(lengths), _TYPES[kind], True
        item.quantization = schema.QuantizationParametersT()
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            model.buffers.append(buffer)
            item.buffer = len(model.buffers) - 1
        graph.tensors.append(item)
        return len(graph.tensors) - 1

    def operate(code: int, inputs: Sequence[int], result: int, options_type: int, options: Any) -> None:
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        model.operatorCodes.append(entry)
        item = schema.OperatorT()
        item.opcodeIndex, item.inputs, item.outputs = len(model.operatorCodes) - 1, list(inputs), [result]
        item.builtinOptionsType, item.builtinOptions = options_type, options
        graph.operators.append(item)

    kept = schema.ReducerOptionsT()
    kept.keepDims = True
    batch, size = shape[0], gains.shape[1]
    image = tensor("image", shape, dtype)
    if signature is not None:
        graph.tensors[image].shapeSignature = list(signature)
    axes = (2, 3) if shape[1] == 3 else (1, 2)
    pooled = tensor("pooled", (batch, 3), dtype)
    operate(operator, [image, tensor("axes", (2,), "int32", np.array(axes, np.int32))], pooled,
            schema.BuiltinOptions.ReducerOptions, schema.ReducerOptionsT())  # fmt: skip
    plain = tensor("plain" if mixes else outputs[0], (batch, size))
    weights = tensor("gains", (size, 3), values=gains.T.astype(np.float32))
    operate(_FULLY_CONNECTED, [pooled, weights, -1], plain,
            schema.BuiltinOptions.FullyConnectedOptions, schema.FullyConnectedOptionsT())  # fmt: skip
    embedding = plain
    if mixes:
        centre = tensor("centre", (1, size))
        first = tensor("first", (1,), "int32", np.array([0], np.int32))
        operate(_MEAN, [plain, first], centre, schema.BuiltinOptions.ReducerOptions, kept)
        embedding = tensor(outputs[0], (batch, size))
        operate(_ADD, [plain, centre], embedding, schema.BuiltinOptions.AddOptions, schema.AddOptionsT())
    graph.inputs, graph.outputs = [image], [embedding, pooled][: len(outputs)]
    if len(outputs) > 1:
        graph.tensors[pooled].name = outputs[1]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def chips(count: int, height: int = 12, width: int = 10) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def means(images: np.ndarray, mean: Any = 127.5, std: Any = 127.5, gains: np.ndarray = GAINS) -> np.ndarray:
    """What a network of `save` gives for images scaled so."""
    return ((images.astype(np.float64).mean(axis=(1, 2)) - mean) / std @ gains).astype(np.float32)
