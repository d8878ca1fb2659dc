"""Learning rates as functions of the step, so that a resumed run has the same ones."""

from __future__ import annotations

import math

from torch.optim import Optimizer


def rate_at(step: int, steps: int, *, warm: int = 200, falls_from: float = 0.5, last: float = 0.01) -> float:
    """Share of the greatest rate at a step: up over ``warm`` steps, level, then down by a half cosine.

    Args:
        step: from 0.
        steps: of the whole training.
        warm: steps of the rise.
        falls_from: where the fall begins, as a share of all steps.
        last: share that is left at the end.
    """
    rising = min(1.0, (step + 1) / max(warm, 1))
    along = min(1.0, max(0.0, (step / steps - falls_from) / max(1 - falls_from, 1e-9)))
    return rising * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * along)))


def set_rates(optimiser: Optimizer, share: float) -> None:
    """Give each group of an optimiser so much of its ``greatest`` rate."""
    for group in optimiser.param_groups:
        group["lr"] = group["greatest"] * share
