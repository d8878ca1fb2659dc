"""WaveletSRNet's losses by hand, its training step, its stages and file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.errors import DataError, UsageError
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import fill, save_weights
from hallucinators.stn.aligner import Aligner
from hallucinators.stn.upsampling import UpsamplingTask
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch
from hallucinators.waveletsrnet import training
from hallucinators.waveletsrnet.haar import inverse
from hallucinators.waveletsrnet.network import WaveletSRNet
from hallucinators.waveletsrnet.training import ELEMENTS, FACTOR, band_losses, export, stages, terms, texture


@pytest.fixture
def stn(tmp_path: Path) -> Path:
    """An aligner that is the identity."""
    path = tmp_path / "stn.safetensors"
    save_weights(path, Aligner("compact", 16), Facts("stn", 16, "compact"))
    return path


@pytest.fixture
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=2, upright=True).batch(0)


def random_bands(seed: int) -> Tensor:
    return torch.rand(2, 192, 16, 16, generator=torch.Generator().manual_seed(seed))


def test_texture_is_what_the_energy_lacks() -> None:
    truth = torch.zeros(1, 6, 1, 1)
    truth[0, :3] = 1.0  # energies 3 and 0
    bands = torch.zeros_like(truth)
    bands[0, 0], bands[0, 3] = 1.0, 5.0  # energies 1 and 25
    assert texture(bands, truth).item() == pytest.approx((1.2 * 3 - 1) / 2)


def test_losses_are_the_authors_over_one_factor() -> None:
    bands, truth = random_bands(0), random_bands(1)
    faces = [inverse(part, 3) for part in (bands, truth)]

    def theirs(a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().sum() / (2 * len(a))

    expected = {
        "high": 0.99 * theirs(bands[:, 3:], truth[:, 3:]),
        "low": 0.01 * theirs(bands[:, :3], truth[:, :3]),
        "image": 0.1 * theirs(*faces),
        "texture": texture(bands[:, 3:], truth[:, 3:]),
    }
    result = band_losses(bands, truth)
    assert ELEMENTS == faces[0][0].numel() and set(result) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(result[name] * FACTOR, value)


def test_faces_and_losses_are_of_the_same_bands(batch: Batch) -> None:
    net = WaveletSRNet(lr=16).eval()
    faces, result = terms(net, batch.lr, batch)
    torch.testing.assert_close(faces, net(batch.lr))
    assert batch.upright is not None
    image = 0.1 * (faces - batch.upright).square().mean()
    torch.testing.assert_close(result["image"], image, atol=1e-6, rtol=1e-4)
    with pytest.raises(DataError, match="upright"):
        terms(net, batch.lr, replace(batch, upright=None))


def falls(task: UpsamplingTask, batch: Batch, steps: int) -> bool:
    totals = [task.update(batch, 300)["total"] for _ in range(steps + 1)]
    return totals[-1] < totals[0]


def test_steps_of_the_compact_preset_lower_its_loss(batch: Batch) -> None:
    torch.manual_seed(0)
    task = UpsamplingTask("w", WaveletSRNet(lr=16), lambda lr: lr, steps=1000, terms=terms)
    assert falls(task, batch, 3)


@pytest.mark.slow
def test_a_step_of_the_paper_preset_lowers_its_loss(batch: Batch) -> None:
    torch.manual_seed(0)
    batch = Batch(*(None if part is None else part[:1] for part in batch.parts()))  # type: ignore[arg-type]
    task = UpsamplingTask("w", WaveletSRNet(lr=16, preset="paper"), lambda lr: lr, steps=1000, terms=terms, rate=2e-4)
    assert falls(task, batch, 1)


def test_its_stage_and_its_file(stn: Path, tmp_path: Path, batch: Batch) -> None:
    options = Options(method="waveletsrnet", aligner=stn)
    (stage,) = stages(options)
    assert (stage.name, stage.steps, stage.sides, stage.upright, stage.flow) == ("pixels", 1500, (16,), True, False)
    task = stage.build(tmp_path)
    assert set(task.update(batch, 0)) == {"total", "high", "low", "image", "texture"}
    state = {"network": task.modules()["network"].state_dict()}
    (tmp_path / "pixels").mkdir()
    checkpoint.save(checkpoint.path_of(tmp_path / "pixels", 5, "best"), {"step": 5, "averages": state})
    out = tmp_path / "w.safetensors"
    assert export(options, tmp_path, out, {"people": 3}) == Facts("waveletsrnet", 16, "compact", {"people": 3})
    back = fill(WaveletSRNet(lr=16), out)
    with torch.no_grad():
        torch.testing.assert_close(back(batch.lr), task.modules()["network"].eval()(batch.lr), atol=5e-3, rtol=0)


def test_each_preset_has_its_rate_and_others_are_unknown(stn: Path) -> None:
    assert training.METHOD.rates == {"paper": 2e-4, "compact": 1e-3}
    with pytest.raises(UsageError, match="paper, compact"):
        stages(Options(method="waveletsrnet", preset="huge", aligner=stn))
    with pytest.raises(UsageError, match="its stages are pixels"):
        stages(Options(method="waveletsrnet", steps={"adversarial": 3}, aligner=stn))
