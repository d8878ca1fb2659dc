"""Fine-integration network: preview and component prior to the final face (section III-B.2, figure 5a)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hallucinators.networks.blocks import ResidualBlock, activate, conv, zeroed
from hallucinators.vividgan.network.hourglass import StackedHourglass
from hallucinators.vividgan.network.integration import IntegrationBlock
from hallucinators.vividgan.network.transform import FeatureTransform


@dataclass(frozen=True)
class FineWidths:
    """Channels of the fine-integration network."""

    at_128: int
    at_64: int
    at_32: int
    hourglass: int
    """Inside the hourglasses; a multiple of 4."""


class FineNet(nn.Module):
    """Encoder on preview and prior, heatmaps by stacked hourglasses, integration block, decoder.

    Two strided convolutions take the six channels from 128 to 32 pixels; F_C, the heatmaps F_H and the attention
    have this size (1024 x 1024 weights a face; sixteen times as many at 64); two feature-transform modules double the
    size twice. The paper's encoder "of the same architecture" as the coarse one cannot be identical, since its input is
    eight times larger. Choices: no spatial transformer in this encoder, since the coarse face is upright; skip
    connections at 64 and 128, as in the coarse encoder; the output is the coarse face plus a residual that starts at 0.
    """

    def __init__(
        self, widths: FineWidths, *, hourglasses: int = 2, heatmaps: int = 68, component_aware: bool = True
    ) -> None:
        """Build the network.

        Args:
            widths: channels.
            hourglasses: stages of the stacked hourglass.
            heatmaps: landmarks, one map each.
            component_aware: False leaves out hourglasses and integration block (the variant of figure 6f).
        """
        super().__init__()
        self.enter = conv(6, widths.at_128)
        self.to_64 = conv(widths.at_128, widths.at_64, stride=2)
        self.to_32 = nn.Sequential(ResidualBlock(widths.at_64), conv(widths.at_64, widths.at_32, stride=2))
        self.fuse = ResidualBlock(widths.at_32)
        self.hourglass: StackedHourglass | None = None
        self.integrate: IntegrationBlock | None = None
        if component_aware:
            self.hourglass = StackedHourglass(
                widths.at_32, channels=widths.hourglass, stacks=hourglasses, heatmaps=heatmaps
            )
            self.integrate = IntegrationBlock(widths.at_32, heatmaps)
        self.from_32 = FeatureTransform(widths.at_32, widths.at_64, 32)
        self.join_64 = conv(2 * widths.at_64, widths.at_64, kernel=1)
        self.from_64 = FeatureTransform(widths.at_64, widths.at_128, 64)
        self.join_128 = conv(2 * widths.at_128, widths.at_128)
        self.to_rgb = zeroed(conv(widths.at_128, 3))

    def forward(self, coarse: Tensor, prior: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Refine a coarse face.

        Args:
            coarse: (N, 3, 128, 128) RGB around [0, 1].
            prior: the same for the stitched components, zero where there are none.

        Returns:
            The fine face, float32 (N, 3, 128, 128) around [0, 1], not clamped; and the heatmaps of every hourglass,
            (N, heatmaps, 32, 32) each, linear (none without the component-aware module).
        """
        at_128 = activate(self.enter(2 * torch.cat([coarse, prior], dim=1) - 1))
        at_64 = activate(self.to_64(at_128))
        features: Tensor = self.fuse(activate(self.to_32(at_64)))
        heatmaps: list[Tensor] = []
        if self.hourglass is not None and self.integrate is not None:
            heatmaps = self.hourglass(features)
            features = self.integrate(features, heatmaps[-1])
        features = activate(self.join_64(torch.cat([self.from_32(features), at_64], dim=1)))
        features = activate(self.join_128(torch.cat([self.from_64(features), at_128], dim=1)))
        return coarse.float() + self.to_rgb(features).float(), heatmaps
