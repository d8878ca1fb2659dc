"""The placement loss for upright faces, and its stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.transformer import warp_enlarged
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.placement import GeometryStage, upright_placement


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=8, upright=True).batch(0)


def true_similarity(batch: Batch) -> Tensor:
    """The batch's matrices, of pixels, as ones of coordinates in [-1, 1]: worked by three points."""
    assert batch.similarity is not None
    linear, shift = batch.similarity[:, :, :2], batch.similarity[:, :, 2]
    at_centre = (linear @ torch.full((2,), (SIDE - 1) / 2) + shift - (SIDE - 1) / 2) / (SIDE / 2)
    return torch.cat([linear, at_centre[:, :, None]], 2)


class Fixed(nn.Module):
    """Looks at one place, which it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor([[1.0, 0, 0.3], [0, 1, -0.2]]))
        self.rest = nn.Parameter(torch.zeros(1))

    def similarity(self, lr: Tensor) -> Tensor:
        return self.place.expand(len(lr), 2, 3)

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        yield self.place


def test_the_true_similarity_is_at_no_distance_and_brings_the_face_back(batch: Batch) -> None:
    truth = true_similarity(batch)
    assert batch.upright is not None
    assert upright_placement(truth, batch).item() < 1e-3
    back, left = warp_enlarged(batch.lr, truth, SIDE), warp_enlarged(batch.lr, torch.eye(2, 3).expand(8, 2, 3), SIDE)
    assert psnr_db(back, batch.upright) > psnr_db(left, batch.upright) + 2


@pytest.mark.parametrize(("x", "y", "expected"), [(0.3, 0.0, 0.3), (0.3, 0.4, 0.5)])
def test_a_shift_is_its_own_distance(batch: Batch, x: float, y: float, expected: float) -> None:
    away = true_similarity(batch) + torch.tensor([[0, 0, x], [0, 0, y]])
    assert upright_placement(away, batch).item() == pytest.approx(expected, abs=1e-4)


def test_a_turn_counts_by_how_far_points_go(batch: Batch) -> None:
    still = torch.eye(2, 3).expand(8, 2, 3)
    same = replace(batch, similarity=still)
    by_half = still * torch.tensor([[0.5, 0.5, 1], [0.5, 0.5, 1]])
    axis = torch.linspace(-0.75, 0.75, 9)
    expected = 0.5 * torch.stack(torch.meshgrid(axis, axis, indexing="ij")).norm(dim=0).mean()
    assert upright_placement(by_half, same).item() == pytest.approx(expected.item(), abs=1e-3)


def test_batches_that_do_not_say_are_refused(batch: Batch) -> None:
    with pytest.raises(DataError, match="have no similarities"):
        upright_placement(torch.eye(2, 3).expand(8, 2, 3), replace(batch, similarity=None))


def test_the_stage_learns_the_place_and_nothing_else(batch: Batch) -> None:
    net = Fixed()
    assert batch.upright is not None
    stage = GeometryStage("g", net, upright_placement, lambda b: b.hr, steps=300, rate=0.05)
    values = [stage.update(batch, step)["alignment"] for step in range(60)]
    assert values[-1] < values[0] and net.rest.item() == 0 and stage.name == "g"
    assert set(stage.modules()) == set(stage.optimisers()) == {"net"}
    with torch.no_grad():
        figures, shown = stage.validate(batch), stage.preview(batch)
    similarity = net.similarity(batch.lr).detach()
    assert figures["alignment_px"] == pytest.approx(64 * upright_placement(similarity, batch).item())
    assert figures["psnr_db"] == pytest.approx(psnr_db(warp_enlarged(batch.lr, similarity, SIDE), batch.hr))
    assert len(shown) == 3 and torch.equal(shown[2], batch.hr)
