"""The teacher of the identity loss. It is never the recogniser of reported figures (that is SFace)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.align.templates import DLIB_150
from bench.errors import MissingError, pip_install
from bench.recognisers.networks.dlib_net import SIDE, DlibNet
from bench.weights import load_into, load_state_dict, package_file, torch_home
from hallucinators.vividgan.training.losses import feature_distances, identification, identity

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TEMPERATURE = 0.1  # the squared distance to another person is larger by about 0.5 than that to a good likeness
_ROTATION_RAD, _ZOOM = 0.14, 0.1
_PACKAGE, _FILE = "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"

Teacher = Callable[[Tensor, Tensor], Tensor]
"""Images float (N, 3, H, W) in [0, 1] and their five points (N, 5, 2), to embeddings (N, D) for Euclidean distances,
with gradients."""


def dlib_teacher(device: str | torch.device = "cpu") -> Teacher:
    """The network of dlib on chips cut by five points.

    Raises:
        MissingError: its weights do not exist.
    """
    path = package_file(_PACKAGE, _FILE)
    if path is None:
        raise MissingError(
            "The teacher of the identity loss is dlib's network, whose weights are not here: "
            f"{pip_install('face-recognition-models')}; or train with --identity none."
        )
    net = DlibNet.from_file(path).to(device).to(memory_format=torch.channels_last)

    def embed(images: Tensor, five: Tensor) -> Tensor:
        template = torch.tensor(DLIB_150.points, device=five.device)
        faces = chips(images, five, template, SIDE) * 255
        embeddings: Tensor = net(faces.contiguous(memory_format=torch.channels_last)).float()
        return embeddings

    return embed


def load_teacher(name: str, device: str | torch.device = "cpu") -> Teacher | None:
    """The teacher of a name: ``dlib``, ``none``, or the path of ResNet-50's ImageNet weights (the paper's choice).

    Raises:
        MissingError: its weights do not exist.
        DataError: they are damaged or of another network.
    """
    if name == "none":
        return None
    if name == "dlib":
        return dlib_teacher(device)
    if not Path(name).is_file():
        raise MissingError(f"There is no teacher {name!r}: known are dlib, none, and the path of ResNet-50's weights.")
    return resnet50_teacher(Path(name), device)


def paper_teacher() -> str:
    """The paper's teacher: the path of ResNet-50's ImageNet weights in torch's cache, or ``dlib``, its stand-in."""
    files = sorted((torch_home() / "hub" / "checkpoints").glob("resnet50-*.pth"))
    return str(files[0]) if files else "dlib"


def resnet50_teacher(path: Path, device: str | torch.device = "cpu") -> Teacher:
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


def identity_losses(
    images: Tensor, truth: Tensor, five: Tensor, embed: Teacher, *, jitter: bool = True
) -> tuple[Tensor, Tensor]:
    """Equation 5 and the cross-entropy of identification in the batch, by the teacher's embeddings.

    With jitter both images are cut by the same five points, moved anew in each call, flipped and blurred alike in half
    of the calls. So a network cannot lower the loss with a noise pattern for one fixed chip.

    Args:
        images: hallucinated faces, float (N, 3, 128, 128).
        truth: the true faces, the same shape.
        five: float32 (N, 5, 2), points of the truth.
        embed: the teacher.
        jitter: whether points and images are changed at random; without it the paper's formula.
    """
    points = five
    if jitter:
        points = _rotate_and_scale(five) + torch.randn_like(five[:, :1]) * 1.0 + torch.randn_like(five) * 0.7
    if jitter and torch.rand(()) < 0.5:
        images, truth = _blur(images), _blur(truth)
    if jitter and torch.rand(()) < 0.5:
        images, truth, points = images.flip(3), truth.flip(3), points[:, [1, 0, 2, 4, 3]]
        points = torch.stack([images.shape[3] - 1 - points[..., 0], points[..., 1]], 2)
    with torch.no_grad():
        of_truth = embed(truth, points)
    distances = feature_distances(embed(images, points), of_truth)
    return identity(distances), identification(distances, _TEMPERATURE)


def _rotate_and_scale(five: Tensor) -> Tensor:
    """Rotate points by up to 8 degrees and scale them by up to a tenth, around their mean."""
    angle, scale = (torch.rand(2, len(five), 1, device=five.device) * 2 - 1) * torch.tensor(
        [[[_ROTATION_RAD]], [[_ZOOM]]], device=five.device
    )
    middle = five.mean(1, keepdim=True)
    x, y = (five - middle).unbind(2)
    cos, sin = (1 + scale) * angle.cos(), (1 + scale) * angle.sin()
    return middle + torch.stack([cos * x - sin * y, sin * x + cos * y], 2)


def _blur(images: Tensor) -> Tensor:
    return functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)


def chips(images: Tensor, five: Tensor, template: Tensor, side: int) -> Tensor:
    """Resample images by the similarity that maps five points to a template; bilinear, with gradients.

    Args:
        images: float (N, 3, H, W).
        five: float32 (N, 5, 2), xy in their pixels.
        template: float32 (5, 2), xy in pixels of the chip.
        side: of the chip.

    Returns:
        float (N, 3, side, side); beyond the border the image repeats.
    """
    with torch.autocast(images.device.type, enabled=False):  # positions in bfloat16 would be half a pixel off
        linear, shift = fit_similarity(five.float(), template.expand(len(five), 5, 2).float())
        axis = torch.arange(side, device=five.device, dtype=torch.float32)
        pixels = torch.stack([axis.expand(side, side), axis[:, None].expand(side, side)], 2).reshape(1, -1, 2)
        inverse = linear / linear.square().sum(1, keepdim=True)  # transposed
        at = ((pixels - shift[:, None]) @ inverse).reshape(len(five), side, side, 2)
        limits = torch.tensor([images.shape[3], images.shape[2]], device=five.device)
        grid = (at + 0.5) * 2 / limits - 1
        return functional.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)


def fit_similarity(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Least-squares similarity from points (N, K, 2) to others, no reflection: matrices (N, 2, 2), shifts (N, 2)."""
    middle, goal = source.mean(1, keepdim=True), target.mean(1, keepdim=True)
    a, b = source - middle, target - goal
    scale = a.square().sum((1, 2))
    cosine = (a * b).sum((1, 2)) / scale
    sine = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) / scale
    linear = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    return linear, (goal - middle @ linear.mT)[:, 0]
