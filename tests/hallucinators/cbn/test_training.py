"""CBN's losses, its training step, its stages and file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.errors import UsageError
from hallucinators.cbn.masks import upright_landmarks
from hallucinators.cbn.network import CBN, Hallucination
from hallucinators.cbn.training import cascade_losses, export, shrink, stages, terms
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import fill, save_weights
from hallucinators.stn.aligner import Aligner
from hallucinators.stn.upsampling import UpsamplingTask
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch


@pytest.fixture
def stn(tmp_path: Path) -> Path:
    """An aligner that is the identity."""
    path = tmp_path / "stn.safetensors"
    save_weights(path, Aligner("compact", 32), Facts("stn", 32, "compact"))
    return path


@pytest.fixture
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=1, sides=(32,), upright=True, flow=True).batch(0)


def grey(side: int, value: float) -> Tensor:
    return torch.full((1, 3, side, side), value)


def test_losses_by_hand() -> None:
    points = torch.zeros(1, 68, 2)
    instance = Hallucination(
        grey(128, 0.5),
        pictures=[grey(64, 0.6), grey(128, 0.5)],
        common=[grey(64, 0.7), grey(128, 0.9)],
        landmarks=[points + 12.8, points],
    )
    result = {name: loss.item() for name, loss in cascade_losses(instance, grey(128, 0.4), points).items()}
    assert result == pytest.approx(
        {"picture": 0.01, "earlier": 0.3 * 0.04, "common": 0.1 * (0.09 + 0.25), "landmarks": 0.1 * 0.01}, rel=1e-4
    )


def test_earlier_truths_are_shrunk_without_aliasing() -> None:
    stripes = torch.zeros(1, 3, 128, 128)
    stripes[..., ::2] = 1.0
    torch.testing.assert_close(shrink(stripes, 32)[..., 4:-4], grey(32, 0.5)[..., 4:-4], atol=0.01, rtol=0)
    assert torch.equal(shrink(stripes, 128), stripes)


def test_terms_are_of_the_upright_face_and_its_landmarks(batch: Batch) -> None:
    for preset in ("compact", "paper"):
        torch.manual_seed(0)
        net = CBN(lr=32, preset=preset).eval()
        with torch.no_grad():
            face, result = terms(net, batch.lr, batch)
            instance = net.cascade(batch.lr)
            assert batch.upright is not None
            expected = cascade_losses(instance, net.to_colours(batch.upright), upright_landmarks(batch))
        assert face.shape == (1, 3, 128, 128)
        torch.testing.assert_close(result, expected)


def falls(task: UpsamplingTask, batch: Batch, steps: int) -> bool:
    totals = [task.update(batch, 300)["total"] for _ in range(steps + 1)]
    return totals[-1] < totals[0]


def test_steps_of_the_compact_preset_lower_its_loss(batch: Batch) -> None:
    torch.manual_seed(0)
    assert falls(UpsamplingTask("c", CBN(lr=32), lambda lr: lr, steps=1000, terms=terms), batch, 3)


@pytest.mark.slow
def test_a_step_of_the_paper_preset_lowers_its_loss(batch: Batch) -> None:
    torch.manual_seed(0)
    net = CBN(lr=32, preset="paper")
    assert falls(UpsamplingTask("c", net, lambda lr: lr, steps=1000, terms=terms, rate=1e-4), batch, 1)


def test_its_stage_and_its_file(stn: Path, tmp_path: Path, batch: Batch) -> None:
    options = Options(method="cbn", lr=32, aligner=stn)
    (stage,) = stages(options)
    assert (stage.name, stage.steps, stage.sides, stage.upright, stage.flow) == ("pixels", 1500, (32,), True, True)
    task = stage.build(tmp_path)
    assert set(task.update(batch, 0)) == {"total", "picture", "earlier", "common", "landmarks"}
    state = {"network": task.modules()["network"].state_dict()}
    (tmp_path / "pixels").mkdir()
    checkpoint.save(checkpoint.path_of(tmp_path / "pixels", 5, "best"), {"step": 5, "averages": state})
    out = tmp_path / "c.safetensors"
    assert export(options, tmp_path, out, {}) == Facts("cbn", 32, "compact")
    back = fill(CBN(lr=32), out).state_dict()  # weights, not faces: rounding may move a place of a mask
    assert all(torch.equal(back[name], tensor.half().float()) for name, tensor in state["network"].items())


def test_unknown_presets_and_stages_are_met_with_the_known_ones(stn: Path) -> None:
    with pytest.raises(UsageError, match="paper, compact"):
        stages(Options(method="cbn", lr=32, preset="huge", aligner=stn))
    with pytest.raises(UsageError, match="its stages are pixels"):
        stages(Options(method="cbn", lr=32, steps={"masks": 3}, aligner=stn))
