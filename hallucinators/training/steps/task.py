"""What the loop asks of what it trains, and of where batches come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from hallucinators.training.steps.batch import Batch


class BatchSource(Protocol):
    """Where batches come from; it knows its seed, its rank and its batch size."""

    def batch(self, step: int) -> Batch:
        """The batch of one step, on the processor.

        A pure function of (seed, rank, step), so that a resumed run sees the same data. It is called from a thread of
        its own while the step before is computed, and so must leave the global random generators alone.
        """
        ...

    def held_out(self) -> list[Batch]:
        """The same batches each time, of people who are left out of training; at least one."""
        ...


class Task(Protocol):
    """What is trained: networks, their optimisers, and one step.

    All state is in ``modules`` and ``optimisers`` and is saved with every checkpoint; whatever else changes while
    training (a learning rate, the weight of a loss) is to be computed from ``step``. Random numbers come from torch's
    default generators, whose states are saved too. The loop moves ``modules`` to the device; frozen networks that are
    not among them are for the task to place.

    Attributes:
        name: name of the task; a checkpoint of another one is refused.
        averaged: names of the modules that get averaged copies, which validation and previews see.
    """

    name: str
    averaged: tuple[str, ...]

    def modules(self) -> dict[str, nn.Module]:
        """Everything with state that trains, by name."""
        ...

    def optimisers(self) -> dict[str, Optimizer]:
        """The optimisers, by name."""
        ...

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One optimisation step, the first being step 0; returns the losses by name.

        Called under ``autocast``, the modules in the modes they had at the start. Gradients go through
        ``gradients.descend``, or through ``distributed.average_gradients`` before the optimiser's step. A loss or
        gradient that is not finite needs no care: the loop undoes the whole step.
        """
        ...

    def validate(self, batch: Batch) -> dict[str, float]:
        """Means over the batch; no gradients, evaluation mode.

        Among them is ``psnr_db`` (decibels, higher is better), and ``objective`` (higher is better) where likeness of
        pixels is not all that is trained for: the best weights are chosen by that one then. It must be the same
        quantity at every step, also before all terms have joined.
        """
        ...

    def preview(self, batch: Batch) -> list[Tensor]:
        """Columns of a picture of the batch: each float (N, 3, h, w) in [0, 1]; sizes may differ."""
        ...
