"""The state of a run, saved to and restored from checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bench.errors import DataError
from hallucinators.training.loop import checkpoint
from hallucinators.training.loop.ema import Averages
from hallucinators.training.steps import distributed
from hallucinators.training.steps.settings import Settings

if TYPE_CHECKING:
    from hallucinators.training.steps.task import Task

Recipe = Mapping[str, str | int | float]


@dataclass
class RunState:
    """Counters and figures of a run; the names of the fields are stored in checkpoints.

    Attributes:
        step: number of steps done.
        seconds: training time over all calls.
        samples: number of faces over all processes.
        skipped: steps undone because a value was not finite.
        bad_in_a_row: number of undone steps since the last good one.
        waited: validations since the best one.
        best: figures of the best validation, with its ``step``.
        sums: sum and count of each loss since the last row of the curve.
    """

    step: int = 0
    seconds: float = 0.0
    samples: int = 0
    skipped: int = 0
    bad_in_a_row: int = 0
    waited: int = 0
    best: dict[str, float] = field(default_factory=dict)
    sums: dict[str, list[float]] = field(default_factory=dict)


class CheckpointStore:
    """Saves a run into its folder and restores it; only rank 0 writes.

    Args:
        out: folder of the run.
        task: the task, on its device.
        averages: its averaged weights.
        settings: of the loop.
        recipe: further facts that identify the run.
        device: device of the run.
    """

    def __init__(
        self, out: Path, task: Task, averages: Averages, settings: Settings, recipe: Recipe, device: torch.device
    ) -> None:
        self._out, self._averages, self._device = out, averages, device
        self._modules, self._optimisers = task.modules(), task.optimisers()
        self._identity = {
            "task": task.name,
            "recipe": dict(recipe),
            "settings": settings.fixed(),
            "processes": distributed.world_size(),
        }

    def _state(self, run: RunState) -> checkpoint.State:
        """The content of best weights and of every checkpoint."""
        return self._identity | {
            "step": run.step,
            "best": dict(run.best),
            "modules": {name: dict(module.state_dict()) for name, module in self._modules.items()},
            "averages": self._averages.state(),
        }

    def save_best(self, run: RunState) -> None:
        """Save the weights as the best ones so far; called on rank 0."""
        checkpoint.save(checkpoint.path_of(self._out, run.step, "best"), self._state(run))

    def save(self, run: RunState) -> None:
        """Write a checkpoint; called in all processes."""
        random = checkpoint.random_state(self._device)
        if distributed.rank() != 0:
            return
        rest = {
            "standing": asdict(run),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self._optimisers.items()},
            "random": random,
        }
        checkpoint.save(checkpoint.path_of(self._out, run.step), self._state(run) | rest)
        checkpoint.prune(self._out)

    def resume(self, say: Callable[[str], None]) -> RunState | None:
        """Restore the newest readable checkpoint; None if there is none.

        Raises:
            DataError: the checkpoint is of another run, or all of them are damaged.
        """
        first = distributed.rank() == 0
        state = checkpoint.load_newest(self._out, say) if first else None
        step = distributed.from_rank_0(state["step"] if state else -1)
        path = checkpoint.path_of(self._out, step)
        if step >= 0:
            self._restore(state or checkpoint.load(path), path)
        if first:
            checkpoint.discard_after(self._out, step)
        return self._run if step >= 0 else None

    def _restore(self, state: checkpoint.State, path: Path) -> None:
        expected = self._identity | {
            "modules": {name: dict(module.state_dict()) for name, module in self._modules.items()},
            "averages": self._averages.state(),
            "optimisers": self._optimisers,
            "standing": {},
            "random": [],
        }
        checkpoint.refuse_other(path, state, expected)
        for name, module in self._modules.items():
            module.load_state_dict(state["modules"][name])
        self._averages.load(state["averages"])
        for name, optimiser in self._optimisers.items():
            try:
                optimiser.load_state_dict(state["optimisers"][name])
            except ValueError as error:
                raise DataError(f"{path}: the state of optimiser {name!r} does not fit: {error}") from error
        checkpoint.restore_random_state(state["random"], self._device)
        self._run = RunState(**state["standing"])
