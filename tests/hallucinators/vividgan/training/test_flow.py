"""Training of the flow network: both phases go down, targets are the face engine's, the rate belongs to the step."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bench.errors import UsageError
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.schedule import rate_at
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.training.flow import FlowTask, charbonnier, edges, flow_error, flow_losses


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4, sides=(32,), flow=True).batch(0)


def net() -> FlowCoarseNet:
    torch.manual_seed(0)
    return FlowCoarseNet(width=12)


def pixels(images: Tensor, five: Tensor) -> Tensor:
    """A stand-in for a recogniser: a few averages of the picture."""
    return torch.nn.functional.avg_pool2d(images.float(), 32).flatten(1)


def perfect(batch: Batch) -> Tensor:
    assert batch.flow is not None
    return (batch.flow[:, :4] + 0.5) * (2 / 128) - 1


def test_the_geometry_phase_trains_the_flows_and_not_the_residual(batch: Batch) -> None:
    network = net()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    task = FlowTask(network, steps=1000, geometry_steps=1000)
    figures = [task.update(batch, 200 + step) for step in range(12)]
    assert set(figures[0]) == {"total", "pixel", "flow", "first_flow", "seen"}
    for name in ("total", "flow", "first_flow", "seen"):
        assert figures[-1][name] < figures[0][name], name
    assert figures[0]["total"] == pytest.approx(sum(v for k, v in figures[0].items() if k != "total"), rel=1e-5)
    for name, parameter in network.named_parameters():
        if name.startswith(("paint", "detail", "fuse", "content")):
            assert torch.equal(parameter, before[name]), name
    assert not torch.equal(network.similarity.weight, before["similarity.weight"])


def test_the_full_phase_learns_the_face(batch: Batch) -> None:
    task = FlowTask(net(), steps=1000, geometry_steps=0, teacher=pixels)
    figures = [task.update(batch, 200 + step) for step in range(12)]
    parts = {"pixel", "edges", "carried", "identity", "confusion", "flow", "first_flow", "seen"}
    assert set(figures[0]) == parts | {"total"}
    assert figures[-1]["total"] < figures[0]["total"] and figures[-1]["pixel"] < figures[0]["pixel"]


def test_phases_change_at_the_step_that_was_given(batch: Batch) -> None:
    task = FlowTask(net(), steps=10, geometry_steps=3)
    assert "carried" not in task.update(batch, 2)
    assert "carried" in task.update(batch, 3)
    assert "identity" not in task.update(batch, 4), "no teacher, no such loss"


def test_the_rate_is_that_of_the_step_also_after_a_resumption(batch: Batch) -> None:
    first = FlowTask(net(), steps=600, geometry_steps=600, rate=2e-3)
    first.update(batch, 0)
    assert first.optimisers()["net"].param_groups[0]["lr"] == pytest.approx(2e-3 / 200)
    again = FlowTask(net(), steps=600, geometry_steps=600, rate=2e-3)
    again.modules()["net"].load_state_dict(first.modules()["net"].state_dict())
    again.optimisers()["net"].load_state_dict(copy.deepcopy(first.optimisers()["net"].state_dict()))
    for task in (first, again):
        figures = task.update(batch, 450)
        assert task.optimisers()["net"].param_groups[0]["lr"] == pytest.approx(2e-3 * rate_at(450, 600))
        assert figures["total"] > 0
    for a, b in zip(first.modules()["net"].parameters(), again.modules()["net"].parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_batch_without_flow_targets_says_what_to_do(batch: Batch) -> None:
    task = FlowTask(net(), steps=10, geometry_steps=5)
    bare = replace(batch, flow=None)
    with pytest.raises(UsageError, match="flow=True"):
        task.update(bare, 0)
    with pytest.raises(UsageError, match="flow=True"):
        task.validate(bare)


def test_the_right_flow_costs_nothing_and_a_pixel_off_costs_a_pixel(batch: Batch) -> None:
    flow = perfect(batch)
    assert batch.flow is not None
    sure = 20 * (2 * batch.flow[:, 4:7] - 1)
    result = flow_losses(flow, flow, sure, batch)
    assert result["flow"].item() == result["first_flow"].item() == 0
    assert flow_error(flow, batch).item() == 0
    off = flow.clone()
    off[:, 0] += 2 / 128 * 3
    off[:, 1] -= 2 / 128 * 4
    assert flow_error(off, batch).item() == pytest.approx(5, rel=1e-4)
    assert flow_losses(flow, off, sure, batch)["first_flow"].item() > 0
    far = off.clone()
    far[:, 2:] += 0.3
    assert flow_error(far, batch).item() == pytest.approx(5, rel=1e-4), "the opposite point is not counted"


def test_errors_count_most_where_the_head_is_seen(batch: Batch) -> None:
    assert batch.flow is not None
    places = {"seen": batch.flow[:, 4] * batch.flow[:, 6] > 0.99, "beside": batch.flow[:, 6] == 0}
    costs = {}
    for name, where in places.items():
        off = perfect(batch)
        off[:, 0] += 0.1 * where
        costs[name] = flow_losses(off, off, batch.flow[:, 4:7], batch)["flow"].item() / where.sum().item()
    assert costs["seen"] > 20 * costs["beside"] > 0


def test_validation_measures_image_and_flow(batch: Batch) -> None:
    task = FlowTask(net(), steps=10, geometry_steps=5, teacher=pixels)
    figures = task.validate(batch)
    assert set(figures) == {"psnr_db", "carried_psnr_db", "flow_px", "identity", "confusion", "objective"}
    assert figures["psnr_db"] == figures["carried_psnr_db"], "the residual starts at 0"
    assert 5 < figures["psnr_db"] < 40 and 1 < figures["flow_px"] < 64
    shown = task.preview(batch)
    assert [tuple(column.shape) for column in shown] == [(4, 3, 32, 32)] + [(4, 3, 128, 128)] * 3
    assert all(0 <= column.min() and column.max() <= 1 for column in shown)


def test_charbonnier_is_the_absolute_value_but_near_zero() -> None:
    assert charbonnier(torch.full((4,), -0.5)).item() == pytest.approx(0.5, rel=1e-4)
    assert charbonnier(torch.zeros(4)).item() == pytest.approx(1 / 255)
    difference = torch.zeros(1, requires_grad=True)
    torch.autograd.backward(charbonnier(difference))
    assert difference.grad is not None and difference.grad.item() == 0


def test_edges_by_hand_and_a_shift_of_colour_is_none() -> None:
    truth = torch.tensor([[[[0.0, 0.2], [0.4, 0.4]]]])
    images = torch.zeros(1, 1, 2, 2)
    across, down = (0.2 + 0.0) / 2, (0.4 + 0.2) / 2
    assert float(edges(images, truth)) == pytest.approx(across + down)
    assert float(edges(truth + 0.3, truth)) == pytest.approx(0, abs=1e-6)


def test_a_chequerboard_costs_edges_more_than_a_smooth_error_as_large() -> None:
    board = torch.tensor([1.0, -1.0]).repeat(16)[None, :] * torch.tensor([1.0, -1.0]).repeat(16)[:, None]
    smooth = torch.linspace(-2, 2, 32).expand(32, 32)
    truth = torch.zeros(1, 1, 32, 32)
    assert float(edges(0.01 * board[None, None], truth)) > 20 * float(edges(0.01 * smooth[None, None], truth))
