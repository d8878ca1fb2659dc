"""Weight files: what is written comes back, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from bench.errors import BenchError, DataError, MissingError
from bench.weights import save_tensors, weights_file
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.network.loading import build, load_weights, save_weights
from hallucinators.vividgan.network.model import VividGAN
from hallucinators.vividgan.network.weight_file import Facts, read_facts

FACTS = Facts("vividgan", 16, "compact", trained={"people": 8, "smoke": True})
FLOW = Facts("vividgan-flow", 0, "compact")


def awake(facts: Facts, seed: int = 0) -> VividGAN:
    """A network in which nothing is zero, as after some training."""
    torch.manual_seed(seed)
    model = build(facts)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            small = ("similarity" in name) or name.startswith(("coarse.flow", "coarse.refined"))
            torch.nn.init.normal_(parameter, std=0.01 if small else 0.05)
    return model.eval()


@pytest.fixture(scope="module")
def model() -> VividGAN:
    return awake(FACTS)


@pytest.fixture(scope="module")
def written(model: VividGAN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "new" / "vividgan.safetensors"
    save_weights(path, model, FACTS)
    return path


def test_what_is_written_comes_back_to_half_precision(model: VividGAN, written: Path) -> None:
    loaded, facts = load_weights(written, network="vividgan", lr=16)
    assert facts == FACTS and not loaded.training
    state = loaded.state_dict()
    for name, tensor in model.state_dict().items():
        assert state[name].dtype == torch.float32
        torch.testing.assert_close(state[name], tensor, rtol=2**-11, atol=2**-25)
        assert torch.equal(state[name], tensor.half().float()), name
    lr = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(loaded(lr).fine, model(lr).fine, atol=0.02, rtol=0.02)
    assert written.stat().st_size < 2.1 * sum(parameter.numel() for parameter in model.parameters())


def test_equal_networks_make_equal_files_and_others_make_others(model: VividGAN, written: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "again.safetensors", model, FACTS)
    save_weights(tmp_path / "other.safetensors", awake(FACTS, seed=1), FACTS)
    save_weights(tmp_path / "told.safetensors", model, replace(FACTS, trained={"people": 9}))
    first, again, other, messages = (
        weights_file(path, wanted_by="a test", how_to_get="").sha256
        for path in (written, *(tmp_path / f"{name}.safetensors" for name in ("again", "other", "told")))
    )
    assert first == again and len({first, other, messages}) == 3
    assert [path.name for path in written.parent.iterdir()] == ["vividgan.safetensors"]


def test_the_header_says_what_the_file_is_of(written: Path) -> None:
    assert read_facts(written) == FACTS
    with safe_open(written, "pt") as file:
        header = json.loads(file.metadata()["bench"])
        kinds = {file.get_tensor(name).dtype for name in file.keys()}
    assert header == {
        "network": "vividgan", "lr": 16, "preset": "compact", "touchup": True, "component_aware": True, "fine": True,
        "trained": {"people": 8, "smoke": True}, "carry": True, "depth": 0,
    }  # fmt: skip
    assert kinds == {torch.float16}


def test_a_file_from_before_there_was_a_choice_paints_on_grey(tmp_path: Path) -> None:
    model = build(replace(FACTS, carry=False))
    save_weights(tmp_path / "now.safetensors", model, replace(FACTS, carry=False))
    with safe_open(tmp_path / "now.safetensors", "pt") as file:
        header = json.loads(file.metadata()["bench"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    del header["carry"]
    save_file(tensors, tmp_path / "then.safetensors", {"bench": json.dumps(header)})
    assert not read_facts(tmp_path / "then.safetensors").carry


def test_the_flow_network_comes_back_for_any_size(tmp_path: Path) -> None:
    model = awake(FLOW)
    save_weights(tmp_path / "flow.safetensors", model, FLOW)
    loaded, _ = load_weights(tmp_path / "flow.safetensors", network="vividgan-flow", lr=0)
    assert isinstance(loaded.coarse, FlowCoarseNet)
    for side in (16, 32):
        lr = torch.rand(1, 3, side, side)
        with torch.no_grad():
            torch.testing.assert_close(loaded.preview(lr), model.preview(lr), atol=0.02, rtol=0)


def test_a_file_of_the_coarse_network_alone_holds_that_alone(model: VividGAN, tmp_path: Path) -> None:
    save_weights(tmp_path / "coarse.safetensors", model, replace(FACTS, fine=False))
    with safe_open(tmp_path / "coarse.safetensors", "pt") as file:
        assert {name.split(".")[0] for name in file.keys()} == {"coarse"}
    loaded, facts = load_weights(tmp_path / "coarse.safetensors")
    assert not facts.fine
    lr = torch.rand(1, 3, 1, 1).expand(1, 3, 16, 16)  # of one colour: half precision moves the sampling a little
    with torch.no_grad():
        torch.testing.assert_close(loaded.preview(lr), model.preview(lr), atol=0.02, rtol=0.02)


@pytest.mark.parametrize("omitted", ["touchup", "component_aware"])
def test_variants_come_back_as_they_were(tmp_path: Path, omitted: str) -> None:
    facts = replace(FACTS, **{omitted: False})  # type: ignore[arg-type]
    model = awake(facts)
    save_weights(tmp_path / "variant.safetensors", model, facts)
    loaded, result = load_weights(tmp_path / "variant.safetensors")
    assert result == facts
    assert (loaded.touchup is None) == (omitted == "touchup")
    assert (loaded.fine.hourglass is None) == (omitted == "component_aware")
    assert loaded.state_dict().keys() == model.state_dict().keys()


def test_another_network_or_size_than_was_requested_is_refused(written: Path) -> None:
    with pytest.raises(DataError, match="of network 'vividgan'; network 'vividgan-flow' was requested"):
        load_weights(written, network="vividgan-flow")
    with pytest.raises(DataError, match="of lr 16; lr 32 was requested"):
        load_weights(written, lr=32)


@pytest.mark.parametrize(
    "header",
    [
        {"network": "srgan"}, {"network": ["vividgan"]}, {"preset": "huge"}, {"preset": ["compact"]}, {"lr": 24},
        {"lr": 0}, {"network": "vividgan-flow"}, {"wings": 2}, {"preset": None},
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, header: dict[str, object]) -> None:
    messages = {"network": "vividgan", "lr": 16, "preset": "compact"} | header
    save_file({"coarse.weight": torch.zeros(2)}, tmp_path / "w.safetensors", {"bench": json.dumps(messages)})
    with pytest.raises(DataError, match=r"w\.safetensors"):
        load_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "{}"])
def test_files_of_others_are_no_weights_of_ours(tmp_path: Path, text: str | None) -> None:
    metadata = None if text is None else {"bench": text}
    save_file({"coarse.weight": torch.zeros(2)}, tmp_path / "w.safetensors", metadata)
    with pytest.raises(DataError, match=r"w\.safetensors"):
        load_weights(tmp_path / "w.safetensors")


def test_tensors_that_are_not_the_headers_are_refused(written: Path, tmp_path: Path) -> None:
    with safe_open(written, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    lacking = {name: tensor for name, tensor in tensors.items() if not name.startswith("touchup.")}
    save_file(lacking, tmp_path / "lacking.safetensors", metadata)
    with pytest.raises(DataError, match="do not fit TouchUp.*is missing"):
        load_weights(tmp_path / "lacking.safetensors")
    messages = {"bench": json.dumps(json.loads(metadata["bench"]) | {"preset": "paper"})}
    save_file(
        {name: t for name, t in tensors.items() if name.startswith("coarse.")}, tmp_path / "p.safetensors", messages
    )
    with pytest.raises(DataError, match="do not fit"):
        load_weights(tmp_path / "p.safetensors")


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_named(written: Path, tmp_path: Path, keep: float) -> None:
    data = written.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[: int(keep * len(data))])
    with pytest.raises(DataError, match=r"cut\.safetensors"):
        load_weights(tmp_path / "cut.safetensors")


def test_what_is_not_there_and_what_cannot_be_written_are_reported(model: VividGAN, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no weights file .*absent"):
        load_weights(tmp_path / "absent.safetensors")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchError, match="Cannot write"):
        save_weights(tmp_path / "file" / "w.safetensors", model, FACTS)
    (tmp_path / "w.safetensors").mkdir()
    with pytest.raises(BenchError, match="Cannot write"):
        save_weights(tmp_path / "w.safetensors", model, FACTS)
    assert not list((tmp_path / "w.safetensors").iterdir())


def test_the_depth_of_a_flow_network_is_in_its_header(tmp_path: Path) -> None:
    facts = Facts("vividgan-flow", 0, "compact", touchup=False, fine=False, depth=6)
    save_weights(tmp_path / "deep.safetensors", build(facts), facts)
    model, read = load_weights(tmp_path / "deep.safetensors")
    assert read.depth == 6 and getattr(model.coarse, "depth", None) == 6


@pytest.mark.parametrize("depth", [-3, 4, 3000, "6", None])
def test_a_depth_that_cannot_be_is_refused(tmp_path: Path, depth: object) -> None:
    facts = Facts("vividgan-flow", 0, "compact", touchup=False, fine=False)
    save_tensors(tmp_path / "bad.safetensors", {"one": torch.zeros(1)}, {**asdict(facts), "depth": depth})
    with pytest.raises(DataError, match="no VividGAN"):
        read_facts(tmp_path / "bad.safetensors")
