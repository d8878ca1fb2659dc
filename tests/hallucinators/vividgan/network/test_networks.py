from __future__ import annotations

import pytest
import torch

from bench.errors import DataError, UsageError
from hallucinators.networks.discriminator import Discriminator
from hallucinators.vividgan.network.coarse import CoarseNet, CoarseWidths
from hallucinators.vividgan.network.components import PATCH_SIZES
from hallucinators.vividgan.network.fine import FineNet, FineWidths
from hallucinators.vividgan.network.touchup import TouchUp

COARSE = CoarseWidths(encoder=4, code=8, at_16=8, at_32=8, at_64=4, at_128=4)
FINE = FineWidths(at_128=4, at_64=4, at_32=8, hourglass=8)


@pytest.mark.parametrize("lr", [16, 32])
def test_the_first_coarse_face_of_the_papers_letter_is_grey(lr: int) -> None:
    painting = CoarseNet(lr=lr, widths=COARSE, carry=False)
    assert torch.equal(painting(torch.rand(2, 3, lr, lr)), torch.full((2, 3, 128, 128), 0.5))


@pytest.mark.parametrize(("lr", "modules"), [(16, 3), (32, 2)])
def test_the_coarse_network_has_a_feature_transform_for_each_doubling(lr: int, modules: int) -> None:
    assert len(CoarseNet(lr=lr, widths=COARSE).transforms) == modules


def test_the_coarse_network_learns_one_face() -> None:
    torch.manual_seed(0)
    network = CoarseNet(lr=16, widths=COARSE)
    lr, hr = torch.rand(1, 3, 16, 16), torch.zeros(1, 3, 128, 128)
    hr[..., 64:] = 1
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    heard: set[str] = set()
    for _ in range(40):
        loss = (network(lr) - hr).square().mean()
        optimiser.zero_grad()
        loss.backward()
        heard |= {name for name, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        optimiser.step()
    assert loss.item() < 0.1  # 0.33 at first
    assert heard == {name for name, _ in network.named_parameters()}


def test_the_coarse_network_refuses_other_sizes() -> None:
    with pytest.raises(UsageError, match="lr is 24"):
        CoarseNet(lr=24, widths=COARSE)
    with pytest.raises(DataError, match="built for"):
        CoarseNet(lr=16, widths=COARSE)(torch.zeros(1, 3, 32, 32))


def test_touching_up_starts_by_leaving_patches_alone_and_shares_no_weights() -> None:
    network = TouchUp((4, 4, 8, 8))
    patches = {name: torch.rand(2, 3, high, wide) for name, (wide, high) in PATCH_SIZES.items()}
    for name, touched in network(patches).items():
        assert torch.equal(touched, patches[name])
    torch.nn.init.ones_(network.networks["nose"].to_rgb.weight)
    changed = [name for name, touched in network(patches).items() if not torch.equal(touched, patches[name])]
    assert changed == ["nose"]


def test_the_fine_face_starts_as_the_preview_with_heatmaps_of_every_hourglass() -> None:
    coarse = torch.rand(2, 3, 128, 128)
    fine, heatmaps = FineNet(FINE, hourglasses=3)(coarse, torch.zeros_like(coarse))
    assert torch.equal(fine, coarse)
    assert [tuple(maps.shape) for maps in heatmaps] == [(2, 68, 32, 32)] * 3


def test_every_part_of_the_fine_network_learns() -> None:
    network = FineNet(FINE, hourglasses=2)
    for module in network.modules():  # what starts at zero stops gradients at first
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.1)
    fine, heatmaps = network(torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128))
    (fine.square().mean() + sum(maps.square().mean() for maps in heatmaps)).backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]


def test_without_the_component_aware_module_there_are_no_heatmaps() -> None:
    network = FineNet(FINE, component_aware=False)
    assert network.hourglass is None and network.integrate is None
    assert network(torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128))[1] == []


def test_the_discriminator_has_the_authors_size() -> None:
    assert sum(p.numel() for p in Discriminator().parameters()) == 6_859_425


def test_the_discriminator_gives_a_logit_a_face() -> None:
    network = Discriminator(width=0.125, dropout="channel").eval()
    faces = torch.rand(3, 3, 128, 128)
    assert network(faces).shape == (3,)
    torch.testing.assert_close(network(faces)[1:2], network(faces[1:2]))
    assert any(isinstance(module, torch.nn.Dropout2d) for module in network.modules())
    assert not any(isinstance(module, torch.nn.Dropout2d) for module in Discriminator(width=0.125).modules())
    with pytest.raises(DataError, match="faces are"):
        network(torch.rand(1, 3, 64, 64))
    with pytest.raises(UsageError, match="width"):
        Discriminator(width=0)
