"""ONNX files as hallucinators: arithmetic by hand, how images go in and out, and the requested output."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bench.errors import ContractError, DataError, MissingError, UsageError
from bench.images import resize_float, to_bytes, to_float
from bench.pipeline.chain import Chain
from bench.registry import load_plugins
from hallucinators.external.onnx_file import OnnxFile
from hallucinators.vividgan.hallucinator import VividGanFlow, VividGanHallucinator
from hallucinators.vividgan.network.loading import build, save_weights
from hallucinators.vividgan.network.weight_file import Facts

MIX = np.array([[0.5, 0.3, 0.1], [0.1, 0.6, 0.1], [0.0, 0.1, 0.7]], np.float32)
"""What becomes of the three channels a network is given: no two orders of them give the same."""
TWICE = np.array([1, 1, 2, 2], np.float32)
Shape = Sequence[int | str]
FREE: Shape = ("n", 3, "height", "width")
Node = tuple[str, Sequence[str], str, dict[str, Any]]
BODY: list[Node] = [
    ("Conv", ["image", "mix"], "mixed", {}),
    ("Resize", ["mixed", "", "twice"], "result", {"mode": "nearest"}),
]


def images(shape: Shape = FREE, kind: int = TensorProto.FLOAT) -> dict[str, tuple[int, Shape]]:
    return {"image": (kind, shape)}


def results(shape: Shape | None = FREE, kind: int = TensorProto.FLOAT) -> dict[str, tuple[int, Shape | None]]:
    return {"result": (kind, shape)}


def save(
    path: Path,
    nodes: Sequence[Node] = BODY,
    *,
    inputs: dict[str, tuple[int, Shape]] | None = None,
    outputs: dict[str, tuple[int, Shape | None]] | None = None,
    metadata: dict[str, str] | None = None,
    **constants: np.ndarray,
) -> Path:
    """Write a graph from ``image`` to ``result``; by default it mixes channels and doubles the sides."""
    ports = [
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in supplied.items()]
        for supplied in (inputs or images(), outputs or results())
    ]
    stored = {"mix": MIX[:, :, None, None], "twice": TWICE, **constants}
    graph = helper.make_graph(
        [helper.make_node(kind, list(names), [name], **supplied) for kind, names, name, supplied in nodes],
        "test",
        *ports,
        [numpy_helper.from_array(value, name) for name, value in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, str(path))
    return path


def faces(count: int = 3, height: int = 8, width: int = 8) -> np.ndarray:
    return np.random.default_rng(0).random((count, 3, height, width), np.float32)


def mixed(lr: np.ndarray) -> np.ndarray:
    """What the graph does, in float64."""
    return np.einsum("oc,nchw->nohw", MIX.astype(np.float64), lr).repeat(2, 2).repeat(2, 3)


@pytest.mark.parametrize("count", [1, "n"])
def test_a_graph_of_any_size_is_tried_once_and_gives_what_it_gives_by_hand(tmp_path: Path, count: int | str) -> None:
    path = save(tmp_path / "net.onnx", inputs=images((count, *FREE[1:])), outputs=results(None))
    hallucinator = OnnxFile(file=path)
    assert (hallucinator.input_spec.size, hallucinator.output_spec) == (None, type(hallucinator.output_spec)(None, 2))
    lr = faces(3, 8, 11)
    actual = hallucinator.hallucinate(lr)
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, mixed(lr), atol=1e-6)


def test_fixed_sizes_are_read_from_the_file_and_the_network_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "net.onnx", inputs=images((1, 3, 12, 12)), outputs=results((1, 3, 24, 24)))
    monkeypatch.setattr(OnnxFile, "_open", lambda self: pytest.fail("opened"))
    hallucinator = OnnxFile(file=path)
    assert (hallucinator.input_spec.size, hallucinator.output_spec.size) == (12, 24)
    free = save(tmp_path / "free.onnx")
    assert OnnxFile(file=free, scale=2).output_spec.scale == 2
    assert OnnxFile(file=free, scale=2, size=10).output_spec.size == 20
    assert OnnxFile(file=free, output=30).output_spec.size == 30


@pytest.mark.parametrize(("size", "output"), [(12, None), (12, 30), (None, 30), (0, 30)])
def test_images_are_brought_to_the_sizes_requested(tmp_path: Path, size: int | None, output: int | None) -> None:
    hallucinator = OnnxFile(file=save(tmp_path / "net.onnx"), size=size, output=output)
    lr = faces()
    expected = mixed(resize_float(lr, 12, 12).clip(0, 1) if size else lr).astype(np.float32)
    if output:
        expected = resize_float(expected, output, output)
    assert hallucinator.output_spec.size == (output or 24)
    np.testing.assert_allclose(hallucinator.hallucinate(lr), expected, atol=1e-6)


def test_a_bgr_network_sees_and_gives_the_channels_the_other_way_round(tmp_path: Path) -> None:
    lr = faces()
    actual = OnnxFile(file=save(tmp_path / "net.onnx"), colour="BGR").hallucinate(lr)
    np.testing.assert_allclose(actual, mixed(lr[:, ::-1])[:, ::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("values", "values_out", "into", "back"),
    [
        ("-1..1", None, lambda x: 2 * x - 1, lambda y: (y + 1) / 2),
        ("0..255", None, lambda x: 255 * x, lambda y: y / 255),
        ("-1..1", "0..255", lambda x: 2 * x - 1, lambda y: y / 255),
        ("0..255", "0..1", lambda x: 255 * x, lambda y: y),
        ("0..1", "-1..1", lambda x: x, lambda y: (y + 1) / 2),
    ],
)
def test_values_go_in_and_out_in_their_range(
    tmp_path: Path, values: Any, values_out: Any, into: Callable[..., Any], back: Callable[..., Any]
) -> None:
    lr = faces()
    actual = OnnxFile(file=save(tmp_path / "net.onnx"), values=values, values_out=values_out).hallucinate(lr)
    np.testing.assert_allclose(actual, back(mixed(into(lr.astype(np.float64)))), rtol=1e-4, atol=1e-5)


def test_channels_last_bytes_go_in_and_out(tmp_path: Path) -> None:
    """As TensorFlow's exporters write them: uint8 (1, h, w, 3) on both ends."""
    nodes: list[Node] = [
        ("Cast", ["image"], "float", {"to": TensorProto.FLOAT}),
        ("Transpose", ["float"], "first", {"perm": [0, 3, 1, 2]}),
        ("Conv", ["first", "mix"], "mixed", {}),
        ("Resize", ["mixed", "", "twice"], "large", {"mode": "nearest"}),
        ("Transpose", ["large"], "last", {"perm": [0, 2, 3, 1]}),
        ("Cast", ["last"], "result", {"to": TensorProto.UINT8}),
    ]
    last: Shape = (1, "height", "width", 3)
    path = save(
        tmp_path / "net.onnx", nodes, inputs=images(last, TensorProto.UINT8), outputs=results(last, TensorProto.UINT8)
    )
    levels = np.random.default_rng(1).integers(0, 256, (2, 3, 8, 8))
    actual = OnnxFile(file=path, values="0..255").hallucinate((levels / 255).astype(np.float32))
    np.testing.assert_allclose(actual * 255, np.floor(mixed(levels) + 1e-3), atol=1.01)
    with pytest.raises(UsageError, match=r"takes whole numbers; say values=0..255"):
        OnnxFile(file=path)
    with pytest.raises(UsageError, match=r"layout=nchw does not fit image uint8 \(1, \?, \?, 3\)"):
        OnnxFile(file=path, values="0..255", layout="nchw")


def test_a_half_precision_graph_is_given_half_precision(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [("Identity", ["image"], "result", {})],
        inputs=images(kind=TensorProto.FLOAT16),
        outputs=results(kind=TensorProto.FLOAT16),
    )
    np.testing.assert_allclose(OnnxFile(file=path).hallucinate(faces()), faces(), atol=1e-3)


FUSED: list[Node] = [
    ("Cast", ["weight"], "w", {"to": TensorProto.FLOAT}),
    ("Mul", ["image", "w"], "result", {}),
]


@pytest.mark.parametrize(
    ("kind", "shape"), [(TensorProto.DOUBLE, (1,)), (TensorProto.FLOAT, ()), (TensorProto.FLOAT, ("n", 1))]
)
def test_a_second_input_takes_w_in_its_own_type_and_shape(tmp_path: Path, kind: int, shape: Shape) -> None:
    path = save(tmp_path / "net.onnx", FUSED, inputs={**images(), "weight": (kind, shape)})
    np.testing.assert_allclose(OnnxFile(file=path, w=0.25).hallucinate(faces()), faces() / 4, atol=1e-6)
    with pytest.raises(UsageError, match="second input, weight float.*such as w=1.0"):
        OnnxFile(file=path)


def test_inputs_that_cannot_be_filled_are_named(tmp_path: Path) -> None:
    nodes: list[Node] = [("Mul", ["image", "mask"], "result", {})]
    path = save(tmp_path / "net.onnx", nodes, inputs={**images(), "mask": (TensorProto.FLOAT, (1, 1, "h", "w"))})
    with pytest.raises(DataError, match=r"cannot fill: mask float32 \(1, 1, \?, \?\)"):
        OnnxFile(file=path, input_name="image")
    with pytest.raises(UsageError, match="w=0.5 was given, but net.onnx has no input for it"):
        OnnxFile(file=save(tmp_path / "net.onnx"), w=0.5)


def test_where_several_images_come_out_one_is_named(tmp_path: Path) -> None:
    nodes: list[Node] = [*BODY, ("Neg", ["result"], "other", {}), ("ReduceMean", ["mixed"], "mean", {"keepdims": 0})]
    both = {**results(), "other": (TensorProto.FLOAT, FREE), "mean": (TensorProto.FLOAT, ())}
    path = save(tmp_path / "net.onnx", nodes, outputs=both)
    with pytest.raises(UsageError, match=r"several outputs that may be the image: result.*other.*Say output_name="):
        OnnxFile(file=path)
    with pytest.raises(UsageError, match="has no output 'gone'; it has result"):
        OnnxFile(file=path, output_name="gone")
    actual = OnnxFile(file=path, output_name="other").hallucinate(faces())
    np.testing.assert_allclose(actual, -mixed(faces()), atol=1e-6)
    one = save(tmp_path / "one.onnx", [*BODY, nodes[-1]], outputs={**results(), "mean": (TensorProto.FLOAT, ())})
    assert OnnxFile(file=one).output_spec.scale == 2  # a number is no image


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 16}, "size=16 was requested; net.onnx takes 12 x 12 only"),
        ({"size": 0}, "size=0 was requested; net.onnx takes 12 x 12 only"),
        ({"scale": 4}, "scale=4 was requested; net.onnx makes 24 of 12 pixels"),
        ({"scale": 0}, "scale is 0"),
        ({"output": 1}, "output is 1"),
        ({"device": "tpu"}, "device=tpu is not available; onnxruntime has .*CPUExecutionProvider"),
    ],
)
def test_arguments_that_do_not_go_with_the_file_are_refused(tmp_path: Path, arguments: Any, message: str) -> None:
    path = save(tmp_path / "net.onnx", inputs=images((1, 3, 12, 12)), outputs=results((1, 3, 24, 24)))
    with pytest.raises(UsageError, match=message):
        OnnxFile(file=path, **arguments)


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((4, 3, 12, 12), UsageError, "takes 4 images at once"),
        ((1, 3, 12, 10), DataError, "not square"),
        (
            (1, 1, 12, 12),
            UsageError,
            r"the input of net.onnx has one channel: image float32 \(1, 1, 12, 12\). Give colour=gray",
        ),
        ((1, 3), UsageError, "no input of net.onnx is an RGB image"),
    ],
)
def test_graphs_that_take_no_single_square_rgb_image_are_refused(
    tmp_path: Path, shape: Shape, error: type[Exception], message: str
) -> None:
    path = save(tmp_path / "net.onnx", [("Identity", ["image"], "result", {})], inputs=images(shape), outputs=results())
    with pytest.raises(error, match=message):
        OnnxFile(file=path)


def test_a_wrong_scale_ends_the_run(tmp_path: Path) -> None:
    load_plugins()
    chain = Chain.parse(f"onnx:file={save(tmp_path / 'net.onnx')},scale=4")
    with pytest.raises(ContractError, match=r"\(1, 3, 16, 16\) for \(1, 3, 8, 8\); expected 32 x 32.*scale="):
        chain.hallucinate(list(to_bytes(faces())))


def test_a_network_that_does_not_run_on_its_probe_asks_for_its_size(tmp_path: Path) -> None:
    nodes: list[Node] = [("Add", ["image", "pattern"], "result", {})]
    path = save(tmp_path / "net.onnx", nodes, outputs=results(None), pattern=np.zeros((1, 3, 12, 12), np.float32))
    with pytest.raises(UsageError, match="does not run on 32 x 32 pixels.*Say size="):
        OnnxFile(file=path)
    np.testing.assert_array_equal(OnnxFile(file=path, size=12).hallucinate(faces(1, 12, 12)), faces(1, 12, 12))


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_named(tmp_path: Path, kept: float) -> None:
    path = save(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(DataError, match="net.onnx is truncated or no ONNX file"):
        OnnxFile(file=path)


def test_other_files_are_distinguished_from_onnx(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "net.pth")
    with pytest.raises(DataError, match=r"no ONNX file.*spandrel:file=FILE"):
        OnnxFile(file=tmp_path / "net.pth")
    with pytest.raises(MissingError, match=r"gone.onnx, which does not exist.*onnx:file=FILE"):
        OnnxFile(file=tmp_path / "gone.onnx")


def test_an_operator_that_onnxruntime_does_not_have_ends_the_run_with_its_name(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Dream", ["image"], ["result"], domain="elsewhere")],
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, (1, 3, 8, 8))],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("elsewhere", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), str(tmp_path / "net.onnx"))
    load_plugins()
    with pytest.raises(ContractError, match=r"onnxruntime cannot open .*net.onnx.*(Dream|elsewhere)"):
        Chain.parse(f"onnx:file={tmp_path / 'net.onnx'}").hallucinate(list(to_bytes(faces())))


def test_weights_beside_the_file_identify_results_too(tmp_path: Path) -> None:
    model = onnx.load(str(save(tmp_path / "whole.onnx")))
    onnx.save(model, str(tmp_path / "net.onnx"), save_as_external_data=True, location="net.data", size_threshold=60)
    first = OnnxFile(file=tmp_path / "net.onnx", scale=2)
    assert [part.name for part in first.weights] == ["net.onnx", "net.data"]
    np.testing.assert_allclose(first.hallucinate(faces()), mixed(faces()), atol=1e-6)
    (tmp_path / "net.data").unlink()
    with pytest.raises(MissingError, match=r"net.data, which does not exist"):
        OnnxFile(file=tmp_path / "net.onnx", scale=2)


def test_weights_outside_the_folder_are_refused(tmp_path: Path) -> None:
    model = onnx.load(str(save(tmp_path / "whole.onnx")))
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "net.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="x.data", size_threshold=0)
    path.write_bytes(path.read_bytes().replace(b"x.data", b"../x.d"))
    with pytest.raises(DataError, match="refers to weights outside its folder"):
        OnnxFile(file=path, scale=2)


def test_a_chain_runs_it_and_it_travels_to_another_process(tmp_path: Path) -> None:
    load_plugins()
    path = save(tmp_path / "net.onnx")
    chain = Chain.parse(f"bicubic:size=16+onnx:file={path},threads=1")
    actual, outcomes = chain.hallucinate(list(to_bytes(faces(2, 9, 7))))
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    supplied = resize_float(to_float(list(to_bytes(faces(2, 9, 7)))), 16, 16).clip(0, 1)
    for image, expected in zip(actual, to_bytes(mixed(supplied).astype(np.float32)), strict=True):
        assert image is not None and np.abs(image.astype(int) - expected).max() <= 1
    sent = pickle.dumps(chain.steps[1].component)
    assert len(sent) < 5_000
    np.testing.assert_allclose(pickle.loads(sent).hallucinate(faces()), mixed(faces()), atol=1e-6)


def test_values_that_are_not_finite_are_counted_failures(tmp_path: Path) -> None:
    load_plugins()
    path = save(tmp_path / "net.onnx", [("Log", ["image"], "result", {})])
    images_ = [np.full((8, 8, 3), level, np.uint8) for level in (255, 0)]
    _, outcomes = Chain.parse(f"onnx:file={path},scale=1").hallucinate(images_)
    assert [(o.status, o.reason) for o in outcomes] == [("ok", ""), ("failed", "output not finite")]


def weights(path: Path, facts: Facts) -> Path:
    """Our own network, drawn at random, awake, with nothing that would magnify roundings."""
    torch.manual_seed(0)
    model = build(facts)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            small = "similarity" in name or name.startswith(("coarse.flow", "coarse.refined"))
            torch.nn.init.normal_(parameter, std=0.01 if small else 0.05)
    save_weights(path, model, facts)
    return path


@pytest.mark.slow
def test_our_own_export_gives_what_the_hallucinator_gives(tmp_path: Path) -> None:
    path = weights(tmp_path / "16.safetensors", Facts("vividgan", 16, "compact"))
    faithful = VividGanHallucinator(weights=path, landmarks="template")
    faithful.export_onnx(tmp_path / "16.onnx")
    actual = OnnxFile(file=tmp_path / "16.onnx")
    assert (actual.input_spec, actual.output_spec) == (faithful.input_spec, faithful.output_spec)
    assert actual.output_frame == faithful.output_frame == "utkface200"
    restored = actual.hallucinate(faces(2, 16, 16))
    np.testing.assert_allclose(restored, faithful.hallucinate(faces(2, 16, 16)), atol=1e-3)
    assert restored.std() > 0.01


def test_our_own_flow_export_brings_faces_to_the_sizes_the_hallucinator_does(tmp_path: Path) -> None:
    path = weights(tmp_path / "flow.safetensors", Facts("vividgan-flow", 0, "compact"))
    flow = VividGanFlow(weights=path, landmarks="template", output="coarse")
    flow.export_onnx(tmp_path / "flow.onnx")
    actual = OnnxFile(file=tmp_path / "flow.onnx")
    assert (actual.input_spec.size, actual.output_spec.size) == (None, 128)
    for side in (12, 16, 20, 40):
        lr = faces(2, side, side - 1)
        np.testing.assert_allclose(actual.hallucinate(lr), flow.hallucinate(lr), atol=1e-3)


@pytest.mark.parametrize(
    "change", [{"template_centres": "?"}, {"template_centres": "[[1, 2]]"}, {"network": "other"}, {"made_by": "me"}]
)
def test_a_file_that_only_claims_to_be_ours_is_run_like_anybody_elses(tmp_path: Path, change: dict[str, str]) -> None:
    ours = {"made_by": "face-hallucination-bench 9", "network": "vividgan", "lr": "any",
            "template_centres": json.dumps([[1.0, 2.0]] * 4)}  # fmt: skip
    nodes: list[Node] = [*BODY, ("Neg", ["result"], "fine", {})]
    both = {**results(), "fine": (TensorProto.FLOAT, FREE)}
    assert OnnxFile(file=save(tmp_path / "a.onnx", nodes, outputs=both, metadata=ours)).output_frame == "utkface200"
    path = save(tmp_path / "b.onnx", nodes, outputs=both, metadata=ours | change)
    with pytest.raises(UsageError, match="several outputs"):
        OnnxFile(file=path)
    assert OnnxFile(file=path, output_name="fine").output_frame == ""


def test_check_distinguishes_a_hallucinator_from_a_recogniser_of_the_same_name(
    bench: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.checks.conformance.FACES", 4)
    code, out, _ = bench("check", f"onnx:file={save(tmp_path / 'net.onnx')}")
    assert code == 0 and "11 of 11 checks passed" in out, out
    code, out, _ = bench("check", f"onnx:file={tmp_path / 'net.onnx'},values=0..255,values_out=0..1")
    assert code == 1 and "FAIL" in next(line for line in out.splitlines() if " range " in line), out
    code, _, err = bench("check", f"onnx:weights={tmp_path / 'gone.onnx'}")
    assert code == 3 and "Recogniser onnx needs the weights" in err
    code, _, err = bench("check", "onnx")
    assert code == 2 and "hallucinator 'onnx': file is required" in err


DOUBLED: list[Node] = [
    ("Mul", ["image", "half"], "darker", {}),
    ("Resize", ["darker", "", "twice"], "result", {"mode": "nearest"}),
]
GREY: Shape = ("n", 1, "height", "width")


def grey_network(folder: Path) -> Path:
    return save(
        folder / "net.onnx", DOUBLED, inputs=images(GREY), outputs=results(GREY), half=np.array(0.5, np.float32)
    )


def test_a_network_of_one_channel_is_given_luma_and_chroma_is_enlarged_bicubically(tmp_path: Path) -> None:
    path = grey_network(tmp_path)
    with pytest.raises(UsageError, match=r"has one channel: image float32 \(\?, 1, \?, \?\).*Give colour=gray"):
        OnnxFile(file=path)
    hallucinator = OnnxFile(file=path, colour="gray")
    lr = faces(2)
    result = hallucinator.hallucinate(lr)
    luma = 0.299 * lr[:, 0] + 0.587 * lr[:, 1] + 0.114 * lr[:, 2]
    enlarged = 0.5 * luma.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(0.299 * result[:, 0] + 0.587 * result[:, 1] + 0.114 * result[:, 2], enlarged, atol=1e-5)
    for channel in (0, 2):
        chroma = resize_float((lr[:, channel] - luma)[:, None].astype(np.float32), 16, 16)[:, 0]
        np.testing.assert_allclose(result[:, channel] - enlarged, chroma, atol=1e-5)
    assert hallucinator.execution()["colour"] == "luma by the network, chroma enlarged bicubically"


def test_grey_faces_stay_grey_through_a_network_of_one_channel(tmp_path: Path) -> None:
    grey = np.repeat(faces(1)[:, :1], 3, axis=1)
    result = OnnxFile(file=grey_network(tmp_path), colour="gray").hallucinate(grey)
    np.testing.assert_allclose(result[:, 0], result[:, 1], atol=1e-5)
    np.testing.assert_allclose(result[:, 2], result[:, 1], atol=1e-5)


def test_colour_gray_does_not_fit_a_network_of_three_channels(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", inputs=images((1, 3, 12, 12)), outputs=results((1, 3, 24, 24)))
    with pytest.raises(UsageError, match=r"an image of one channel \(colour=gray\)"):
        OnnxFile(file=path, colour="gray")


def test_what_was_used_is_reported_after_a_pass(tmp_path: Path) -> None:
    hallucinator = OnnxFile(file=save(tmp_path / "net.onnx", inputs=images((1, 3, 8, 8))), output=16)
    assert "providers" not in hallucinator.execution()
    hallucinator.hallucinate(faces(1))
    facts = hallucinator.execution()
    assert facts["providers"] == ["CPUExecutionProvider"]
    assert (facts["device"], facts["batch"], facts["output"]) == ("cpu", "one image a call", "result")
