"""Perceptual loss on features of VGG-19, whose ImageNet weights the user provides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bench.errors import MissingError
from bench.weights import load_into, load_state_dict

Perceptual = Callable[[Tensor, Tensor], Tensor]
"""Faces (N, 3, H, W) in [0, 1] and the truth, to the mean squared distance of their features."""

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UP_TO_RELU3_2 = 14  # of torchvision's list of layers
_NO_FILE = ("dlib", "none")  # values of --identity that are no file


def perceptual(identity: str, device: str | torch.device = "cpu") -> Perceptual | None:
    """The loss at relu3_2 (TANN's choice), with the weights of ``--identity``; None if that is no file.

    Args:
        identity: path of torchvision's ImageNet weights of VGG-19, .pth or .safetensors; or a teacher's name.
        device: torch device.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged or of another network.
    """
    if identity in _NO_FILE:
        return None
    path = Path(identity)
    if not path.is_file():
        raise MissingError(f"There is no file {identity!r}; the perceptual loss takes VGG-19's ImageNet weights.")
    from torchvision.models import vgg19

    net = vgg19(weights=None)
    load_into(net, load_state_dict(path), origin=identity)
    layers = net.features[:_UP_TO_RELU3_2].eval().requires_grad_(False).to(device)
    mean, std = (torch.tensor(v, device=device)[:, None, None] for v in (_MEAN, _STD))

    def compare(images: Tensor, truth: Tensor) -> Tensor:
        with torch.no_grad():
            features = layers((truth.float() - mean) / std)
        predicted: Tensor = layers((images.float() - mean) / std)
        distance: Tensor = (predicted.float() - features.float()).square().mean()
        return distance

    return compare
