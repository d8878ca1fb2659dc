from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ContractError, DataError, UsageError
from bench.interfaces import RECOGNISERS, Recogniser
from tests.bench.recognisers.onnx_graphs import GAINS, MEANS, Node, chips, means, onnx, save

MIXING: list[Node] = [
    *MEANS[:2],
    ("MatMul", ["flat", "gains"], "plain", {}),
    ("ReduceMean", ["plain"], "centre", {"axes": [0], "keepdims": 1}),
    ("Sub", ["plain", "centre"], "away", {}),  # 0 for a single image
    ("Mul", ["away", "share"], "part", {}),
    ("Add", ["plain", "part"], "embedding", {}),
]
SHARE = {"share": np.float32(0.05)}
BATCHES = [("batch", 3, 12, 10), ("b", 3, "h", "w"), (1, 3, 12, 10), (0, 3, 12, 10), (-1, 3, 12, 10), (8, 3, 12, 10)]


def create(path: Path, **arguments: object) -> Recogniser:
    return RECOGNISERS["onnx"].create({"weights": path, "threads": 1, "size": (12, 10), **arguments})


def assert_rows_alone(recogniser: Recogniser, expected: np.ndarray) -> None:
    """Whatever the number of images, each row is that of the image alone."""
    for count in (1, 2, 7, 8, 9, 19):
        np.testing.assert_allclose(recogniser.embed(chips(19)[:count]), expected[:count], atol=1e-4)


@pytest.mark.parametrize("shape", BATCHES)
def test_rows_that_mix_are_passed_one_by_one_whatever_batch_the_file_declares(tmp_path: Path, shape: tuple) -> None:
    path = save(tmp_path / "net.onnx", MIXING, shape=shape, outputs={"embedding": (shape[0], 64)}, constants=SHARE)
    recogniser = create(path)
    assert_rows_alone(recogniser, means(chips(19)))
    assert "depends on the other images" in str(recogniser.execution()["batch"])
    assert "training mode" in recogniser.notes()[0]


@pytest.mark.parametrize("shape", BATCHES)
def test_rows_that_do_not_mix_are_passed_eight_at_once(tmp_path: Path, shape: tuple) -> None:
    recogniser = create(save(tmp_path / "net.onnx", MEANS, shape=shape, outputs={"embedding": (shape[0], 64)}))
    assert_rows_alone(recogniser, means(chips(19)))
    assert recogniser.execution()["batch"] == "8 images a call"
    assert recogniser.notes() == ()


def test_rows_that_mix_in_full_batches_alone_are_noticed(tmp_path: Path) -> None:
    full: list[Node] = [
        *MEANS[:2],
        ("MatMul", ["flat", "gains"], "plain", {}),
        ("Shape", ["plain"], "shape", {}),
        ("Gather", ["shape", "first"], "count", {"axis": 0}),
        ("Greater", ["count", "seven"], "is_full", {}),
        ("Cast", ["is_full"], "factor", {"to": onnx.TensorProto.FLOAT}),
        ("ReduceMean", ["plain"], "centre", {"axes": [0], "keepdims": 1}),
        ("Mul", ["centre", "factor"], "part", {}),
        ("Add", ["plain", "part"], "embedding", {}),
    ]
    constants = {"first": np.array(0), "seven": np.array(7)}
    path = save(
        tmp_path / "net.onnx", full, shape=("n", 3, 12, 10), outputs={"embedding": ("n", 64)}, constants=constants
    )
    assert_rows_alone(create(path), means(chips(19)))


@pytest.mark.parametrize("rows", [(1, -1), (-1,)])
def test_an_output_that_joins_its_batch_is_passed_one_by_one(tmp_path: Path, rows: tuple) -> None:
    joined: list[Node] = [
        *MEANS[:2],
        ("MatMul", ["flat", "gains"], "plain", {}),
        ("Reshape", ["plain", "rows"], "embedding", {}),
    ]
    path = save(
        tmp_path / "net.onnx",
        joined,
        shape=("n", 3, 12, 10),
        outputs={"embedding": None},
        constants={"rows": np.array(rows)},
    )
    assert_rows_alone(create(path), means(chips(19)))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_batch_length_built_into_the_graph_is_filled_with_copies(tmp_path: Path, batch: int) -> None:
    built_in: list[Node] = [MEANS[0], ("Reshape", ["pooled", "rows"], "flat", {}), MEANS[2]]
    path = save(
        tmp_path / "net.onnx",
        built_in,
        shape=(batch, 3, 12, 10),
        outputs={"embedding": (batch, 64)},
        constants={"rows": np.array([batch, 3])},
    )
    recogniser = create(path)
    assert_rows_alone(recogniser, means(chips(19)))
    why = "it does not run on 3 images" if batch == 1 else f"it takes batches of {batch}"
    assert recogniser.execution()["batch"] == f"one image a call: {why}"


@pytest.mark.parametrize("channels_first", [True, False])
def test_a_graph_without_a_batch_axis_takes_one_image(tmp_path: Path, channels_first: bool) -> None:
    axes = [1, 2] if channels_first else [0, 1]
    single: list[Node] = [
        ("ReduceMean", ["image"], "flat", {"axes": axes, "keepdims": 0}),
        ("MatMul", ["flat", "gains"], "embedding", {}),
    ]
    shape = (3, 12, 10) if channels_first else (12, 10, 3)
    recogniser = create(save(tmp_path / "net.onnx", single, shape=shape, outputs={"embedding": (64,)}))
    assert recogniser.embedding_size == 64
    assert_rows_alone(recogniser, means(chips(19)))


def test_a_working_run_prints_nothing_of_onnxruntime(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    built_in: list[Node] = [MEANS[0], ("Reshape", ["pooled", "rows"], "flat", {}), MEANS[2]]
    path = save(tmp_path / "net.onnx", built_in, constants={"rows": np.array([1, 3])})
    create(path).embed(chips(3))  # a batch is tried, and fails inside onnxruntime
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_the_cause_that_onnxruntime_gives_is_shown_whole_on_one_line(tmp_path: Path) -> None:
    name = "a name of some length with\x1b[31mcolour" * 8
    unknown: list[Node] = [
        *MEANS[:2],
        ("MatMul", ["flat", "gains"], "plain", {}),
        ("Reshape", ["plain", "rows"], "embedding", {"name": name}),
    ]
    path = save(
        tmp_path / "net.onnx",
        unknown,
        shape=("n", 3, 12, 10),
        outputs={"embedding": None},
        constants={"rows": np.array([7, 11])},
    )
    with pytest.raises(DataError) as caught:
        create(path)
    message = str(caught.value)
    assert "{1,64}, requested shape:{7,11}" in message, "the end of the cause"
    assert message.count("colour") == 8
    assert message.isprintable()


def test_several_outputs_need_a_name_and_are_listed(tmp_path: Path) -> None:
    several: list[Node] = [*MEANS, ("MatMul", ["embedding", "classes"], "logits", {})]
    path = save(
        tmp_path / "net.onnx",
        several,
        shape=("n", 3, 12, 10),
        outputs={"logits": ("n", 10), "embedding": ("n", 64)},
        constants={"classes": np.ones((64, 10), np.float32)},
    )
    with pytest.raises(
        UsageError, match=r"2 outputs: logits float32 \(\?, 10\); embedding float32 \(\?, 64\).*output_name="
    ):
        create(path)
    with pytest.raises(UsageError, match="no output 'features'; it has logits"):
        create(path, output_name="features")
    recogniser = create(path, output_name="embedding")
    assert recogniser.embedding_size == 64
    np.testing.assert_allclose(recogniser.embed(chips(5)), means(chips(5)), atol=1e-4)
    assert recogniser.execution()["output"] == "embedding"


@pytest.mark.parametrize("declared", [("n", 1), ("n", "d"), None])
def test_an_embedding_of_one_number_is_refused(tmp_path: Path, declared: tuple | None) -> None:
    path = save(
        tmp_path / "net.onnx",
        MEANS,
        shape=("n", 3, 12, 10),
        outputs={"embedding": declared},
        constants={"gains": GAINS[:, :1]},
    )
    with pytest.raises(DataError, match="gives 1 number for an image; an embedding has more"):
        create(path)


def test_an_embedding_with_axes_of_length_one_keeps_its_length(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [*MEANS[:2], ("MatMul", ["flat", "gains"], "plain", {}), ("Unsqueeze", ["plain", "axes"], "embedding", {})],
        outputs={"embedding": (1, 64, 1, 1)},
        constants={"axes": np.array([2, 3])},
    )
    recogniser = create(path)
    assert recogniser.embedding_size == 64
    np.testing.assert_allclose(recogniser.embed(chips(9)), means(chips(9)), atol=1e-4)


@pytest.mark.parametrize(
    "dtype", [onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE, onnx.TensorProto.UINT8, onnx.TensorProto.INT32]
)
def test_other_types_of_numbers_are_fed_as_the_file_declares(tmp_path: Path, dtype: int) -> None:
    nodes: list[Node] = [
        ("Cast", ["image"], "floating", {"to": onnx.TensorProto.FLOAT}),
        ("GlobalAveragePool", ["floating"], "pooled", {}),
        *MEANS[1:],
    ]
    recogniser = create(save(tmp_path / "net.onnx", nodes, dtype=dtype))
    whole = dtype in (onnx.TensorProto.UINT8, onnx.TensorProto.INT32)
    expected = means(chips(9), 0, 1) if whole else means(chips(9))
    np.testing.assert_allclose(recogniser.embed(chips(9)), expected, rtol=1e-3, atol=5e-3)
    if whole:
        with pytest.raises(UsageError, match="which whole numbers of that kind do not hold"):
            create(save(tmp_path / "net.onnx", nodes, dtype=dtype), mean=(127.5,), std=(127.5,))


def test_signed_bytes_need_a_scaling(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("Cast", ["image"], "floating", {"to": onnx.TensorProto.FLOAT}),
        ("GlobalAveragePool", ["floating"], "pooled", {}),
        *MEANS[1:],
    ]
    path = save(tmp_path / "net.onnx", nodes, dtype=onnx.TensorProto.INT8)
    with pytest.raises(UsageError, match=r"mean=\[128\],std=\[1\]"):
        create(path)
    np.testing.assert_allclose(
        create(path, mean=(128.0,), std=(1.0,)).embed(chips(3)), means(chips(3), 128, 1), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("dtype", [onnx.TensorProto.STRING, onnx.TensorProto.BOOL, onnx.TensorProto.BFLOAT16])
def test_an_input_that_is_no_number_is_a_data_error(tmp_path: Path, dtype: int) -> None:
    with pytest.raises(DataError, match="a recogniser's are numbers"):
        create(save(tmp_path / "net.onnx", [("Identity", ["image"], "embedding", {})], dtype=dtype))


@pytest.mark.parametrize("shape", [(1, 512), (1, 3, 4, 12, 10), (), (1, 4, 12, 10)])
def test_an_input_that_is_no_image_is_a_data_error(tmp_path: Path, shape: tuple) -> None:
    with pytest.raises(DataError, match="take an input image float32"):
        create(save(tmp_path / "net.onnx", [("Identity", ["image"], "embedding", {})], shape=shape))


def test_an_input_of_undeclared_shape_is_taken_for_a_batch_of_rgb_images(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", MEANS, shape=None, outputs={"embedding": None})
    np.testing.assert_allclose(create(path).embed(chips(9)), means(chips(9)), atol=1e-4)


def test_a_network_of_one_channel_is_given_luma(tmp_path: Path) -> None:
    from PIL import Image

    gains = GAINS[:1]
    path = save(
        tmp_path / "net.onnx",
        MEANS,
        shape=("n", 1, 12, 10),
        outputs={"embedding": ("n", 64)},
        constants={"gains": gains},
    )
    with pytest.raises(UsageError, match=r"takes images of 1 channel.*colour=gray"):
        create(path)
    recogniser = create(path, colour="gray", mean=(0.0,), std=(255.0,))
    luma = np.stack([np.asarray(Image.fromarray(chip).convert("L")) for chip in chips(9)]).astype(np.float64)
    expected = luma.mean(axis=(1, 2))[:, None] / 255 @ gains
    np.testing.assert_allclose(recogniser.embed(chips(9)), expected, rtol=1e-4, atol=1e-5)
    assert recogniser.execution()["colour"] == "gray"
    with pytest.raises(UsageError, match="must hold 1 values"):
        create(path, colour="gray", mean=(1.0, 2.0, 3.0))


def test_colour_gray_does_not_fit_a_network_of_three_channels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="colour=gray is for networks of one channel"):
        create(save(tmp_path / "net.onnx", MEANS), colour="gray")


def test_a_recogniser_with_an_open_session_travels_to_another_process(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.onnx", MEANS))
    first = recogniser.embed(chips(3))
    assert np.array_equal(pickle.loads(pickle.dumps(recogniser)).embed(chips(3)), first)


def test_an_output_that_is_not_one_row_an_image_is_named(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *MEANS[:2],
        ("MatMul", ["flat", "gains"], "plain", {}),
        ("Transpose", ["plain"], "embedding", {"perm": [1, 0]}),
    ]
    path = save(tmp_path / "net.onnx", nodes, outputs={"embedding": None})
    with pytest.raises(ContractError, match=r"output of shape \(64, 1\) for 1 images"):
        create(path)
