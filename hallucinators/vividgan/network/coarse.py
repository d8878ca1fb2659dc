"""Coarse network: a tiny face in any pose to a frontal preview of 128 x 128 pixels (section III-A, figure 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.errors import DataError, UsageError
from hallucinators.networks.blocks import ResidualBlock, activate, conv, deconv, linear, zeroed
from hallucinators.networks.transformer import SpatialTransformer, warp_enlarged
from hallucinators.vividgan.network.transform import FeatureTransform

_SMALLEST = 4


@dataclass(frozen=True)
class CoarseWidths:
    """Channels of the coarse network."""

    encoder: int
    """Of the encoder's first layer, kept down to 16 x 16; twice that at 8 x 8 and four times at 4 x 4."""
    code: int
    """Length of the face's code, from which the decoder's 4 x 4 map is computed."""
    at_16: int
    at_32: int
    at_64: int
    at_128: int


class Encoder(nn.Module):
    """A face of 16 x 16 or 32 x 32 pixels to latent features of the same size.

    After TANN's generator (XinYuANU/JFFH): spatial transformers at the first levels, down-sampling to a fully connected
    code, up-sampling with skip connections. The code is the one layer that can predict the hidden half of a face from
    the visible half. Down-sampling is by strided convolution (there: max pooling).
    """

    def __init__(self, widths: CoarseWidths, side: int) -> None:
        super().__init__()
        first, second, third = widths.encoder, 2 * widths.encoder, 4 * widths.encoder
        latent = widths.at_32 if side == 32 else widths.at_16
        self.enter = conv(3, first)
        self.enter_32 = Level(first, 32) if side == 32 else None
        self.shrink_32 = conv(first, first, stride=2) if side == 32 else None
        self.level_16 = Level(first, 16)
        self.shrink_16 = conv(first, second, stride=2)
        self.level_8 = Level(second, 8)
        self.shrink_8 = conv(second, third, stride=2)
        self.to_code = linear(third * _SMALLEST**2, widths.code)
        self.from_code = linear(widths.code, third * _SMALLEST**2)
        self.grow_8 = Join(third, second, second)
        self.grow_16 = Join(second, first, first if side == 32 else latent)
        self.grow_32 = Join(first, first, latent) if side == 32 else None

    def similarity(self, lr: Tensor) -> Tensor:
        """Of the first spatial transformer: float32 (N, 2, 3), as `SpatialTransformer.theta`."""
        first = self.level_16 if self.enter_32 is None else self.enter_32
        return first.align.theta(activate(self.enter(2 * lr - 1)))

    def forward(self, lr: Tensor, theta: Tensor) -> Tensor:
        """Encode (N, 3, side, side) in [0, 1], aligned by ``theta`` of `similarity`, to (N, channels, side, side)."""
        level_32 = None
        level_16 = activate(self.enter(2 * lr - 1))
        if self.enter_32 is not None and self.shrink_32 is not None:
            level_32 = self.enter_32(level_16, theta)
            level_16 = self.level_16(activate(self.shrink_32(level_32)))
        else:
            level_16 = self.level_16(level_16, theta)
        level_8 = self.level_8(activate(self.shrink_16(level_16)))
        level_4 = activate(self.shrink_8(level_8))
        code = activate(self.to_code(level_4.flatten(1)))
        level_4 = level_4 + self.from_code(code).view(-1, *level_4.shape[1:])
        latent: Tensor = self.grow_16(self.grow_8(level_4, level_8), level_16)
        return latent if self.grow_32 is None else self.grow_32(latent, level_32)


class Level(nn.Module):
    """Spatial transformer and residual block at one size of the encoder."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.align = SpatialTransformer(channels, side)
        self.refine = ResidualBlock(channels)

    def forward(self, features: Tensor, theta: Tensor | None = None) -> Tensor:
        """(N, channels, side, side) to the same shape, aligned by ``theta`` or by the level's estimate."""
        refined: Tensor = self.refine(self.align(features, theta))
        return refined


class Join(nn.Module):
    """Doubles a map and adds the encoder's features of that size."""

    def __init__(self, inputs: int, skipped: int, outputs: int) -> None:
        super().__init__()
        self.grow = deconv(inputs, outputs)
        self.skip = conv(skipped, outputs)

    def forward(self, features: Tensor, skipped: Tensor) -> Tensor:
        """(N, inputs, h, w) and (N, skipped, 2 h, 2 w) to (N, outputs, 2 h, 2 w)."""
        return activate(self.grow(features) + self.skip(skipped))


class CoarseNet(nn.Module):
    """Encoder, then feature-transform modules from the face's own size to 128 x 128 pixels, then RGB.

    The factor of 8 takes three modules (at 16, 32 and 64), the factor of 4 two (at 32 and 64). The output is linear;
    the last layer starts at zero.
    """

    def __init__(self, *, lr: int, widths: CoarseWidths, carry: bool = True) -> None:
        """Build the network.

        Args:
            lr: height and width of the tiny face in pixels, 16 or 32.
            widths: channels.
            carry: True: the output is a residual plus the LR image, enlarged and warped by the first spatial
                transformer. False, as in the paper: a residual plus grey. The paper's decoder generates the whole face
                from its features.

        Raises:
            UsageError: another size.
        """
        super().__init__()
        if lr not in (16, 32):
            raise UsageError(f"coarse network: lr is {lr}; it must be 16 or 32 pixels")
        self.lr, self.carry = lr, carry
        self.encoder = Encoder(widths, lr)
        channels = {16: widths.at_16, 32: widths.at_32, 64: widths.at_64, 128: widths.at_128}
        sides = [side for side in (16, 32, 64) if side >= lr]
        self.transforms = nn.Sequential(*(FeatureTransform(channels[side], channels[2 * side], side) for side in sides))
        self.to_rgb = zeroed(conv(widths.at_128, 3, kernel=5))

    def forward(self, lr: Tensor) -> Tensor:
        """Hallucinate (N, 3, lr, lr) RGB in [0, 1] as (N, 3, 128, 128) RGB around [0, 1], not clamped.

        Raises:
            DataError: the faces have another shape.
        """
        return self.locate(lr)[0]

    def locate(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the location of the face, see `similarity`."""
        if lr.ndim != 4 or lr.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"coarse network: built for (N, 3, {self.lr}, {self.lr}), given {tuple(lr.shape)}")
        theta = self.similarity(lr)
        rgb: Tensor = self.to_rgb(self.transforms(self.encoder(lr, theta)))
        return rgb.float() + (warp_enlarged(lr, theta, rgb.shape[-1]) if self.carry else 0.5), theta

    def similarity(self, lr: Tensor) -> Tensor:
        """Location of the face by the first spatial transformer: float32 (N, 2, 3), frontal frame to LR in [-1, 1]."""
        return self.encoder.similarity(lr)

    def scale_residual(self, scale: float) -> None:
        """Scale the residual, by scaling the weights of the last layer, which is linear."""
        with torch.no_grad():
            for parameter in self.to_rgb.parameters():
                parameter.mul_(scale)

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that `similarity` depends on."""
        yield from self.encoder.enter.parameters()
        first = self.encoder.level_16 if self.encoder.enter_32 is None else self.encoder.enter_32
        yield from first.align.parameters()
