"""Learning rates as functions of the step, so that a resumed run has the same rates."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer


def rate_at(step: int, steps: int, *, warm: int = 200, falls_from: float = 0.5, last: float = 0.01) -> float:
    """Share of the greatest rate at a step: a linear rise, a constant part, then a half cosine down to ``last``.

    Args:
        step: from 0.
        steps: of the whole training.
        warm: steps of the rise.
        falls_from: share of all steps after which the rate falls.
        last: share at the end.
    """
    rising = min(1.0, (step + 1) / max(warm, 1))
    progress = min(1.0, max(0.0, (step / steps - falls_from) / max(1 - falls_from, 1e-9)))
    return rising * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * progress)))


def rate_group(parameters: Iterable[nn.Parameter], rate: float) -> dict[str, Any]:
    """A parameter group for an optimiser, with the greatest rate that `set_rates` scales."""
    return {"params": list(parameters), "lr": rate, "greatest": rate}


def set_rates(optimiser: Optimizer, share: float) -> None:
    """Set the rate of each parameter group to this share of its ``greatest`` rate."""
    for group in optimiser.param_groups:
        group["lr"] = group["greatest"] * share
