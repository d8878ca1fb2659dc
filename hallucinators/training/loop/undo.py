"""Undoing a step: networks and optimisers as before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hallucinators.training.loop.ema import tensors_of


class Undo:
    """Copies of all weights, buffers and optimiser states, refreshed before each step.

    A step of a GAN is several updates; when the last one fails, the earlier ones have been applied, and statistics of
    normalisation layers may not be finite. So all of them are restored. This costs a copy of the weights in memory and
    a copy in each step, which is fast compared with the step.
    """

    def __init__(self, modules: Iterable[nn.Module], optimisers: Iterable[Optimizer]) -> None:
        self._weights = [tensor for module in modules for tensor in tensors_of(module).values()]
        self._optimisers = list(optimisers)
        self._states: list[dict[Any, dict[str, Any]]] = []
        self._live: list[Tensor] = []
        self._copies: list[Tensor] = []

    @torch.no_grad()
    def store(self) -> None:
        """Copy the current state."""
        self._states = [{key: dict(state) for key, state in o.state.items()} for o in self._optimisers]
        live = [*self._weights, *self._state_tensors()]
        if len(live) == len(self._live) and all(a is b for a, b in zip(live, self._live, strict=True)):
            torch._foreach_copy_(self._copies, live)
        else:
            self._live, self._copies = live, [tensor.clone() for tensor in live]

    def _state_tensors(self) -> Iterator[Tensor]:
        for states in self._states:
            for state in states.values():
                yield from (value for value in state.values() if isinstance(value, Tensor))

    @torch.no_grad()
    def restore(self) -> None:
        """Restore the state of the last `store`; gradients are cleared."""
        torch._foreach_copy_(self._live, self._copies)
        for optimiser, states in zip(self._optimisers, self._states, strict=True):
            optimiser.state.clear()
            optimiser.state.update({key: dict(state) for key, state in states.items()})
            optimiser.zero_grad(set_to_none=True)
