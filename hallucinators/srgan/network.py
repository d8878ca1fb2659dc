"""SRGAN's networks: SRResNet, and the discriminator (Ledig et al., CVPR 2017, figure 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import DataError
from hallucinators.networks.blocks import conv, zeroed
from hallucinators.networks.presets import refuse_unknown


@dataclass(frozen=True)
class Widths:
    """Sizes of both networks.

    Attributes:
        trunk: channels at the LR size of 16, and of 32.
        blocks: residual blocks at that size.
        grown: channels after each of three doublings for 16 x 16; 32 x 32 uses the last two.
        kernel: of the first and last convolutions.
        carry: whether the output is a residual plus the enlarged LR face.
        critic: channels of the discriminator's first layer.
        hidden: channels of its fully connected layer.
    """

    trunk: tuple[int, int]
    blocks: int
    grown: tuple[int, int, int]
    kernel: int
    carry: bool
    critic: int
    hidden: int


PRESETS = {
    "paper": Widths((64, 64), 16, (64, 64, 64), 9, carry=False, critic=64, hidden=1024),
    "compact": Widths((64, 48), 6, (64, 32, 16), 5, carry=True, critic=8, hidden=64),
}


class SRResNet(nn.Module):
    """Upright faces of 16 x 16 or 32 x 32 pixels to 128 x 128: residual blocks at the LR size, then doublings.

    The paper's preset has its layers and its number of parameters, for four and for eight times.
    """

    def __init__(self, preset: str, lr: int) -> None:
        """Build the network.

        Args:
            preset: ``paper`` or ``compact``.
            lr: side of the faces, 16 or 32.

        Raises:
            UsageError: another preset or size.
        """
        super().__init__()
        refuse_unknown("srgan", preset, PRESETS, lr)
        widths = PRESETS[preset]
        self.lr, self.carry = lr, widths.carry
        trunk, kernel = widths.trunk[lr // 32], widths.kernel
        self.enter = nn.Sequential(conv(3, trunk, kernel=kernel), nn.PReLU())
        self.blocks = nn.Sequential(*(Block(trunk) for _ in range(widths.blocks)))
        self.leave = nn.Sequential(conv(trunk, trunk), nn.BatchNorm2d(trunk))
        layers: list[nn.Module] = []
        before = trunk
        for after in widths.grown[0 if lr == 16 else 1 :]:
            layers += [conv(before, 4 * after), nn.PixelShuffle(2), nn.PReLU()]
            before = after
        self.grow = nn.Sequential(*layers)
        last = conv(before, 3, kernel=kernel)
        self.to_rgb = zeroed(last) if widths.carry else last

    def forward(self, faces: Tensor) -> Tensor:
        """Super-resolve (N, 3, lr, lr) RGB in [0, 1]: float32 (N, 3, 128, 128) around [0, 1], not clipped.

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"srgan: built for (N, 3, {self.lr}, {self.lr}), given {tuple(faces.shape)}")
        first = self.enter(faces)
        rgb: Tensor = self.to_rgb(self.grow(first + self.leave(self.blocks(first)))).float() / 2  # the paper's [-1, 1]
        return rgb + (F.interpolate(faces.float(), rgb.shape[-2:], mode="bicubic") if self.carry else 0.5)


class Block(nn.Module):
    """x + norm(conv(PReLU(norm(conv(x)))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = conv(channels, channels), conv(channels, channels)
        self.branch = nn.Sequential(first, nn.BatchNorm2d(channels), nn.PReLU(), second, nn.BatchNorm2d(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, h, w) to the same shape."""
        output: Tensor = features + self.branch(features)
        return output


class Critic(nn.Module):
    """Eight convolutions of 3 x 3, every second one halving the size, then two fully connected layers; logits."""

    def __init__(self, preset: str) -> None:
        """Build the network.

        Args:
            preset: ``paper`` or ``compact``.

        Raises:
            UsageError: another preset.
        """
        super().__init__()
        refuse_unknown("srgan", preset, PRESETS)
        widths = PRESETS[preset]
        layers: list[nn.Module] = []
        before = 3
        for after in (widths.critic * n for n in (1, 2, 4, 8)):
            for inputs, stride in ((before, 1), (after, 2)):
                layers += [nn.Conv2d(inputs, after, 3, stride, 1)]
                layers += [nn.BatchNorm2d(after)] if len(layers) > 1 else []
                layers += [nn.LeakyReLU(0.2)]
            before = after
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(
            nn.Linear(before * 8 * 8, widths.hidden), nn.LeakyReLU(0.2), nn.Linear(widths.hidden, 1)
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Logits, float32 (N,), higher for real, of (N, 3, 128, 128) RGB in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, 128, 128):
            raise DataError(f"srgan's discriminator: faces are (N, 3, 128, 128), given {tuple(faces.shape)}")
        logits: Tensor = self.judge(self.features(2 * faces - 1).flatten(1))
        return logits[:, 0].float()
