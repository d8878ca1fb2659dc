"""Parameters counted wherever they lie: modules, sessions, files; by hand, and never guessed."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import nn

from bench.evaluation.efficiency.parameters import Parameters, called_modules, count, file_numbers, onnx_numbers
from bench.interfaces import FloatImages, Hallucinator
from bench.pipeline.build import Built
from bench.registry import Spec
from bench.types import WeightsFile


class Holder(Hallucinator):
    """Holds whatever a test gives it."""

    def __init__(self, held: Any, *weights: str) -> None:
        self._held = held
        self.weights = tuple(WeightsFile(name, "0" * 64) for name in weights)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        return lr


def built(component: Hallucinator, name: str = "holder") -> Built[Hallucinator]:
    return Built(component, Spec(name), {}, name, "", "")


def of(*held: Any, weights: tuple[str, ...] = ()) -> Parameters:
    return count([built(Holder(list(held), *weights))], {})


def onnx_model(path: Path) -> Path:
    """y = (x @ A) + b: 4 x 3 and 3 numbers, and a shape that is no parameter."""
    result = {"A": np.ones((4, 3), np.float32), "b": np.ones(3, np.float32), "shape": np.array([2, 3], np.int64)}
    nodes = [
        helper.make_node("MatMul", ["x", "A"], ["h"]),
        helper.make_node("Add", ["h", "b"], ["s"]),
        helper.make_node("Reshape", ["s", "shape"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
        [numpy_helper.from_array(value, name) for name, value in result.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


class Partial(nn.Module):
    """Two layers, of which a pass uses one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 7)

    def half(self, x: torch.Tensor) -> torch.Tensor:
        return self.first(x)  # type: ignore[no-any-return]


def test_modules_are_found_in_lists_partials_closures_and_objects_and_counted_once() -> None:
    layer = nn.Linear(3, 5)  # 20
    other = nn.Linear(2, 2)  # 6

    def closure() -> object:
        return other

    class Wrapper:
        def __init__(self) -> None:
            self.inside = {"net": [layer]}

    result = of(Wrapper(), functools.partial(print, layer), closure, layer.forward)
    assert (result.count, result.left_out) == (26, ())
    assert "torch modules" in result.how


def test_shared_parameters_count_once() -> None:
    one, two = nn.Linear(3, 3), nn.Linear(3, 3)
    two.weight = one.weight
    assert of(one, two).count == 9 + 3 + 3


def test_modules_that_computed_are_counted_apart_from_loaded_ones() -> None:
    model = Partial()
    with called_modules() as called:
        model.half(torch.zeros(1, 3))
    result = count([built(Holder(model))], called)
    assert (result.count, result.used) == (20 + 42, 20)


def test_a_module_that_uses_the_weights_of_its_parts_directly_counts_with_all_of_them() -> None:
    attention = nn.MultiheadAttention(8, 2)
    with called_modules() as called:
        attention(*(torch.zeros(1, 1, 8),) * 3)
    result = count([built(Holder(attention))], called)
    assert result.used == result.count == sum(p.numel() for p in attention.parameters())


def test_unreachable_modules_are_found_by_their_forward_pass() -> None:
    hidden = nn.Linear(3, 5)
    with called_modules() as called:
        hidden(torch.zeros(1, 3))
    assert count([built(Holder(None))], called).count == 20
    interpolated = [built(Holder(None), "bicubic"), built(Holder(None))]
    assert count(interpolated, called).count == 20
    two = count([built(Holder(None), "a"), built(Holder(None), "b")], called)
    assert two.count is None and two.how.startswith("a: it has no reachable torch module")


def test_interpolation_has_no_parameters_and_those_of_a_plugin_without_weights_are_unknown() -> None:
    assert count([built(Holder(None), "bicubic"), built(Holder(None), "none")], {}).count == 0
    result = of("nothing")
    assert (result.count, result.used) == (None, None)
    assert "no reachable torch module" in result.how


def test_an_onnx_session_counts_its_initialisers_but_no_shapes(tmp_path: Path) -> None:
    import onnxruntime

    path = onnx_model(tmp_path / "net.onnx")
    assert onnx_numbers(path) == onnx_numbers(path.read_bytes()) == 15
    from_file = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    from_bytes = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    assert of(from_file, from_file, path, weights=("net.onnx",)).count == 15
    assert of(from_bytes, weights=("net.onnx",)).count == 15
    assert of(path, weights=("net.onnx",)).count == 15
    assert of(from_file, nn.Linear(1, 1), weights=("net.onnx",)).count == 17


def test_weight_files_count_where_no_module_does_and_uncounted_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"w": torch.zeros(3, 4), "steps": torch.zeros(2, dtype=torch.int64)}, path)
    assert file_numbers(path) == 12
    assert of(str(path), weights=("net.safetensors",)).count == 12
    result = of(path, nn.Linear(1, 1), weights=("net.safetensors", "face.task"))
    assert (result.count, result.left_out) == (2, ("face.task",))


@pytest.mark.parametrize("name", ["net.onnx", "net.safetensors"])
def test_a_damaged_file_makes_the_number_unknown(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"junk")
    result = of(tmp_path / name, weights=(name,))
    assert result.count is None and result.how


def test_cyclic_references_terminate() -> None:
    ring: list[Any] = []
    ring.append({"again": ring})
    assert of(ring, nn.Linear(1, 1)).count == 2
