from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.align.templates import ARCFACE_112
from bench.errors import ContractError, DataError, MissingError, UsageError
from bench.interfaces import RECOGNISERS, Recogniser
from bench.recognisers import insightface
from bench.recognisers.networks.onnx_graph import read_graph

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

GAINS = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
Node = tuple[str, Sequence[str], str, dict]


def save(
    path: Path,
    nodes: Sequence[Node],
    *,
    shape: Sequence[int | str] = (1, 3, 12, 10),
    output: Sequence[int | str] | None = (1, 64),
    constants: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write a graph whose input is ``image`` and whose output is ``embedding``."""
    graph = helper.make_graph(
        [helper.make_node(kind, list(inputs), [name], **attributes) for kind, inputs, name, attributes in nodes],
        "test",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in ({"gains": GAINS} | (constants or {})).items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), str(path))
    return path


MEANS: list[Node] = [
    ("GlobalAveragePool", ["image"], "pooled", {}),
    ("Flatten", ["pooled"], "flat", {}),
    ("MatMul", ["flat", "gains"], "embedding", {}),
]
MEANS_BY_FIXED_RESHAPE: list[Node] = [MEANS[0], ("Reshape", ["pooled", "one_row"], "flat", {}), MEANS[2]]


def chips(count: int, height: int = 12, width: int = 10) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def expected(images: np.ndarray, mean: float = 127.5, std: float = 127.5) -> np.ndarray:
    return ((images.astype(np.float64).mean(axis=(1, 2)) - mean) / std @ GAINS).astype(np.float32)


def create(path: Path, **arguments: object) -> Recogniser:
    return RECOGNISERS["onnx"].create({"weights": path, **arguments})


def test_a_batch_axis_fixed_to_one_is_freed(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.onnx", MEANS))
    assert (recogniser.face.height, recogniser.face.width, recogniser.embedding_size) == (12, 10, 64)
    np.testing.assert_allclose(recogniser.embed(chips(19)), expected(chips(19)), atol=1e-4)
    assert recogniser.execution()["batch"] == "8 images a call"


def test_a_batch_length_built_into_the_graph_is_run_one_by_one(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", MEANS_BY_FIXED_RESHAPE, constants={"one_row": np.array([1, 3])})
    recogniser = create(path)
    np.testing.assert_allclose(recogniser.embed(chips(5)), expected(chips(5)), atol=1e-4)
    assert "one image a call" in str(recogniser.execution()["batch"])


def test_a_graph_that_mixes_its_batch_is_run_one_by_one(tmp_path: Path) -> None:
    mixing: list[Node] = [
        *MEANS[:2],
        ("ReduceMean", ["flat", "axis"], "centre", {}),
        ("Sub", ["flat", "centre"], "centred", {}),
        ("Add", ["flat", "centred"], "mixed", {}),  # 2 x - mean of the batch: for a single image that is x
        ("MatMul", ["mixed", "gains"], "embedding", {}),
    ]
    recogniser = create(save(tmp_path / "net.onnx", mixing, constants={"axis": np.array([0])}))
    np.testing.assert_allclose(recogniser.embed(chips(4)), expected(chips(4)), atol=1e-4)


def test_ranges_taken_from_the_batch_are_taken_from_each_image(tmp_path: Path) -> None:
    quantised: list[Node] = [
        *MEANS[:2],
        ("DequantizeLinear", ["q", "scale", "zero"], "back", {}),
        ("MatMul", ["back", "gains"], "embedding", {}),
    ]
    path = save(tmp_path / "net.onnx", quantised, shape=("N", 3, 12, 10), output=("N", 64))
    model = onnx.load(str(path))
    model.graph.node.insert(2, helper.make_node("DynamicQuantizeLinear", ["flat"], ["q", "scale", "zero"]))
    onnx.save(model, str(path))
    recogniser = create(path)
    images = np.stack([np.full((12, 10, 3), value, np.uint8) for value in (0, 120, 131, 255)])
    together = recogniser.embed(images)
    alone = np.concatenate([recogniser.embed(images[i : i + 1]) for i in range(4)])
    assert np.array_equal(together, alone)


def test_weights_in_blocks_of_integers_are_unfolded_to_the_same_numbers(tmp_path: Path) -> None:
    import onnxruntime

    generator = np.random.default_rng(2)
    constants = {
        "stored": generator.integers(-128, 128, (3, 70), dtype=np.int8),
        "scale": generator.uniform(0.001, 0.1, (3, 2)).astype(np.float32),
        "zero": generator.integers(-5, 5, (3, 2), dtype=np.int8),
        "by_channel": generator.integers(0, 255, (70, 64), dtype=np.uint8),
        "channel_scale": generator.uniform(0.001, 0.1, 64).astype(np.float32),
        "channel_zero": generator.integers(100, 150, 64, dtype=np.uint8),
        "slope": generator.uniform(-1, 1, 70).astype(np.float32),
        "steep": generator.uniform(0, 2, 64).astype(np.float32),
        "rows": np.array([3, 70]),
        "never_read": np.zeros(5, np.float32),
    }
    nodes: list[Node] = [
        ("DequantizeLinear", ["stored", "scale", "zero"], "first", {"axis": 1, "block_size": 64}),
        ("Reshape", ["first", "rows"], "shaped", {}),
        ("DequantizeLinear", ["by_channel", "channel_scale", "channel_zero"], "second", {"axis": 1}),
        *MEANS[:2],
        ("MatMul", ["flat", "shaped"], "hidden", {}),
        ("PRelu", ["hidden", "slope"], "bent", {}),
        ("MatMul", ["bent", "second"], "wide", {}),
        ("PRelu", ["wide", "steep"], "embedding", {}),
    ]
    path = save(tmp_path / "net.onnx", nodes, constants=constants, shape=("N", 3, 12, 10), output=("N", 64))
    graph = read_graph(path)
    rewritten = onnx.load_from_string(graph.model).graph
    kinds = [node.op_type for node in rewritten.node]
    assert "DequantizeLinear" not in kinds
    assert kinds.count("PRelu") == 1, "a slope above 1 cannot be written as a maximum"
    assert "never_read" not in [tensor.name for tensor in rewritten.initializer]
    images = generator.normal(size=(3, 3, 12, 10)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # as written: optimised, onnxruntime may round the activations to integers too
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain, ours = (
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"]).run(None, {"image": images})[
            0
        ]
        for source in (str(path), graph.model)
    )
    np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-5)


def test_colour_mean_and_std_follow_the_arguments(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", MEANS)
    images = chips(2)
    plain = create(path, mean=(0.0,), std=(1.0,)).embed(images)
    np.testing.assert_allclose(plain, expected(images, 0, 1), rtol=1e-4)
    swapped = create(path, mean=(0.0,), std=(1.0,), colour="bgr").embed(images)
    np.testing.assert_allclose(swapped, expected(images[..., ::-1], 0, 1), rtol=1e-4)
    by_channel = create(path, colour="bgr", mean=(100.0, 50.0, 0.0), std=(1.0, 2.0, 4.0))
    values = (images[..., ::-1].astype(float) - (100, 50, 0)) / (1, 2, 4)
    np.testing.assert_allclose(by_channel.embed(images), expected(values, 0, 1), rtol=1e-4)
    assert by_channel.colour == "BGR"
    assert by_channel.scaling == "(x - (100, 50, 0)) / (1, 2, 4)"


def test_an_input_with_the_channels_last_is_fed_that_way(tmp_path: Path) -> None:
    nodes: list[Node] = [("Transpose", ["image"], "planes", {"perm": [0, 3, 1, 2]}), *MEANS]
    nodes[1] = ("GlobalAveragePool", ["planes"], "pooled", {})
    path = save(tmp_path / "net.onnx", nodes, shape=(1, 12, 10, 3))
    recogniser = create(path, layout="nhwc")
    np.testing.assert_allclose(recogniser.embed(chips(3)), expected(chips(3)), atol=1e-4)
    np.testing.assert_allclose(create(path).embed(chips(3)), expected(chips(3)), atol=1e-4)
    with pytest.raises(DataError, match=r"take an input image float32 \(1, 12, 10, 3\); a recogniser takes \(N, 3"):
        create(path, layout="nchw")


def test_a_graph_that_takes_any_size_needs_one(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", MEANS, shape=("N", 3, "h", "w"), output=("N", "d"))
    with pytest.raises(UsageError, match=r"say which: size=\[112,112\]"):
        create(path)
    recogniser = create(path, size="[56,112]")
    assert recogniser.embedding_size == 64, "where the graph does not say, a grey image tells"
    assert recogniser.face.points[0] == pytest.approx((ARCFACE_112.points[0][0], ARCFACE_112.points[0][1] / 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (112, 112)}, r"size=\[112, 112\] was given; net.onnx takes \[12, 10\]"),
        ({"size": (12,)}, "must be height and width"),
        ({"mean": (1.0, 2.0)}, "1 or 3 values"),
        ({"std": (0.0,)}, "no std may be 0"),
        ({"points": (1.0, 2.0)}, "points holds 2 numbers"),
    ],
)
def test_arguments_that_do_not_fit_are_a_usage_error(tmp_path: Path, arguments: dict, message: str) -> None:
    path = save(tmp_path / "net.onnx", MEANS)
    with pytest.raises(UsageError, match=message):
        create(path, **arguments)


def test_points_replace_the_template(tmp_path: Path) -> None:
    points = tuple(float(v) for v in range(10))
    face = create(save(tmp_path / "net.onnx", MEANS), points=points).face
    assert face.points == ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))


def test_chips_of_another_size_break_the_contract(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="onnx was given"):
        create(save(tmp_path / "net.onnx", MEANS)).embed(chips(1, 10, 12))


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04\x95", b"<html></html>"])
def test_a_file_that_is_no_network_is_a_data_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match="net.onnx"):
        create(path)


def test_an_absent_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="absent.onnx, which does not exist"):
        create(tmp_path / "absent.onnx")


def test_a_graph_with_two_inputs_is_no_recogniser(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", [*MEANS[:2], ("Add", ["flat", "image"], "embedding", {})])
    model = onnx.load(str(path))
    model.graph.input.append(helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, (1, 3)))
    model.graph.node[2].input[1] = "other"
    onnx.save(model, str(path))
    with pytest.raises(DataError, match="a graph with 2 inputs"):
        create(path)


def test_a_pack_gives_its_one_recognition_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insightface, "_root", lambda: tmp_path)
    pack = tmp_path / "buffalo_l"
    pack.mkdir()
    face = (1, 3, 112, 112)
    save(pack / "2d106det.onnx", MEANS, shape=(1, 3, 192, 192))
    save(pack / "det_10g.onnx", MEANS, shape=(1, 3, "h", "w"), constants={"gains": GAINS[:, :4]}, output=(1, 4))
    (pack / "broken.onnx").write_bytes(b"x")
    save(pack / "w600k_r50.onnx", MEANS, shape=face)
    assert insightface._missing() is None
    recogniser = RECOGNISERS["insightface"].create()
    assert [weights.name for weights in recogniser.weights] == ["w600k_r50.onnx"]
    assert recogniser.embedding_size == 64
    images = chips(3, 112, 112)
    np.testing.assert_allclose(recogniser.embed(images), expected(images), atol=1e-4)
    save(pack / "second.onnx", MEANS, shape=face)
    with pytest.raises(DataError, match="2 recognition networks"):
        RECOGNISERS["insightface"].create()
    assert RECOGNISERS["insightface"].create({"weights": pack / "second.onnx"}).weights[0].name == "second.onnx"


def test_a_graph_that_scales_its_input_is_fed_plain_values(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("Sub", ["image", "middle"], "shifted", {}),
        ("GlobalAveragePool", ["shifted"], "pooled", {}),
        *MEANS[1:],
    ]
    path = save(tmp_path / "r.onnx", nodes, shape=(1, 3, 112, 112), constants={"middle": np.float32(100)})
    recogniser = RECOGNISERS["insightface"].create({"weights": path})
    images = chips(2, 112, 112)
    np.testing.assert_allclose(recogniser.embed(images), expected(images, 100, 1), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("make", [lambda folder: folder / "nowhere", lambda folder: folder])
def test_a_pack_that_is_not_there_or_empty_is_named(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises((MissingError, DataError), match="does not exist|no recognition network"):
        RECOGNISERS["insightface"].create({"weights": make(tmp_path)})


def test_a_detector_is_refused_by_what_it_gives(tmp_path: Path) -> None:
    path = save(tmp_path / "det.onnx", MEANS, constants={"gains": GAINS[:, :4]}, output=(1, 4))
    with pytest.raises(DataError, match="takes 12 x 10 pixels and gives 4 numbers"):
        RECOGNISERS["insightface"].create({"weights": path})


def test_without_any_pack_the_list_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insightface, "_root", lambda: tmp_path / "none")
    assert "Fetch a pack" in (insightface._missing() or "")
