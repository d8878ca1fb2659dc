"""Layers with their initial weights, and the residual block of the networks.

He's initialisation here is that for the leaky rectifier of slope 0.2, which follows the layers; biases start at 0.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
"""Slope of the leaky rectifier between layers."""


def conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, pad: int | None = None) -> nn.Conv2d:
    """A convolution with He's initialisation; ``pad`` None keeps the size (at stride 1)."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if pad is None else pad)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """Set all weights of a convolution to zero, so that its branch starts without effect."""
    nn.init.zeros_(layer.weight)
    return layer


def deconv(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A deconvolution that doubles the size: kernel 4, stride 2, pad 1, so every output pixel sees four inputs."""
    layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    nn.init.normal_(layer.weight, std=(2 / (1 + SLOPE**2) / (4 * inputs)) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def linear(inputs: int, outputs: int, *, zero: bool = False) -> nn.Linear:
    """A fully connected layer with He's initialisation, or all zeros."""
    layer = nn.Linear(inputs, outputs)
    if zero:
        nn.init.zeros_(layer.weight)
    else:
        nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)
    return layer


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation, 16 channels a group; one group where 16 does not divide them.

    Not batch normalisation: batches are small, and its statistics would make the result for one face depend on others.
    Smaller groups are up to fifteen times slower in training on CPUs (bfloat16, channels last).
    """
    return nn.GroupNorm(channels // 16 if channels % 16 == 0 else 1, channels)


def activate(features: Tensor) -> Tensor:
    """The leaky rectifier used between layers."""
    return F.leaky_relu(features, SLOPE)


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(norm(x))))), 3 x 3; it starts as the identity (second convolution zero).

    The norm is only in the branch, so that brightness and contrast pass the trunk unchanged.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.first = conv(channels, channels)
        self.second = zeroed(conv(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, h, w) to the same shape."""
        branch: Tensor = self.second(activate(self.first(activate(self.norm(features)))))
        return features + branch
