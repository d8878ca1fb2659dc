"""A task that trains one network, with or without discriminators."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torch.optim import Optimizer

from hallucinators.training.steps.adversary import Adversary


class NetworkTask:
    """The part of `Task` that is the same for every method with one generator.

    A subclass has `update`, `validate` and `preview`.

    Attributes:
        name: name of the task, which its checkpoints repeat.
        averaged: the key of the network, whose weights are averaged.
    """

    averaged: tuple[str, ...]

    def __init__(
        self,
        name: str,
        network: nn.Module,
        optimiser: Optimizer,
        *,
        key: str = "net",
        adversaries: Mapping[str, Adversary | None] | None = None,
    ) -> None:
        """Name the networks and their optimisers.

        Args:
            name: name of the task.
            network: the network that is trained.
            optimiser: its optimiser.
            key: key of both in checkpoints.
            adversaries: discriminators by their key in checkpoints; those that are None are left out.
        """
        self.name, self.averaged = name, (key,)
        self._key, self._network, self._optimiser = key, network, optimiser
        self._adversaries = {name: one for name, one in (adversaries or {}).items() if one is not None}

    def modules(self) -> dict[str, nn.Module]:
        """The network and its discriminators by key."""
        return {self._key: self._network} | {name: one.net for name, one in self._adversaries.items()}

    def optimisers(self) -> dict[str, Optimizer]:
        """The optimiser of each module, under the same key."""
        return {self._key: self._optimiser} | {name: one.optimiser for name, one in self._adversaries.items()}
