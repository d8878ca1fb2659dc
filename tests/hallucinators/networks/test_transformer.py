from __future__ import annotations

import math

import pytest
import torch

from bench.errors import DataError, UsageError
from hallucinators.networks.transformer import (
    MAX_LOG_SCALE,
    MAX_ROTATION_RAD,
    MAX_SHIFT,
    SpatialTransformer,
)


def with_outputs(network: SpatialTransformer, *values: float) -> SpatialTransformer:
    """The same similarity for every map: the four numbers after tanh."""
    network.similarity.bias.data = torch.atanh(torch.tensor(values))
    return network


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_it_starts_as_the_identity(side: int) -> None:
    features = torch.randn(2, 12, side, side)
    network = SpatialTransformer(12, side)
    torch.testing.assert_close(network(features), features, atol=1e-4, rtol=0)
    expected = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(2, 2, 3)
    assert torch.equal(network.theta(features), expected)


def test_it_can_learn_to_leave_the_identity() -> None:
    network = SpatialTransformer(4, 8)
    features = torch.randn(2, 4, 8, 8)
    (network(features) * torch.randn(2, 4, 8, 8)).sum().backward()
    assert network.similarity.weight.grad is not None
    assert (network.similarity.weight.grad.abs().sum(dim=1) > 0).all()


def test_a_shift_moves_the_map_by_whole_pixels() -> None:
    features = torch.randn(1, 3, 16, 16)
    moved = with_outputs(SpatialTransformer(3, 16), 0, 0, 2 * 3 / 16 / MAX_SHIFT, 0)(features)
    torch.testing.assert_close(moved[..., :13], features[..., 3:], atol=1e-4, rtol=0)
    torch.testing.assert_close(moved[..., 14], features[..., 15], atol=1e-4, rtol=0)  # the border repeats


def test_theta_is_rotation_times_scale_times_shift() -> None:
    network = with_outputs(SpatialTransformer(3, 16), 2 / 3, 0.5, 0.2, -0.4)
    angle, scale = MAX_ROTATION_RAD * 2 / 3, math.exp(0.5 * MAX_LOG_SCALE)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * scale
    expected = torch.cat([turn, turn @ torch.tensor([[0.2], [-0.4]]) * MAX_SHIFT], dim=1)
    torch.testing.assert_close(network.theta(torch.zeros(1, 3, 16, 16))[0], expected)


def test_wild_outputs_stay_within_bounds() -> None:
    network = SpatialTransformer(3, 16)
    network.similarity.bias.data.fill_(1e6)
    theta = network.theta(torch.zeros(1, 3, 16, 16))[0]
    assert theta[:, :2].norm(dim=1).max().item() == pytest.approx(math.exp(MAX_LOG_SCALE))


def test_sampling_agrees_with_affine_grid() -> None:
    features = torch.randn(2, 3, 32, 32)
    network = with_outputs(SpatialTransformer(3, 32), 0.3, -0.2, 0.1, 0.25)
    grid = torch.nn.functional.affine_grid(network.theta(features), [2, 3, 32, 32], align_corners=False)
    expected = torch.nn.functional.grid_sample(features, grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(network(features), expected, atol=1e-4, rtol=0)


def test_other_sides_are_refused() -> None:
    with pytest.raises(UsageError, match="side is 24"):
        SpatialTransformer(3, 24)
    with pytest.raises(DataError, match="side 8"):
        SpatialTransformer(3, 8)(torch.zeros(1, 3, 16, 16))
