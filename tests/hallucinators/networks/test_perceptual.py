"""The perceptual loss, with first weights in place of ImageNet's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.errors import DataError
from hallucinators.networks.perceptual import perceptual


def test_faces_are_compared_at_relu3_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.models as models
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    small = nn.Module()  # the fully connected layers weigh half a gigabyte
    layers = make_layers(cfgs["E"])
    small.features = layers
    monkeypatch.setattr(models, "vgg19", lambda weights: small)
    torch.save(small.state_dict(), tmp_path / "vgg.pth")
    compare = perceptual(str(tmp_path / "vgg.pth"))
    assert compare is not None
    truth = torch.rand(1, 3, 32, 32)
    images = (truth + 0.1).requires_grad_()
    assert compare(truth, truth).item() == 0
    loss = compare(images, truth)
    torch.autograd.backward(loss)
    assert loss > 0 and images.grad is not None
    seen = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for layer in seen[6:]:
        nn.init.zeros_(layer.weight)
    assert compare(images, truth).item() == pytest.approx(loss.item()), "later layers take no part"
    nn.init.zeros_(seen[5].weight)
    assert compare(images, truth).item() != pytest.approx(loss.item())


def test_a_file_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.models as models

    monkeypatch.setattr(models, "vgg19", lambda weights: nn.Linear(2, 2))
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match=r"other\.pth"):
        perceptual(str(tmp_path / "other.pth"))
