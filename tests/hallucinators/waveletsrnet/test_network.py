"""WaveletSRNet's network: the authors' size, the order of its bands, what the compact one starts from."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, UsageError
from hallucinators.waveletsrnet.haar import transform
from hallucinators.waveletsrnet.network import WaveletSRNet


def heads(net: WaveletSRNet) -> list[nn.Sequential]:
    return [cast(nn.Sequential, head) for head in net.heads]


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("lr", "count"), [(16, 74_999_296), (32, 51_353_968)])
def test_the_paper_preset_has_the_authors_parameters(lr: int, count: int) -> None:
    with torch.device("meta"):
        net = WaveletSRNet(lr=lr, preset="paper")
    assert parameters(net) == count and parameters(net.trunk) == 44_729_664
    last = [cast(nn.Conv2d, head[-1]) for head in heads(net)]
    result = [(conv.groups, conv.out_channels) for conv in last]
    assert result == [(1, 3), (3, 9), (12, 36), (48, 144)][: len(result)] and len(result) == (4 if lr == 16 else 3)


@pytest.mark.parametrize("lr", [16, 32])
def test_the_compact_preset_fits_in_four_megabytes_and_gives_faces_of_128(lr: int) -> None:
    net = WaveletSRNet(lr=lr).eval()
    assert sum(t.numel() for t in net.state_dict().values()) * 2 < 4e6
    with torch.no_grad():
        faces = torch.rand(2, 3, lr, lr)
        bands, instance = net.bands(faces), net(faces)
    assert bands.shape == (2, 3 * (128 // lr) ** 2, lr, lr) and instance.shape == (2, 3, 128, 128)
    torch.testing.assert_close(transform(instance, net.levels), bands)


def test_without_its_heads_the_compact_network_enlarges() -> None:
    net = WaveletSRNet(lr=32).eval()
    for head in heads(net):
        nn.init.zeros_(cast(Tensor, head[-1].weight))
    faces = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        instance = net(faces)
    large = nn.functional.interpolate(faces, scale_factor=4, mode="bicubic", align_corners=False)
    torch.testing.assert_close(instance, large)


def test_features_of_one_band_do_not_reach_another_inside_a_head_of_the_paper() -> None:
    torch.manual_seed(0)
    net = WaveletSRNet(lr=32).eval()  # compact: three groups in a head
    features = torch.rand(1, 64, 4, 4)
    head = heads(net)[1]
    gathered = head[0](features).detach().requires_grad_()
    instance = head[2](head[1](gathered))
    torch.autograd.backward(instance[:, :3].sum())  # the first of three bands
    assert gathered.grad is not None
    assert gathered.grad[:, :8].any() and not gathered.grad[:, 8:].any()


def test_other_presets_sides_and_faces_are_refused() -> None:
    with pytest.raises(UsageError, match="paper, compact"):
        WaveletSRNet(lr=16, preset="huge")
    with pytest.raises(UsageError, match="16 or 32"):
        WaveletSRNet(lr=24)
    with pytest.raises(DataError, match="16, 16"):
        WaveletSRNet(lr=16)(torch.rand(1, 3, 32, 32))
