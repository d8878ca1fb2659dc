"""The classifiers: VGG-16 as the paper uses it, and a small one that two processor cores train in a minute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.evaluation.expression.classifier.plan import ClassifierName
from bench.weights import load_into, load_state_dict, torch_home

if TYPE_CHECKING:
    from torch import nn

VGG16_FILE = "vgg16-397923af.pth"
VGG16_HOW_TO_GET = (
    f"Fetch {VGG16_FILE} (torchvision's VGG16_Weights.IMAGENET1K_V1, 528 MB) from download.pytorch.org/models into the "
    "folder hub/checkpoints of torch's cache, or pass weights=PATH. classifier=small needs no file."
)
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_IMAGENET_CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """Input and training settings of a classifier.

    Attributes:
        side: side of the stored faces, pixels.
        input_side: side of the network's input, pixels; faces are resized to it (bilinear).
        epochs: passes over the training faces.
        batch: faces a step.
        rate: highest learning rate of AdamW; it rises over the first tenth and falls to 0 as a cosine.
        weight_decay: of AdamW.
        mean: of the three channels, subtracted from values in [0, 1].
        std: of the three channels; divides the result.
    """

    side: int
    input_side: int
    epochs: int
    batch: int
    rate: float
    weight_decay: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


SETTINGS: dict[ClassifierName, Settings] = {
    "small": Settings(48, 48, 40, 32, 2e-3, 5e-2, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    "vgg16": Settings(128, 224, 12, 32, 5e-5, 5e-4, _IMAGENET_MEAN, _IMAGENET_STD),
}


def settings_of(name: ClassifierName) -> Settings:
    """Settings of a classifier.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in SETTINGS:
        raise UsageError(f"No classifier {name!r}; there are {', '.join(SETTINGS)}")
    return SETTINGS[name]


def build(name: ClassifierName, classes: int, weights: Path | None) -> nn.Module:
    """Build a classifier; weights that are not loaded are drawn from torch's generator.

    Args:
        name: of the classifier.
        classes: outputs.
        weights: state dict of torchvision's VGG-16 trained on ImageNet, for ``vgg16``; None draws all weights.

    Returns:
        A network from float32 (N, 3, side, side) to logits (N, classes).

    Raises:
        UsageError: there is none of that name.
        MissingError, DataError: the weights are absent or of another network.
    """
    settings_of(name)
    return _vgg16(classes, weights) if name == "vgg16" else _small(classes)


def default_weights() -> Path:
    """Path of VGG-16 in torch's folder of downloads."""
    return torch_home() / "hub" / "checkpoints" / VGG16_FILE


def _vgg16(classes: int, weights: Path | None) -> nn.Module:
    """VGG-VD-16 of Simonyan and Zisserman 2015 with a new last layer."""
    from torch import nn
    from torchvision.models import vgg16

    network = vgg16(weights=None, num_classes=_IMAGENET_CLASSES, init_weights=weights is None)
    if weights is not None:
        load_into(network, load_state_dict(weights), origin=str(weights))
    last = network.classifier[-1]
    network.classifier[-1] = nn.Linear(last.in_features, classes)
    module: nn.Module = network
    return module


def _small(classes: int) -> nn.Module:
    """Four stages of convolutions with three poolings and a global average: 0.4 million weights."""
    from torch import nn

    def block(channels_in: int, channels_out: int) -> list[nn.Module]:
        return [
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        ]

    layers: list[nn.Module] = []
    widths = (3, 24, 48, 96, 128)
    for index, (channels_in, channels_out) in enumerate(zip(widths, widths[1:], strict=False)):
        layers += block(channels_in, channels_out)
        layers += block(channels_out, channels_out) if index else []
        layers += [nn.MaxPool2d(2)] if index < len(widths) - 2 else []
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(widths[-1], classes)]
    return nn.Sequential(*layers, *head)
