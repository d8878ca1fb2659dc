"""DR-GAN's networks: encoder, decoder with pose code and noise, and the discriminator with its three answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.errors import DataError
from hallucinators.drgan.presets import POSES_DEG
from hallucinators.networks.presets import refuse_unknown

SIDE = 96
"""Height and width of the faces DR-GAN works on."""
_SMALLEST = SIDE // 16

Layers = tuple[tuple[int, int], ...]
"""Channels that a 3 x 3 convolution gives, and its stride."""


@dataclass(frozen=True)
class Widths:
    """Sizes of the networks of a preset.

    Attributes:
        poses_deg: yaws of the pose bins, degrees, positive as in `Batch.yaw_deg`.
        noise: length of the noise vector.
        encoder: its layers; the channels of the last one are the length of the code.
        start: channels of the map of 6 x 6 that the decoder begins with.
        decoder: channels of the layers at 6, 12, 24, 48 and 96 pixels; those after the first group begin with the
            transposed convolution that doubles the side, then come 3 x 3 convolutions.
        critic: layers of the discriminator.
        even: side from which maps are enlarged by interpolation after a convolution, not by a transposed one.
    """

    poses_deg: tuple[int, ...]
    noise: int
    encoder: Layers
    start: int
    decoder: tuple[tuple[int, ...], ...]
    critic: Layers
    even: int = 2 * SIDE


_TRUNK: Layers = (
    (32, 1), (64, 1),
    (64, 2), (64, 1), (128, 1),
    (128, 2), (96, 1), (192, 1),
    (192, 2), (128, 1), (256, 1),
    (256, 2), (160, 1), (320, 1),
)  # fmt: skip

PRESETS: Mapping[str, Widths] = MappingProxyType(
    {
        "paper": Widths(
            poses_deg=POSES_DEG["paper"],
            noise=50,
            encoder=_TRUNK,
            start=320,
            decoder=((160, 256), (256, 128, 192), (192, 96, 128), (128, 64, 64), (64, 32)),
            critic=_TRUNK,
        ),
        # for training on processors
        "compact": Widths(
            poses_deg=POSES_DEG["compact"],
            noise=16,
            encoder=((16, 2), (24, 1), (48, 2), (48, 1), (96, 2), (96, 1), (176, 2), (224, 1)),
            start=80,
            decoder=((160,), (128, 112), (80, 64), (40, 32), (16, 16)),
            critic=((16, 2), (32, 2), (64, 2), (96, 2), (128, 1)),
            even=24,
        ),
    }
)


def resized(images: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (N, 3, h, w) to a side, or height and width, by Pillow's bicubic, antialiased where it shrinks.

    The same as `bench.images.resize_float`, on tensors; values may leave the range.
    """
    wanted = (size, size) if isinstance(size, int) else size
    if images.shape[-2:] == wanted:
        return images
    return functional.interpolate(images.float(), wanted, mode="bicubic", antialias=True, align_corners=False)


def nearest_bin(yaw_deg: Tensor, poses_deg: Sequence[int]) -> Tensor:
    """Index of the nearest pose bin of each yaw: int64 (N,) of float (N,) degrees."""
    bins = torch.tensor(poses_deg, device=yaw_deg.device, dtype=torch.float32)
    return (yaw_deg.float()[:, None] - bins).abs().argmin(1)


class DrGan(nn.Module):
    """The generator: a face to a code without pose, and the code to a face in a given pose."""

    def __init__(self, preset: str = "paper") -> None:
        """Build the networks.

        Args:
            preset: sizes by name.

        Raises:
            UsageError: an unknown preset.
        """
        super().__init__()
        refuse_unknown("drgan", preset, PRESETS)
        widths = PRESETS[preset]
        self.poses_deg, self.noise = widths.poses_deg, widths.noise
        self.encoder = _trunk(widths.encoder)
        self.start = widths.start
        code = widths.encoder[-1][0] + len(widths.poses_deg) + widths.noise
        self.spread = nn.Linear(code, widths.start * _SMALLEST**2)
        self.decoder = _decoder(widths)
        _init_weights(self)

    def encode(self, faces: Tensor) -> Tensor:
        """Codes (N, C) of faces (N, 3, 96, 96), RGB in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        _check(faces, "drgan")
        return self.encoder(2 * faces - 1).mean((2, 3))  # type: ignore[no-any-return]

    def decode(self, codes: Tensor, pose: Tensor, noise: Tensor) -> Tensor:
        """Faces (N, 3, 96, 96), RGB in [0, 1].

        Args:
            codes: of `encode`, (N, C).
            pose: index of the pose bin, int64 (N,).
            noise: (N, Z), in [-1, 1].
        """
        target = functional.one_hot(pose, len(self.poses_deg)).to(codes)
        inputs = torch.cat([codes, target, noise.to(codes)], 1)
        faces: Tensor = self.decoder(self.spread(inputs).unflatten(1, (self.start, _SMALLEST, _SMALLEST)))
        return (faces.float() + 1) / 2

    def forward(self, faces: Tensor, pose: Tensor, noise: Tensor) -> Tensor:
        """Faces (N, 3, 96, 96) turned to the pose, see `encode` and `decode`."""
        return self.decode(self.encode(faces), pose, noise)

    def frontal(self) -> int:
        """Index of the pose bin of 0 degrees."""
        return self.poses_deg.index(0)


class Answer(NamedTuple):
    """Outputs of the discriminator for N faces."""

    real: Tensor
    """Logits (N,), higher for real."""
    identity: Tensor
    """Logits (N, people); of a discriminator without people its features (N, C)."""
    pose: Tensor
    """Logits (N, poses)."""


class DrDiscriminator(nn.Module):
    """The discriminator: real or hallucinated, identity, and pose."""

    def __init__(self, preset: str = "paper", *, people: int = 200) -> None:
        """Build the network.

        Args:
            preset: sizes by name.
            people: number of classes of people; 0 leaves out the identity head, and its features are returned instead.

        Raises:
            UsageError: an unknown preset.
        """
        super().__init__()
        refuse_unknown("drgan", preset, PRESETS)
        widths = PRESETS[preset]
        self._split = (1, people, len(widths.poses_deg))
        self.trunk = _trunk(widths.critic)
        self.heads = nn.Linear(widths.critic[-1][0], sum(self._split))
        _init_weights(self)

    def forward(self, faces: Tensor) -> Answer:
        """Judge (N, 3, 96, 96), RGB in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        _check(faces, "drgan's discriminator")
        features = self.trunk(2 * faces - 1).mean((2, 3))
        real, identity, pose = self.heads(features).float().split(self._split, 1)
        return Answer(real[:, 0], identity if self._split[1] else features.float(), pose)


def _check(faces: Tensor, who: str) -> None:
    if faces.ndim != 4 or faces.shape[1:] != (3, SIDE, SIDE):
        raise DataError(f"{who}: faces are (N, 3, {SIDE}, {SIDE}), given {tuple(faces.shape)}")


def _trunk(layers: Layers) -> nn.Sequential:
    blocks, before = [], 3
    for after, stride in layers:
        blocks += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ELU()]
        before = after
    return nn.Sequential(*blocks)


def _decoder(widths: Widths) -> nn.Sequential:
    blocks: list[nn.Module] = []
    before = widths.start
    for level, channels in enumerate(widths.decoder):
        side = _SMALLEST * 2**level
        for place, after in enumerate(channels):
            doubles = level > 0 and place == 0
            if doubles and side < widths.even:
                blocks.append(nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1, bias=False))
            else:
                blocks.append(nn.Conv2d(before, after, 3, padding=1, bias=False))
            blocks += [nn.BatchNorm2d(after), nn.ELU()]
            if doubles and side >= widths.even:
                blocks.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
            before = after
    return nn.Sequential(*blocks, nn.Conv2d(before, 3, 3, padding=1, bias=False), nn.Tanh())


def _init_weights(net: nn.Module) -> None:
    """N(0, 0.02), as the public implementations have it."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
