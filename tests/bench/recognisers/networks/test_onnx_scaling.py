from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.interfaces import RECOGNISERS, Recogniser
from tests.bench.recognisers.onnx_graphs import MEANS, Node, chips, means, onnx, save

HALF, MIDDLE = np.float32(127.5), np.float32(127.5)
BEHIND: list[Node] = [("GlobalAveragePool", ["scaled"], "pooled", {}), *MEANS[1:]]
ONES = np.ones(3, np.float32)


def create(path: Path, **arguments: object) -> Recogniser:
    return RECOGNISERS["onnx"].create({"weights": path, "threads": 1, **arguments})


def sub_mul() -> tuple[list[Node], dict]:
    return [("Sub", ["image", "c"], "a", {}), ("Mul", ["a", "k"], "scaled", {})], {"c": MIDDLE, "k": 1 / HALF}


def div_sub() -> tuple[list[Node], dict]:
    return [("Div", ["image", "k"], "a", {}), ("Add", ["a", "c"], "scaled", {})], {"k": HALF, "c": np.float32(-1)}


def by_channel() -> tuple[list[Node], dict]:
    shape = (1, 3, 1, 1)
    return (
        [("Identity", ["image"], "i", {}), ("Sub", ["i", "c"], "a", {}), ("Div", ["a", "k"], "scaled", {})],
        {"c": np.full(shape, MIDDLE), "k": np.full(shape, HALF)},
    )


def normalisation() -> tuple[list[Node], dict]:
    nodes: list[Node] = [("BatchNormalization", ["image", "one", "zero", "mean", "var"], "scaled", {"epsilon": 0.0})]
    return nodes, {"one": ONES, "zero": ONES * 0, "mean": ONES * MIDDLE, "var": ONES * HALF**2}


def depthwise() -> tuple[list[Node], dict]:
    nodes: list[Node] = [("Conv", ["image", "w", "b"], "scaled", {"group": 3})]
    return nodes, {"w": np.full((3, 1, 1, 1), 1 / HALF), "b": -ONES}


def constant_nodes() -> tuple[list[Node], dict]:
    value = onnx.numpy_helper.from_array(np.array(MIDDLE))
    return [
        ("Constant", [], "c", {"value": value}),
        ("Sub", ["image", "c"], "a", {}),
        ("Div", ["a", "c"], "scaled", {}),
    ], {}


def from_unit() -> tuple[list[Node], dict]:
    return [("Sub", ["image", "h"], "a", {}), ("Div", ["a", "h"], "scaled", {})], {"h": np.float32(0.5)}


def transposed() -> tuple[list[Node], dict]:
    nodes: list[Node] = [
        ("Transpose", ["image"], "turned", {"perm": [0, 2, 3, 1]}),
        ("Sub", ["turned", "c"], "a", {}),
        ("Mul", ["a", "k"], "b", {}),
        ("Transpose", ["b"], "scaled", {"perm": [0, 3, 1, 2]}),
    ]
    return nodes, {"c": np.full(3, MIDDLE), "k": 1 / HALF}


@pytest.mark.parametrize(
    "make", [sub_mul, div_sub, by_channel, normalisation, depthwise, constant_nodes, from_unit, transposed]
)
def test_a_graph_that_scales_its_input_is_not_scaled_again(tmp_path: Path, make) -> None:
    nodes, constants = make()
    path = save(tmp_path / "net.onnx", [*nodes, *BEHIND], constants=constants)
    recogniser = create(path)
    np.testing.assert_allclose(recogniser.embed(chips(9)), means(chips(9)), atol=1e-3)
    assert recogniser.notes() == ()
    assert "scaling in the graph" in recogniser.execution()
    by_hand = create(path, mean=(127.5,), std=(127.5,))
    assert "values are scaled twice" in by_hand.notes()[0]


def test_a_scaling_by_hand_that_fits_the_graph_is_used_without_a_warning(tmp_path: Path) -> None:
    nodes, constants = sub_mul()
    path = save(tmp_path / "net.onnx", [*nodes, *BEHIND], constants=constants)
    recogniser = create(path, mean=(0.0,), std=(1.0,))
    np.testing.assert_allclose(recogniser.embed(chips(9)), means(chips(9)), atol=1e-3)
    assert recogniser.notes() == ()


@pytest.mark.parametrize("spread", [0.1, 0.25, 1.0])
def test_a_normalisation_of_scaled_values_keeps_the_usual_scaling(tmp_path: Path, spread: float) -> None:
    nodes: list[Node] = [("BatchNormalization", ["image", "gain", "shift", "mean", "var"], "scaled", {})]
    constants = {"gain": ONES * 0.02, "shift": ONES, "mean": ONES * -0.1, "var": ONES * spread}
    recogniser = create(save(tmp_path / "net.onnx", [*nodes, *BEHIND], constants=constants))
    assert recogniser.scaling == "(x - 127.5) / 127.5"


def test_a_graph_that_begins_with_its_first_layer_is_scaled_as_usual(tmp_path: Path) -> None:
    nodes: list[Node] = [("Conv", ["image", "w"], "scaled", {}), *BEHIND]
    weights = np.random.default_rng(0).normal(size=(3, 3, 3, 3)).astype(np.float32)
    recogniser = create(save(tmp_path / "net.onnx", nodes, constants={"w": weights}))
    assert recogniser.scaling == "(x - 127.5) / 127.5"
    assert "scaling in the graph" not in recogniser.execution()


def test_an_image_that_is_standardised_by_its_own_mean_is_scaled_as_usual(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("ReduceMean", ["image"], "own", {"axes": [1, 2, 3], "keepdims": 1}),
        ("Sub", ["image", "own"], "scaled", {}),
        *BEHIND,
    ]
    assert create(save(tmp_path / "net.onnx", nodes)).scaling == "(x - 127.5) / 127.5"


@pytest.mark.parametrize(("mean", "std", "lowest"), [((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "x - 0) / 255")])
def test_imagenet_statistics_of_unit_values_are_given_unit_values(
    tmp_path: Path, mean: tuple, std: tuple, lowest: str
) -> None:
    shape = (1, 3, 1, 1)
    constants = {"c": np.array(mean, np.float32).reshape(shape), "k": np.array(std, np.float32).reshape(shape)}
    nodes: list[Node] = [("Sub", ["image", "c"], "a", {}), ("Div", ["a", "k"], "scaled", {}), *BEHIND]
    assert lowest in create(save(tmp_path / "net.onnx", nodes, constants=constants)).scaling
