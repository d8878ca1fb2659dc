"""ONNX files: one graph for any batch, equal to torch, and none where it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from bench.errors import BenchError, ContractError
from hallucinators.vividgan import onnx_export
from hallucinators.vividgan.network.components import template_centres
from hallucinators.vividgan.network.loading import build
from hallucinators.vividgan.network.model import VividGAN
from hallucinators.vividgan.network.weight_file import Facts
from hallucinators.vividgan.onnx_export import export_onnx

VIVIDGAN_16, VIVIDGAN_32 = (Facts("vividgan", side, "compact") for side in (16, 32))
FLOW = Facts("vividgan-flow", 0, "compact", trained={"people": 8})


def awake(facts: Facts) -> VividGAN:
    """A network in which nothing is zero, as after some training, and which does not magnify roundings."""
    torch.manual_seed(0)
    model = build(facts)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            small = "similarity" in name or name.startswith(("coarse.flow", "coarse.refined"))
            torch.nn.init.normal_(parameter, std=0.01 if small else 0.05)
    return model.eval()


@pytest.mark.parametrize(
    ("facts", "sides"), [(VIVIDGAN_16, (16,)), (VIVIDGAN_32, (32,)), (FLOW, (16, 32))], ids=["16", "32", "flow"]
)
def test_the_graph_computes_what_torch_does_for_any_batch(tmp_path: Path, facts: Facts, sides: tuple[int, ...]) -> None:
    model, path = awake(facts), tmp_path / "new" / "net.onnx"
    instance = export_onnx(model, facts, path, weights_sha256="ab12", licence="for a test")
    assert instance.sides == sides and instance.difference <= 1e-3 and instance.size == path.stat().st_size
    assert [file.name for file in path.parent.iterdir()] == ["net.onnx"]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [value.shape for value in session.get_outputs()] == [["n", 3, 128, 128]] * 3
    for side in sides:
        for count in (1, 3):
            lr = torch.rand(count, 3, side, side)
            centres = template_centres()[None] + 8 * torch.randn(count, 4, 2)
            result = session.run(["coarse", "prior", "fine"], {"lr": lr.numpy(), "centres": centres.numpy()})
            with torch.no_grad():
                reference = model(lr, centres=centres)
            for image, expected in zip(result, (reference.coarse, reference.prior, reference.fine), strict=True):
                assert 0 <= image.min() and image.max() <= 1 and image.std() > 0.01
                np.testing.assert_allclose(image, expected.clamp(0, 1).numpy(), atol=1e-3)


def test_the_file_says_what_it_is_of(tmp_path: Path) -> None:
    export_onnx(awake(FLOW), FLOW, tmp_path / "net.onnx", weights_sha256="ab12", licence="for a test")
    model = onnx.load(tmp_path / "net.onnx")
    figures = {entry.key: entry.value for entry in model.metadata_props}
    assert {name: figures[name] for name in ("network", "lr", "preset", "licence", "weights_sha256")} == {
        "network": "vividgan-flow", "lr": "any", "preset": "compact", "licence": "for a test", "weights_sha256": "ab12",
    }  # fmt: skip
    assert json.loads(figures["trained"]) == {"people": 8}
    np.testing.assert_allclose(json.loads(figures["template_centres"]), template_centres().numpy(), atol=1e-4)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 20)]


@pytest.mark.parametrize(
    ("facts", "inputs", "outputs"),
    [
        (replace(FLOW, fine=False), ["lr"], ["coarse"]),
        (replace(VIVIDGAN_16, touchup=False), ["lr"], ["coarse", "fine"]),
        (replace(VIVIDGAN_16, component_aware=False), ["lr", "centres"], ["coarse", "prior", "fine"]),
    ],
)
def test_a_graph_asks_and_gives_what_its_network_has(
    tmp_path: Path, facts: Facts, inputs: list[str], outputs: list[str]
) -> None:
    export_onnx(awake(facts), facts, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == inputs
    assert [value.name for value in session.get_outputs()] == outputs


@pytest.mark.parametrize("added", [2e-3, float("nan")])
def test_a_graph_that_computes_something_else_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, added: float
) -> None:
    facts = replace(FLOW, fine=False)
    real = onnx_export._graph

    def spoiled(path: onnx_export._Path, side: int, **supplied: object) -> bytes:
        graph: onnx.ModelProto = onnx.load_from_string(real(path, side, **supplied))  # type: ignore[arg-type]
        graph.graph.node[-1].output[0] = "clean"
        graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array(added, np.float32), "added"))
        graph.graph.node.append(onnx.helper.make_node("Add", ["clean", "added"], ["coarse"]))
        return bytes(graph.SerializeToString())

    monkeypatch.setattr(onnx_export, "_graph", spoiled)
    (tmp_path / "net.onnx").write_text("of yesterday")
    with pytest.raises(ContractError, match=r"differs from torch by (0\.002|nan)"):
        export_onnx(awake(facts), facts, tmp_path / "net.onnx")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("net.onnx", "of yesterday")]


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    facts = replace(FLOW, fine=False)
    with pytest.raises(BenchError, match="Cannot write"):
        export_onnx(awake(facts), facts, tmp_path / "file" / "net.onnx")
