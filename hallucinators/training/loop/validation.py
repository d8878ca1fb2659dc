"""Validation: averaged weights on the held-out people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.errors import ContractError, DataError
from hallucinators.training.loop.ema import Averages
from hallucinators.training.steps.precision import autocast
from hallucinators.training.steps.settings import Settings

if TYPE_CHECKING:
    from hallucinators.training.steps.batch import Batch
    from hallucinators.training.steps.task import BatchSource, Task

FIGURE, OBJECTIVE = "psnr_db", "objective"  # these select the best weights; higher is better


def selection_figure(figures: Mapping[str, float]) -> str:
    """The figure that selects the best weights: the task's ``objective`` if it has one, else ``psnr_db``."""
    return OBJECTIVE if OBJECTIVE in figures else FIGURE


class Validator:
    """Validates and previews a task without any effect on its training.

    Args:
        task: the task.
        source: source of the held-out batches, which are read once, when they are needed.
        averages: the averaged weights.
        settings: of the loop.
        device: device of the run.
    """

    def __init__(
        self, task: Task, source: BatchSource, averages: Averages, settings: Settings, device: torch.device
    ) -> None:
        self._task, self._source, self._averages = task, source, averages
        self._settings, self._device = settings, device
        self._batches: list[Batch] = []

    def figures(self) -> dict[str, float]:
        """Means over all held-out faces.

        Raises:
            ContractError: ``psnr_db`` is not among them.
            DataError: no face is held out.
        """
        sums: dict[str, float] = {}
        batches = self._held_out()
        with self._evaluation():
            for batch in batches:
                for name, value in self._task.validate(batch).items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(batch.lr)
        if FIGURE not in sums:
            raise ContractError(f"{self._task.name}: validate gives {sorted(sums)}; {FIGURE!r} must be among them")
        faces = sum(len(batch.lr) for batch in batches)
        return {name: value / faces for name, value in sums.items()}

    def preview(self) -> list[Tensor]:
        """Columns of a picture of the first held-out batch."""
        batch = self._held_out()[0]
        with self._evaluation():
            return self._task.preview(batch)

    def _held_out(self) -> list[Batch]:
        if not self._batches:
            self._batches = [batch.to(self._device) for batch in self._source.held_out()]
        if not self._batches:
            raise DataError(f"{self._task.name}: the source has no held-out batch to validate on")
        return self._batches

    @contextmanager
    def _evaluation(self) -> Iterator[None]:
        """Averaged weights, evaluation mode, no gradients, and a separate random state that is the same each time."""
        modules = list(self._task.modules().values())
        training = [part for module in modules for part in module.modules() if part.training]
        cards = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(cards), torch.no_grad(), self._averages.swapped_in(), autocast(self._settings):
            torch.manual_seed(self._settings.seed)
            for module in modules:
                module.eval()
            try:
                yield
            finally:
                for part in training:
                    part.training = True
