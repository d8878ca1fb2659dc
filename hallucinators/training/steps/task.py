"""Interfaces of the loop: a task, and a source of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from hallucinators.training.steps.batch import Batch


class BatchSource(Protocol):
    """A source of batches with a seed, a rank and a batch size."""

    def batch(self, step: int) -> Batch:
        """The batch of one step, on the processor.

        A pure function of (seed, rank, step), so that a resumed run has the same data. It is called in another thread
        while the step before is computed, so it must not use the global random generators.
        """
        ...

    def held_out(self) -> list[Batch]:
        """At least one batch of people left out of training, the same in each call."""
        ...


class Task(Protocol):
    """Networks, their optimisers, and one step.

    All state is in ``modules`` and ``optimisers``, which are saved with every checkpoint; other values that change
    during training (a learning rate, the weight of a loss) must be computed from ``step``. Random numbers come from
    torch's default generators, whose states are saved too. The loop moves ``modules`` to the device; the task moves
    frozen networks that are not among them.

    Attributes:
        name: name of the task; a checkpoint of another one is refused.
        averaged: names of the modules with averaged weights, which validation and previews use.
    """

    name: str
    averaged: tuple[str, ...]

    def modules(self) -> dict[str, nn.Module]:
        """All modules that are trained or have state, by name."""
        ...

    def optimisers(self) -> dict[str, Optimizer]:
        """The optimisers, by name."""
        ...

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One optimisation step, the first being step 0; returns the losses by name.

        Called under ``autocast``, with the modules in their initial modes. Gradients must pass ``gradients.descend``,
        or ``distributed.average_gradients`` before the optimiser's step. The loop undoes the whole step if a loss or
        gradient is not finite.
        """
        ...

    def validate(self, batch: Batch) -> dict[str, float]:
        """Means over the batch; no gradients, evaluation mode.

        They include ``psnr_db`` (decibels, higher is better), and ``objective`` (higher is better) if the loss has more
        than pixel terms; then it selects the best weights. It must be the same quantity in every step, also before all
        terms are used.
        """
        ...

    def preview(self, batch: Batch) -> list[Tensor]:
        """Columns of a preview of the batch: each float (N, 3, h, w) in [0, 1]; sizes may differ."""
        ...
