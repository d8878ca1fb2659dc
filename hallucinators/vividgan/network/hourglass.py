"""Stacked hourglass: landmark heatmaps from the fused features (section III-B.2, figure 5b; Newell et al. 2016)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hallucinators.networks.blocks import activate, conv, norm

_DEPTH = 3  # halvings: from 32 down to 4, the smallest map of FAN too (64, four halvings)


class _Block(nn.Module):
    """FAN's block: three norm-act-conv of n/2, n/4 and n/4 channels, each on the last, concatenated and added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.norms = nn.ModuleList([norm(channels), norm(half), norm(quarter)])
        self.convs = nn.ModuleList([conv(channels, half), conv(half, quarter), conv(quarter, quarter)])

    def forward(self, features: Tensor) -> Tensor:
        parts = [features]
        for normalise, convolve in zip(self.norms, self.convs, strict=True):
            parts.append(convolve(activate(normalise(parts[-1]))))
        return features + torch.cat(parts[1:], dim=1)


class _Hourglass(nn.Module):
    """A residual block in parallel with an hourglass at half the size, down to an eighth of the size."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.beside = _Block(channels)
        self.down = _Block(channels)
        self.inner = _Hourglass(channels, depth - 1) if depth > 1 else _Block(channels)
        self.up = _Block(channels)

    def forward(self, features: Tensor) -> Tensor:
        inner = self.up(self.inner(self.down(F.avg_pool2d(features, 2))))
        beside: Tensor = self.beside(features)
        return beside + F.interpolate(inner, scale_factor=2.0, mode="nearest")


class _Stage(nn.Module):
    """One hourglass with its heatmaps."""

    def __init__(self, channels: int, heatmaps: int, *, last: bool) -> None:
        super().__init__()
        self.hourglass = _Hourglass(channels, _DEPTH)
        self.after = nn.Sequential(_Block(channels), conv(channels, channels, kernel=1))
        self.norm = norm(channels)
        self.to_heatmaps = conv(channels, heatmaps, kernel=1)
        self.to_heatmaps.weight.data.div_(100)  # targets are near zero almost everywhere
        self.again = None if last else conv(channels, channels, kernel=1)
        self.heatmaps_again = None if last else conv(heatmaps, channels, kernel=1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        outputs = activate(self.norm(self.after(self.hourglass(features))))
        heatmaps: Tensor = self.to_heatmaps(outputs)
        if self.again is not None and self.heatmaps_again is not None:
            features = features + self.again(outputs) + self.heatmaps_again(heatmaps)
        return heatmaps, features


class StackedHourglass(nn.Module):
    """Hourglasses in sequence, each refining the last; blocks and connections are FAN's (1adrianb/face-alignment).

    Group norm in place of batch norm; heatmaps are linear.
    """

    def __init__(self, inputs: int, *, channels: int, stacks: int, heatmaps: int) -> None:
        """Build the network: ``inputs`` channels of the features, ``channels`` inside, a multiple of 4."""
        super().__init__()
        self.enter = conv(inputs, channels, kernel=1)
        self.stages = nn.ModuleList(_Stage(channels, heatmaps, last=i == stacks - 1) for i in range(stacks))

    def forward(self, features: Tensor) -> list[Tensor]:
        """Heatmaps (N, heatmaps, s, s) of every stage for features (N, inputs, s, s), s a multiple of 8."""
        features = self.enter(features)
        maps = []
        for stage in self.stages:
            heatmaps, features = stage(features)
            maps.append(heatmaps)
        return maps
