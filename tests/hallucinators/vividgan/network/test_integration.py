from __future__ import annotations

import math

import torch

from hallucinators.vividgan.network.integration import IntegrationBlock


def awake(channels: int, heatmaps: int) -> IntegrationBlock:
    torch.manual_seed(0)
    block = IntegrationBlock(channels, heatmaps)
    torch.nn.init.normal_(block.out.weight)
    for layer in (block.query, block.key, block.value, block.out):
        assert layer.bias is not None
        torch.nn.init.normal_(layer.bias)
    return block


def test_it_is_equations_1_and_2_written_out() -> None:
    block = awake(6, 5).double()
    features, heatmaps = torch.randn(2, 6, 3, 4).double(), torch.randn(2, 5, 3, 4).double()

    def linear(layer: torch.nn.Conv2d, vector: torch.Tensor) -> torch.Tensor:
        assert layer.bias is not None
        return layer.weight[:, :, 0, 0] @ vector + layer.bias

    expected = torch.empty_like(features)
    for n in range(2):
        f_c = block.norm_features(features[n : n + 1])[0].flatten(1)
        f_h = block.norm_heatmaps(heatmaps[n : n + 1])[0].flatten(1)
        for i in range(12):
            attended, normaliser = torch.zeros(3).double(), 0.0
            for j in range(12):
                alike = linear(block.query, f_c[:, i]) @ linear(block.key, f_h[:, j])
                weight = math.exp(alike.item())
                attended, normaliser = attended + weight * linear(block.value, f_h[:, j]), normaliser + weight
            refined = linear(block.out, attended / normaliser) + features[n].flatten(1)[:, i]
            expected[n, :, i // 4, i % 4] = refined
    torch.testing.assert_close(block(features, heatmaps), expected)


def test_it_starts_as_the_identity() -> None:
    features = torch.randn(2, 16, 8, 8)
    assert torch.equal(IntegrationBlock(16, 68)(features, torch.randn(2, 68, 8, 8)), features)


def test_every_map_learns() -> None:
    block = awake(16, 68)
    block(torch.randn(2, 16, 8, 8), torch.randn(2, 68, 8, 8)).square().mean().backward()
    assert all(layer.weight.grad.abs().sum() > 0 for layer in (block.query, block.key, block.value, block.out))
