"""Averaged copies of networks: an exponential moving average of the weights over the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bench.errors import DataError


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and saved buffers of a module by name, the objects themselves; a shared one is listed once."""
    once: dict[int, tuple[str, Tensor]] = {}
    for name, value in module.state_dict(keep_vars=True).items():
        if isinstance(value, Tensor):
            once.setdefault(id(value), (name, value))
    return dict(once.values())


def decay_at(step: int, decay: float) -> float:
    """The decay after ``step`` steps: small at first, so that the initial weights soon have no influence.

    Source: min(decay, (1 + step) / (10 + step)), the usual warm-up; no numbered equation.
    """
    return min(decay, (1 + step) / (10 + step))


class Averages:
    """Averaged weights of some modules.

    Parameters are averaged; buffers (statistics of normalisation layers, counters) are copied, since their averages
    would not fit the averaged weights.

    Args:
        modules: the modules to average, by name, on their device.
        decay: weight of the past per step, in [0, 1).
    """

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        self._decay = decay
        self._live = {name: tensors_of(module) for name, module in modules.items()}
        self._averages = {
            name: {key: value.detach().clone() for key, value in tensors.items()}
            for name, tensors in self._live.items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the averages with the weights after ``step`` steps."""
        weight = 1 - decay_at(step, self._decay)
        for name, live in self._live.items():
            averaged: list[Tensor] = []
            current: list[Tensor] = []
            for key, value in live.items():
                if isinstance(value, nn.Parameter) and value.is_floating_point():
                    averaged.append(self._averages[name][key])
                    current.append(value.detach())
                else:
                    self._averages[name][key].copy_(value)
            if averaged:
                torch._foreach_lerp_(averaged, current, weight)

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Use the averages as the weights of the modules inside the block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, live in self._live.items():
            for key, value in live.items():
                average = self._averages[name][key]
                value.data, average.data = average.data, value.data

    def state(self) -> dict[str, dict[str, Tensor]]:
        """The averages by module and key, the tensors themselves."""
        return {name: dict(tensors) for name, tensors in self._averages.items()}

    @torch.no_grad()
    def load(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Restore averages from `state`.

        Raises:
            DataError: modules, keys or shapes differ; then nothing is changed.
        """
        wrong = list(differing(self._averages, state))
        if wrong:
            raise DataError(f"The averaged weights do not fit: {'; '.join(wrong[:5])}")
        for name, tensors in self._averages.items():
            for key, value in tensors.items():
                value.copy_(state[name][key])


def differing(mine: Mapping[str, Mapping[str, Tensor]], theirs: Mapping[str, Mapping[str, Tensor]]) -> Iterator[str]:
    """Differences in names, keys and shapes between these modules and a checkpoint, as text."""
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in theirs or name not in mine:
            yield f"{name} is {'not in the checkpoint' if name in mine else 'in the checkpoint only'}"
            continue
        for key in sorted(mine[name].keys() | theirs[name].keys()):
            ours, other = mine[name].get(key), theirs[name].get(key)
            if ours is None or other is None:
                yield f"{name}.{key} is {'in the checkpoint only' if ours is None else 'not in the checkpoint'}"
            elif ours.shape != other.shape:
                yield f"{name}.{key} is {tuple(ours.shape)} here and {tuple(other.shape)} in the checkpoint"
