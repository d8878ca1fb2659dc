"""SRGAN: sizes, shapes, losses, training, and the hallucinator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, MissingError, UsageError
from bench.interfaces import HALLUCINATORS
from hallucinators import srgan as registered
from hallucinators.networks.registration import TRAINERS
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.srgan import training
from hallucinators.srgan.network import Critic, SRResNet
from hallucinators.stn.aligner import Aligner
from hallucinators.stn.upsampling import UpsamplingTask
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4, upright=True).batch(0)


@pytest.fixture(scope="module")
def stn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stn") / "stn.safetensors"
    save_weights(path, Aligner("paper", 16), Facts("stn", 16, "paper"))
    return path


def options(stn: Path, **changes: Any) -> Options:
    return Options(method="srgan", aligner=stn, **({"identity": "none"} | changes))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_paper_preset_has_the_papers_parameters() -> None:
    assert count(SRResNet("paper", 16)) == registered.PAPER_PARAMETERS == 1_697_175
    assert count(SRResNet("paper", 32)) == 1_549_462
    assert count(Critic("paper")) == 38_245_569


@pytest.mark.parametrize("lr", [16, 32])
@pytest.mark.parametrize("preset", ["paper", "compact"])
def test_faces_become_128_pixels(preset: str, lr: int) -> None:
    network = SRResNet(preset, lr).eval()
    with torch.inference_mode():
        result = network(torch.rand(1, 3, lr, lr))
    assert result.shape == (1, 3, 128, 128) and result.dtype == torch.float32
    if preset == "compact":
        assert 2 * count(network) < 4_000_000, "bytes in half precision"


def test_the_compact_one_starts_as_the_bicubic_enlargement() -> None:
    faces = torch.rand(2, 3, 16, 16)
    expected = nn.functional.interpolate(faces, (128, 128), mode="bicubic")
    torch.testing.assert_close(SRResNet("compact", 16)(faces), expected)


def test_other_presets_sizes_and_faces_are_refused() -> None:
    with pytest.raises(UsageError, match="paper, compact"):
        SRResNet("huge", 16)
    with pytest.raises(UsageError, match="paper, compact"):
        Critic("huge")
    with pytest.raises(UsageError, match="16 or 32"):
        SRResNet("compact", 24)
    with pytest.raises(DataError, match=r"given \(1, 3, 32, 32\)"):
        SRResNet("compact", 16)(torch.rand(1, 3, 32, 32))
    with pytest.raises(DataError, match=r"given \(1, 3, 64, 64\)"):
        Critic("compact")(torch.rand(1, 3, 64, 64))


def test_the_critic_gives_a_logit_a_face() -> None:
    logits = Critic("compact")(torch.rand(3, 3, 128, 128))
    assert logits.shape == (3,) and logits.dtype == torch.float32


def test_stages_are_pixels_then_the_adversary(stn: Path, tmp_path: Path) -> None:
    assert TRAINERS["srgan"].module == training.__name__
    result = training.stages(options(stn))
    assert [(s.name, s.steps) for s in result] == [("pixels", 1000), ("adversarial", 500)]
    assert set(result[0].build(tmp_path).modules()) == {"network"}
    late = training.stages(options(stn, steps={"pixels": 0}))[0].build(tmp_path)
    assert set(late.modules()) == {"network", "critic"} and isinstance(late.modules()["critic"], Critic)


@pytest.mark.parametrize("method", ["paper", "compact"])
def test_learning_rates_are_those_of_the_preset(stn: Path, tmp_path: Path, method: str) -> None:
    task = training.stages(options(stn, preset=method))[0].build(tmp_path)
    assert task.optimisers()["network"].param_groups[0]["greatest"] == {"paper": 1e-4, "compact": 1e-3}[method]


def test_an_unknown_preset_or_size_is_refused(stn: Path) -> None:
    for changes, says in (({"preset": "huge"}, "paper, compact"), ({"lr": 24}, "16 or 32")):
        with pytest.raises(UsageError, match=says):
            training.stages(options(stn, **changes))
        with pytest.raises(UsageError, match=says):
            training.export(options(stn, **changes), Path(), Path("none"), {})
    with pytest.raises(MissingError, match="nowhere.pth"):
        training.stages(options(stn, identity="nowhere.pth"))


def test_features_are_compared_beside_pixels(batch: Batch) -> None:
    def compare(images: Tensor, truth: Tensor) -> Tensor:
        assert torch.equal(truth, batch.upright_faces())
        return images.new_tensor(8.0)

    _, result = training.perceptual_terms(compare)(SRResNet("compact", 16), batch.lr, batch)
    assert float(result["perceptual"]) == pytest.approx(8 / 12.75**2 / 4) and set(result) == {"pixel", "perceptual"}


@pytest.mark.parametrize(("preset", "faces", "steps"), [("compact", 4, 6), ("paper", 2, 3)])
def test_steps_lower_the_loss(batch: Batch, preset: str, faces: int, steps: int) -> None:
    torch.manual_seed(0)
    few = Batch(*(None if part is None else part[:faces] for part in batch.parts()))  # type: ignore[arg-type]
    task = UpsamplingTask("srgan-pixels", SRResNet(preset, 16), lambda lr: lr, steps=100)
    figures = [task.update(few, 30 * step)["pixel"] for step in range(steps)]
    assert figures[-1] < figures[0]


@pytest.mark.slow
def test_the_paper_presets_adversary_learns(batch: Batch) -> None:
    torch.manual_seed(0)
    few = Batch(*(None if part is None else part[:2] for part in batch.parts()))  # type: ignore[arg-type]
    task = UpsamplingTask("x", SRResNet("paper", 16), lambda lr: lr, steps=300, critic=Critic("paper"))
    first = task.update(few, 199)
    assert set(first) == {"total", "pixel", "adversarial", "critic"}
    assert task.update(few, 200)["critic"] < first["critic"]


@pytest.mark.parametrize("align", ["true", "false"])
def test_the_hallucinator_runs_from_its_files(stn: Path, tmp_path: Path, align: str) -> None:
    torch.manual_seed(0)
    network = SRResNet("compact", 16).eval()
    nn.init.normal_(network.to_rgb.weight, std=0.01)
    path = tmp_path / "srgan.safetensors"
    save_weights(path, network, Facts("srgan", 16, "compact"))
    instance = HALLUCINATORS["srgan"].create({"weights": str(path), "stn": str(stn), "align": align})
    faces = np.random.default_rng(0).random((2, 3, 16, 16)).astype(np.float32)
    inputs = instance.hallucinate(faces)
    with torch.inference_mode():
        expected = network(torch.from_numpy(faces)).clamp(0, 1).numpy()
    np.testing.assert_allclose(inputs, expected, atol=1e-2)
    assert len(instance.weights) == (2 if align == "true" else 1)
    assert (instance.input_spec.size, instance.output_spec.size) == (16, 128)
    assert instance.output_frame == ("utkface200" if align == "true" else "")
    with pytest.raises(DataError, match="lr 32 was requested"):
        HALLUCINATORS["srgan"].create({"weights": str(path), "size": "32", "align": "false"})
