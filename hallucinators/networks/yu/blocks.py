"""Blocks of X. Yu's networks (TANN, TDAE)."""

from __future__ import annotations

from torch import nn

from hallucinators.networks.blocks import conv


def cbr(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    """Convolution that keeps the size, batch normalisation, rectifier."""
    return nn.Sequential(conv(inputs, outputs, kernel=kernel), nn.BatchNorm2d(outputs), nn.ReLU())


def up() -> nn.Upsample:
    """Doubles a map by repeating pixels."""
    return nn.Upsample(scale_factor=2, mode="nearest")


def cbr_up(inputs: int, outputs: int) -> nn.Sequential:
    """Doubles a map as `up` and `cbr`, at a fraction of the cost, with the convolution before the doubling."""
    return nn.Sequential(conv(inputs, 4 * outputs), nn.PixelShuffle(2), nn.BatchNorm2d(outputs), nn.ReLU())
