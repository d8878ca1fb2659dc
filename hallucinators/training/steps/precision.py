"""Precision of forward passes."""

from __future__ import annotations

import torch

from hallucinators.training.steps.settings import Settings


def autocast(settings: Settings) -> torch.autocast:
    """A context for forward passes: bfloat16 where torch considers it safe, or float32."""
    kind = settings.device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=settings.precision == "bf16")
