"""From a loss to a step: backward pass, mean over processes, clipping, and a check for non-finite values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hallucinators.training.steps import distributed


class NotFiniteError(Exception):
    """A loss or a gradient is not finite; the message names it. The loop undoes the step."""


def clip(parameters: Iterable[nn.Parameter], limit: float) -> float:
    """Scale gradients so that their norm over all parameters is at most ``limit``; returns the norm before."""
    return float(nn.utils.clip_grad_norm_(list(parameters), limit))


def descend(loss: Tensor, optimiser: Optimizer, *, name: str, limit: float | None = None) -> float:
    """One step of an optimiser down a loss.

    Args:
        loss: a scalar with a graph; the mean over this process's share of the batch.
        optimiser: the optimiser to step; its gradients are cleared before.
        name: name of the loss, for messages.
        limit: largest norm of the gradient (see ``clip``); None for no clipping.

    Returns:
        The loss, as a number.

    Raises:
        NotFiniteError: the gradient is not finite in some process; no step is taken.
    """
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast(loss.device.type, enabled=False):  # autocast is for forward passes only
        torch.autograd.backward(loss)
    parameters = parameters_of(optimiser)
    distributed.average_gradients(parameters)
    value = float(loss.detach())
    if not _finite(parameters):
        raise NotFiniteError(f"the gradient of loss {name!r}" if math.isfinite(value) else f"loss {name!r}")
    if limit is not None:
        clip(parameters, limit)
    optimiser.step()
    return value


def parameters_of(optimiser: Optimizer) -> list[nn.Parameter]:
    """All parameters of an optimiser, over its groups."""
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _finite(parameters: Iterable[nn.Parameter]) -> bool:
    """Whether all gradients are finite, by their norm, which is one value to copy from the device."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return not gradients or bool(nn.utils.get_total_norm(gradients).isfinite())


@contextmanager
def refuse_non_finite(optimisers: Mapping[str, Optimizer]) -> Iterator[None]:
    """Inside the block an optimiser raises ``NotFiniteError`` instead of a step with a non-finite gradient."""

    def guard(name: str) -> Callable[[Optimizer, Any, Any], None]:
        def before_step(optimiser: Optimizer, args: Any, kwargs: Any) -> None:
            if not _finite(parameters_of(optimiser)):
                raise NotFiniteError(f"the gradient of optimiser {name!r}")

        return before_step

    handles = [optimiser.register_step_pre_hook(guard(name)) for name, optimiser in optimisers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
