"""Yu's spatial transformers: their layers, and that they start as the identity."""

from __future__ import annotations

import pytest
import torch

from bench.errors import DataError, UsageError
from hallucinators.networks.yu.transformer import Kind, YuTransformer


def count(kind: Kind, channels: int) -> int:
    return sum(p.numel() for p in YuTransformer(kind, channels).parameters())


def worked(*convolutions: tuple[int, int, int], left: int) -> int:
    """Parameters of convolutions (kernel, inputs, outputs) and of the two fully connected layers of 20."""
    layers = sum(kernel**2 * inputs * outputs + outputs for kernel, inputs, outputs in convolutions)
    return layers + (20 * left**2 * 20 + 20) + (20 * 4 + 4)


@pytest.mark.parametrize(
    ("kind", "channels", "expected"),
    [
        ("S16", 32, 125_408),
        ("S16", 3, 58_592),
        ("S32", 3, 13_244),
        ("S8", 128, worked((3, 128, 20), (3, 20, 20), left=2)),
        ("S16e", 256, worked((5, 256, 20), (5, 20, 20), left=2)),
        ("S64", 256, worked((5, 256, 128), (5, 128, 20), (3, 20, 20), left=3)),
    ],
)
def test_they_have_as_many_parameters_as_the_authors(kind: Kind, channels: int, expected: int) -> None:
    assert count(kind, channels) == expected


@pytest.mark.parametrize(("kind", "side"), [("S8", 8), ("S16", 16), ("S16e", 16), ("S32", 32), ("S64", 64)])
def test_they_start_as_the_identity_and_refuse_another_side(kind: Kind, side: int) -> None:
    align = YuTransformer(kind, 4)
    features = torch.rand(2, 4, side, side)
    torch.testing.assert_close(align(features), features, atol=1e-4, rtol=0)
    with pytest.raises(DataError, match=f"built for side {side}"):
        align(torch.rand(2, 4, side + 1, side + 1))


def test_what_it_finds_comes_from_all_of_its_own_layers() -> None:
    align = YuTransformer("S16", 4, narrow=6, wide=10)
    torch.nn.init.normal_(align.similarity.weight, std=0.1)
    torch.autograd.backward(align.theta(torch.rand(8, 4, 16, 16)).square().sum())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in align.parameters())
    assert [p.shape[0] for p in align.features.parameters()] == [10, 10, 6, 6, 6, 6]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="'S12'; known are S8, S16, S16e, S32, S64"):
        YuTransformer("S12", 3)  # type: ignore[arg-type]
