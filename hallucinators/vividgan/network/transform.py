"""Feature-transform module: align features, refine them, double their size."""

from __future__ import annotations

from torch import Tensor, nn

from hallucinators.networks.blocks import ResidualBlock, activate, deconv
from hallucinators.networks.transformer import SpatialTransformer


class FeatureTransform(nn.Module):
    """Spatial transformer, residual block, deconvolution: the order of the paper (section III-A, figure 3)."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        """Build the module for (N, inputs, side, side); the result is (N, outputs, 2 side, 2 side)."""
        super().__init__()
        self.align = SpatialTransformer(inputs, side)
        self.refine = ResidualBlock(inputs)
        self.grow = deconv(inputs, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Align, refine and double (N, inputs, side, side)."""
        return activate(self.grow(self.refine(self.align(features))))
