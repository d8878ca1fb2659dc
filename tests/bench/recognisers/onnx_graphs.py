"""Small recognition graphs, written for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

Node = tuple[str, Sequence[str], str, dict[str, Any]]
Shape = Sequence[int | str] | None

GAINS = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
MEANS: list[Node] = [
    ("GlobalAveragePool", ["image"], "pooled", {}),
    ("Flatten", ["pooled"], "flat", {}),
    ("MatMul", ["flat", "gains"], "embedding", {}),
]
"""Each channel's mean, times `GAINS`."""


def save(
    path: Path,
    nodes: Sequence[Node],
    *,
    shape: Shape = (1, 3, 12, 10),
    outputs: Mapping[str, Shape] | None = None,
    constants: Mapping[str, np.ndarray] | None = None,
    dtype: int = onnx.TensorProto.FLOAT,
    output_dtype: int = onnx.TensorProto.FLOAT,
) -> Path:
    """Write a graph whose input is ``image`` and whose output, unless said otherwise, is ``embedding``."""
    ends = {"embedding": (1, 64)} if outputs is None else outputs
    graph = helper.make_graph(
        [helper.make_node(kind, list(inputs), name.split(), **attributes) for kind, inputs, name, attributes in nodes],
        "test",
        [helper.make_tensor_value_info("image", dtype, shape)],
        [helper.make_tensor_value_info(name, output_dtype, dims) for name, dims in ends.items()],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in ({"gains": GAINS} | dict(constants or {})).items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def chips(count: int, height: int = 12, width: int = 10) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def means(images: np.ndarray, mean: float = 127.5, std: float = 127.5) -> np.ndarray:
    """What `MEANS` gives for images scaled so."""
    return ((images.astype(np.float64).mean(axis=(1, 2)) - mean) / std @ GAINS).astype(np.float32)
