"""The training loop, shared by all methods."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from bench.errors import BenchError, ContractError
from bench.progress import duration
from hallucinators.training.loop.curves import VALIDATION, Curve
from hallucinators.training.loop.ema import Averages
from hallucinators.training.loop.prefetch import Prefetcher
from hallucinators.training.loop.progress import ProgressLines, Say, to_stderr
from hallucinators.training.loop.signals import StopSignals
from hallucinators.training.loop.state import CheckpointStore, Recipe, RunState
from hallucinators.training.loop.undo import Undo
from hallucinators.training.loop.validation import Validator, selection_figure
from hallucinators.training.steps import distributed
from hallucinators.training.steps.gradients import NotFiniteError, refuse_non_finite
from hallucinators.training.steps.precision import autocast
from hallucinators.training.steps.settings import Settings

if TYPE_CHECKING:
    from hallucinators.training.steps.batch import Batch
    from hallucinators.training.steps.task import BatchSource, Task

Stopped = Literal["done", "early", "time", "signal"]
BAD_STEPS_IN_A_ROW = 10


@dataclass(frozen=True)
class Result:
    """Result of a training.

    Attributes:
        steps: number of steps done.
        stopped: ``done`` (all steps), ``early`` (no improvement for ``patience`` validations), ``time`` (the limit in
            minutes) or ``signal`` (SIGINT or SIGTERM). After the last two, another call of ``train`` continues.
        best: figures of the best validation, with its ``step``; empty before the first, and on ranks other than 0.
        seconds: training time over all calls.
        samples_seen: number of faces over all processes.
        skipped: steps that were undone because a loss or gradient was not finite.
    """

    steps: int
    stopped: Stopped
    best: dict[str, float]
    seconds: float
    samples_seen: int
    skipped: int


def train(
    task: Task,
    source: BatchSource,
    settings: Settings,
    out: Path,
    progress: Say = to_stderr,
    *,
    recipe: Recipe | None = None,
) -> Result:
    """Train, or continue the training in ``out``.

    Args:
        task: the networks and their losses.
        source: source of batches.
        settings: of the loop.
        out: folder of the run: checkpoints, best weights, curve, previews. All processes must see it.
        progress: called with lines on the progress (on rank 0 only).
        recipe: further facts that identify the run (preset, sizes, digest of the data). They are stored in checkpoints,
            and a checkpoint with other facts is refused.

    Returns:
        The result; at once if the run had ended before.

    Raises:
        DataError: ``out`` holds a checkpoint of another run, or only damaged ones.
        ContractError: the task or the source violates its interface.
        UsageError: there is no such device.
        BenchError: ten steps in a row were not finite.
    """
    device = distributed.device_of(settings.device)
    say: Say = progress if distributed.rank() == 0 else _ignore
    with distributed.processes(device), _threads(settings.threads):
        return _Run(task, source, settings, out, say, recipe or {}, device).train()


def _ignore(line: str) -> None:
    """Drop the lines of ranks other than 0."""


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Run:
    """One call of ``train``."""

    def __init__(
        self,
        task: Task,
        source: BatchSource,
        settings: Settings,
        out: Path,
        say: Say,
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        self._task, self._source, self._settings, self._out = task, source, settings, out
        self._say, self._device = say, device
        self._modules, self._optimisers = task.modules(), task.optimisers()
        unknown = [name for name in task.averaged if name not in self._modules]
        if unknown:
            raise ContractError(f"{task.name}: averaged names {unknown}; its modules are {sorted(self._modules)}")
        for module in self._modules.values():
            module.to(device).to(memory_format=torch.channels_last)
        distributed.broadcast_state(self._modules.values())
        self._averages = Averages({name: self._modules[name] for name in task.averaged}, settings.ema_decay)
        self._validator = Validator(task, source, self._averages, settings, device)
        self._store = CheckpointStore(out, task, self._averages, settings, recipe, device)
        self._undo = Undo(self._modules.values(), self._optimisers.values())
        torch.manual_seed(settings.seed + 1_000_003 * distributed.rank())
        out.mkdir(parents=True, exist_ok=True)
        state = self._store.resume(say)
        self._state = state or RunState()
        self._saved_at = state.step if state else None

    def train(self) -> Result:
        """Train to the last step, or to a limit."""
        state = self._state
        with StopSignals() as signals:
            stopped = self._stop_reason(signals)
            if stopped in ("done", "early"):
                self._say(f"{self._task.name}: had ended ({stopped}) after {state.step:,} steps")
            else:
                if self._saved_at is not None:
                    self._say(f"{self._task.name}: continuing from the checkpoint of step {state.step:,}")
                stopped = stopped or self._loop(signals)
                if self._saved_at != state.step:
                    self._save()
                why = f"{stopped} {signals.received}" if stopped == "signal" else stopped
                self._say(f"{self._task.name}: stopped ({why}) after {state.step:,} steps, {duration(state.seconds)}")
        return Result(state.step, stopped, dict(state.best), state.seconds, state.samples, state.skipped)

    def _loop(self, signals: StopSignals) -> Stopped:
        """Take steps until there is a reason to stop."""
        state, settings = self._state, self._settings
        start = time.monotonic() - state.seconds
        with ExitStack() as stack:
            curve = Curve(self._out, state.step, self._say) if distributed.rank() == 0 else None
            if curve:
                stack.callback(curve.close)
            batches = stack.enter_context(Prefetcher(self._source, state.step, settings.steps))
            stack.enter_context(refuse_non_finite(self._optimisers))
            report = ProgressLines(self._say, self._task.name, settings.steps, settings.minutes)
            while True:
                batch = batches.take(state.step).to(self._device)
                losses = self._step(batch)
                state.seconds = time.monotonic() - start
                report(state.step, losses, len(batch.lr) * distributed.world_size(), state.seconds)
                self._record(curve)
                if stopped := self._stop_reason(signals):
                    return stopped

    def _stop_reason(self, signals: StopSignals) -> Stopped | None:
        """The reason to stop now, the same in all processes; None to continue."""
        state, limit = self._state, self._settings.minutes
        if state.step >= self._settings.steps:
            return "done"
        if 0 < self._settings.patience <= state.waited:
            return "early"
        late = limit is not None and state.seconds >= 60 * limit
        signalled, late = distributed.anywhere([signals.received is not None, late])
        return "signal" if signalled else "time" if late else None

    def _step(self, batch: Batch) -> dict[str, float]:
        """One step, undone if a value is not finite; returns the losses, means over processes."""
        state, faces = self._state, len(batch.lr)
        if faces != self._settings.batch_size:
            raise ContractError(
                f"The source gave {faces} faces for step {state.step}; batch_size is {self._settings.batch_size}"
            )
        self._undo.store()
        losses: dict[str, float] = {}
        bad = ""
        try:
            with autocast(self._settings):
                losses = {name: float(value) for name, value in self._task.update(batch, state.step).items()}
        except NotFiniteError as error:
            bad = str(error)
        if distributed.anywhere([bool(bad)])[0]:
            bad = bad or "a value in another process"
        else:
            losses = dict(zip(losses, distributed.means(list(losses.values())), strict=True))
            bad = ", ".join(f"loss {name!r}" for name, value in losses.items() if not math.isfinite(value))
        state.step += 1
        state.samples += faces * distributed.world_size()
        if bad:
            self._undo.restore()
            self._skip(bad)
            return {}
        state.bad_in_a_row = 0
        self._averages.update(state.step)
        for name, value in losses.items():
            total, count = state.sums.get(name, (0.0, 0))
            state.sums[name] = [total + value, count + 1]
        return losses

    def _skip(self, what: str) -> None:
        """Count an undone step; too many in a row end the run."""
        state = self._state
        state.skipped += 1
        state.bad_in_a_row += 1
        if state.bad_in_a_row == 1:
            self._say(f"{self._task.name}: step {state.step - 1:,} is undone, because {what} is not finite")
        if state.bad_in_a_row >= BAD_STEPS_IN_A_ROW:
            checkpoint = "there is none yet" if self._saved_at is None else f"step {self._saved_at}"
            raise BenchError(
                f"{self._task.name}: {state.bad_in_a_row} steps in a row are undone; at step {state.step - 1} {what} "
                f"was not finite. The last checkpoint: {checkpoint}, in {self._out}. Lower the learning rate, clip "
                "gradients, or look at the batches of these steps."
            )

    def _record(self, curve: Curve | None) -> None:
        """After a step: validation, row of the curve, preview and checkpoint, if they are due."""
        state, settings = self._state, self._settings
        last = state.step == settings.steps
        row: dict[str, float] = {}
        if state.step % settings.log_every == 0 or last:
            row = {name: total / count for name, (total, count) in state.sums.items()}
            state.sums = {}
        if state.step % settings.validate_every == 0 or last:
            row |= {VALIDATION + name: value for name, value in self._validate().items()}
        if curve and row:
            curve.add(state.step, row)
        if curve and settings.preview_every and (state.step % settings.preview_every == 0 or last):
            curve.preview(state.step, self._validator.preview())
            curve.draw()
        if state.step % settings.checkpoint_every == 0:
            self._save()

    def _validate(self) -> dict[str, float]:
        """Figures on the held-out people, on rank 0 only; the weights are saved if they are the best so far."""
        state = self._state
        figures: dict[str, float] = {}
        if distributed.rank() == 0:
            figures = self._validator.figures()
            state.waited += 1
            figure = selection_figure(figures)
            if figures[figure] > state.best.get(figure, -math.inf):
                state.waited, state.best = 0, figures | {"step": state.step}
                self._store.save_best(state)
        state.waited = distributed.from_rank_0(state.waited)
        return figures

    def _save(self) -> None:
        self._store.save(self._state)
        self._saved_at = self._state.step
