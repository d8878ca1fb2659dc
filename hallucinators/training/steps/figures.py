"""Figures of validation during training; published figures come from `bench.metrics`."""

from __future__ import annotations

from torch import Tensor


def psnr_db(images: Tensor, truth: Tensor) -> float:
    """Mean over images of the peak signal-to-noise ratio in decibels, images (N, C, H, W) clamped to [0, 1]."""
    errors = (images.float().clamp(0, 1) - truth.float()).square().flatten(1).mean(1)
    return float((-10 * errors.log10()).mean())
