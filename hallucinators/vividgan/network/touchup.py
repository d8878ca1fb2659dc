"""Touching-up networks: one U-Net for each facial component (section III-B.1, figure 4a)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hallucinators.networks.blocks import SLOPE, ResidualBlock, activate, conv, deconv, zeroed
from hallucinators.vividgan.network.components import COMPONENTS


class ComponentNet(nn.Module):
    """Sharpens the patches of one component, whatever their size.

    The shape is TP-GAN's local pathway, which the public code of VividGAN uses: three strided convolutions down, three
    deconvolutions up, a skip and a residual block at every level. Choices: group norm inside the residual blocks in
    place of batch norm, and the output is the patch plus a residual that starts at 0.
    """

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        """Build the network; ``widths`` are the channels at full, half, quarter and eighth size."""
        super().__init__()
        self.enter = nn.Sequential(conv(3, widths[0]), nn.LeakyReLU(SLOPE), ResidualBlock(widths[0]))
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.down = nn.ModuleList(
            nn.Sequential(conv(a, b, stride=2), nn.LeakyReLU(SLOPE), ResidualBlock(b)) for a, b in pairs
        )
        self.up = nn.ModuleList(deconv(b, a) for a, b in reversed(pairs))
        self.join = nn.ModuleList(
            nn.Sequential(conv(2 * a, a), nn.LeakyReLU(SLOPE), ResidualBlock(a)) for a, _ in reversed(pairs)
        )
        self.to_rgb = zeroed(conv(widths[0], 3))

    def forward(self, patches: Tensor) -> Tensor:
        """Sharpen (N, 3, h, w) RGB around [0, 1], h and w multiples of 8; the same shape, not clamped."""
        features = self.enter(2 * patches - 1)
        skips = []
        for down in self.down:
            skips.append(features)
            features = down(features)
        for up, join in zip(self.up, self.join, strict=True):
            features = join(torch.cat([activate(up(features)), skips.pop()], dim=1))
        residual: Tensor = self.to_rgb(features)
        return patches.float() + residual.float()


class TouchUp(nn.Module):
    """The four component networks, of the same shape with separate weights."""

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({name: ComponentNet(widths) for name in COMPONENTS})

    def forward(self, patches: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Sharpen each component's patches (N, 3, h, w); same names and shapes."""
        return {name: self.networks[name](patches[name]) for name in COMPONENTS}
