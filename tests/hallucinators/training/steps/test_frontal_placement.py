"""The placement loss for frontal faces, and the stage that trains the first spatial transformer."""

from __future__ import annotations

import pytest
import torch

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.transformer import warp_enlarged
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.placement import GeometryStage, frontal_placement
from hallucinators.vividgan.network.coarse import CoarseNet, CoarseWidths

TINY = CoarseWidths(encoder=4, code=8, at_16=8, at_32=8, at_64=4, at_128=4)
GRID = 32


def placed(matrix: torch.Tensor, lr: torch.Tensor | None = None) -> Batch:
    """A batch of one whose face lies where a similarity (2, 3), frame to picture in [-1, 1], puts it."""
    axis = (torch.arange(GRID) + 0.5) * (2 / GRID) - 1
    frame = torch.stack([axis.expand(GRID, GRID), axis[:, None].expand(GRID, GRID), torch.ones(GRID, GRID)])
    at = torch.einsum("ij,jhw->ihw", matrix, frame)
    flow = torch.zeros(1, 7, GRID, GRID)
    flow[0, :2] = (at + 1) * SIDE / 2 - 0.5
    flow[0, 4], flow[0, 6] = 1, 1
    small = torch.rand(1, 3, 16, 16) if lr is None else lr
    return Batch(small, torch.rand(1, 3, SIDE, SIDE), torch.zeros(1, 68, 2), torch.zeros(1, 5, 2), torch.zeros(1),
                 torch.zeros(1, dtype=torch.int64), flow)  # fmt: skip


def test_the_right_similarity_costs_nothing_and_a_shift_costs_its_length() -> None:
    matrix = torch.tensor([[0.8, -0.3, 0.1], [0.3, 0.8, -0.2]])
    batch = placed(matrix)
    assert float(frontal_placement(matrix[None], batch)) == pytest.approx(1e-4, abs=1e-4)
    away = matrix.clone()
    away[:, 2] += torch.tensor([0.03, 0.04])
    assert float(frontal_placement(away[None], batch)) == pytest.approx(0.05, abs=1e-3)


def test_points_that_the_view_does_not_show_do_not_count() -> None:
    matrix = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    batch = placed(matrix)
    assert batch.flow is not None
    batch.flow[0, :2, :16] += 40.0  # wrong where nothing is seen
    batch.flow[0, 4, :16] = 0
    assert float(frontal_placement(matrix[None], batch)) == pytest.approx(1e-4, abs=1e-4)


def test_batches_without_flows_are_refused() -> None:
    batch = placed(torch.eye(2, 3))
    bare = Batch(batch.lr, batch.hr, batch.landmarks, batch.five, batch.yaw_deg, batch.face)
    with pytest.raises(DataError, match="flow=True"):
        frontal_placement(torch.eye(2, 3)[None], bare)


@pytest.mark.parametrize("side", [16, 32])
def test_the_stage_trains_only_the_first_transformer(side: int) -> None:
    torch.manual_seed(0)
    net = CoarseNet(lr=side, widths=TINY)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    stage = GeometryStage("g", net, frontal_placement, lambda b: b.hr, steps=1000, rate=3e-3, key="coarse")
    batch = placed(torch.tensor([[0.8, -0.3, 0.1], [0.3, 0.8, -0.2]]), torch.rand(1, 3, side, side))
    figures = [stage.update(batch, 300)["alignment"] for _ in range(60)]
    assert min(figures) < figures[0] / 2
    moved = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    first = "encoder.level_16.align." if side == 16 else "encoder.enter_32.align."
    assert moved and all(name.startswith((first, "encoder.enter.")) for name in moved)
    with torch.no_grad():
        off = float(frontal_placement(net.similarity(batch.lr), batch))
        assert stage.validate(batch)["alignment_px"] == pytest.approx(off * SIDE / 2)


def test_the_picture_is_moved_by_the_similarity() -> None:
    picture = torch.zeros(1, 3, 16, 16)
    picture[..., 4:8, 8:12] = 1
    still = warp_enlarged(picture, torch.eye(2, 3)[None], 16)
    assert torch.allclose(still, picture, atol=1e-5)
    theta = torch.tensor([[[1.0, 0, 4 * 2 / 16], [0, 1.0, 0]]])  # looks four pixels to the right
    assert torch.allclose(warp_enlarged(picture, theta, 16)[..., 4:8, 4:8], torch.ones(1, 3, 4, 4), atol=1e-5)


def test_a_fresh_coarse_network_gives_the_lr_face_enlarged_and_the_papers_letter_gives_grey() -> None:
    lr = torch.rand(2, 3, 16, 16)
    carrying, painting = (CoarseNet(lr=16, widths=TINY, carry=c).eval() for c in (True, False))
    enlarged = torch.nn.functional.interpolate(lr, (128, 128), mode="bicubic")
    assert torch.allclose(carrying(lr), enlarged, atol=1e-4)
    assert torch.allclose(painting(lr), torch.full((2, 3, 128, 128), 0.5))
