"""The training loop: what is the same for every network that is trained here."""

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
from hallucinators.training.loop.prefetch import Ahead
from hallucinators.training.loop.progress import ProgressLines, Say, to_stderr
from hallucinators.training.loop.signals import StopSignals
from hallucinators.training.loop.state import Keeper, Recipe, Standing
from hallucinators.training.loop.undo import Undo
from hallucinators.training.loop.validation import Judge, chosen_by
from hallucinators.training.steps import distributed
from hallucinators.training.steps.gradients import NotFiniteError, watched
from hallucinators.training.steps.precision import autocast
from hallucinators.training.steps.settings import Settings

if TYPE_CHECKING:
    from hallucinators.training.steps.batch import Batch
    from hallucinators.training.steps.task import BatchSource, Task

Stopped = Literal["done", "early", "time", "signal"]
BAD_STEPS_IN_A_ROW = 10


@dataclass(frozen=True)
class Result:
    """How a training ended.

    Attributes:
        steps: steps done in all.
        stopped: ``done`` (all steps), ``early`` (no better for ``patience`` validations), ``time`` (the limit in
            minutes) or ``signal`` (SIGINT or SIGTERM). After the last two, ``train`` goes on when it is called again.
        best: figures of the best validation, with its ``step``; empty before the first, and on ranks other than 0.
        seconds: training time in all, over every resumption.
        samples_seen: faces seen in all, over every process.
        skipped: steps that were undone because something was not finite.
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
    """Train, or go on with the training that ``out`` holds.

    Args:
        task: what is trained.
        source: where batches come from.
        settings: how long, how often, on what.
        out: folder of the run: checkpoints, best weights, curve, previews. All processes must see it.
        progress: told a line now and then (on rank 0 only).
        recipe: what else the run is told by (preset, sizes, digest of the data). It is kept in the checkpoint, and a
            checkpoint with another one is refused.

    Returns:
        How it ended; at once where the run had ended before.

    Raises:
        DataError: ``out`` holds a checkpoint of another run, or damaged ones only.
        ContractError: the task or the source gives something else than it should.
        UsageError: the device is not here.
        BenchError: ten steps in a row were not finite.
    """
    device = distributed.device_of(settings.device)
    say: Say = progress if distributed.rank() == 0 else _nobody
    with distributed.processes(device), _threads(settings.threads):
        return _Run(task, source, settings, out, say, recipe or {}, device).train()


def _nobody(line: str) -> None:
    """Where the lines of ranks other than 0 go."""


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
        self._judge = Judge(task, source, self._averages, settings, device)
        self._keeper = Keeper(out, task, self._averages, settings, recipe, device)
        self._undo = Undo(self._modules.values(), self._optimisers.values())
        torch.manual_seed(settings.seed + 1_000_003 * distributed.rank())
        out.mkdir(parents=True, exist_ok=True)
        found = self._keeper.resume(say)
        self._now = found or Standing()
        self._saved_at = found.step if found else None

    def train(self) -> Result:
        """Go on to the end, or to a limit."""
        now = self._now
        with StopSignals() as signals:
            stopped = self._verdict(signals)
            if stopped in ("done", "early"):
                self._say(f"{self._task.name}: had ended ({stopped}) after {now.step:,} steps")
            else:
                if self._saved_at is not None:
                    self._say(f"{self._task.name}: going on from the checkpoint of step {now.step:,}")
                stopped = stopped or self._go_on(signals)
                if self._saved_at != now.step:
                    self._save()
                why = f"{stopped} {signals.asked}" if stopped == "signal" else stopped
                self._say(f"{self._task.name}: stopped ({why}) after {now.step:,} steps, {duration(now.seconds)}")
        return Result(now.step, stopped, dict(now.best), now.seconds, now.samples, now.skipped)

    def _go_on(self, signals: StopSignals) -> Stopped:
        """Step after step until there is a reason to stop."""
        now, settings = self._now, self._settings
        start = time.monotonic() - now.seconds
        with ExitStack() as stack:
            curve = Curve(self._out, now.step, self._say) if distributed.rank() == 0 else None
            if curve:
                stack.callback(curve.close)
            ahead = stack.enter_context(Ahead(self._source, now.step, settings.steps))
            stack.enter_context(watched(self._optimisers))
            pace = ProgressLines(self._say, self._task.name, settings.steps, settings.minutes)
            while True:
                batch = ahead.take(now.step).to(self._device)
                losses = self._step(batch)
                now.seconds = time.monotonic() - start
                pace(now.step, losses, len(batch.lr) * distributed.world_size(), now.seconds)
                self._record(curve)
                if stopped := self._verdict(signals):
                    return stopped

    def _verdict(self, signals: StopSignals) -> Stopped | None:
        """Why to stop now; the same in every process."""
        now, limit = self._now, self._settings.minutes
        if now.step >= self._settings.steps:
            return "done"
        if 0 < self._settings.patience <= now.waited:
            return "early"
        late = limit is not None and now.seconds >= 60 * limit
        asked, late = distributed.anywhere([signals.asked is not None, late])
        return "signal" if asked else "time" if late else None

    def _step(self, batch: Batch) -> dict[str, float]:
        """One step, undone where something is not finite; returns the losses, means over processes."""
        now, faces = self._now, len(batch.lr)
        if faces != self._settings.batch_size:
            raise ContractError(
                f"The source gave {faces} faces for step {now.step}; batch_size is {self._settings.batch_size}"
            )
        self._undo.remember()
        losses: dict[str, float] = {}
        bad = ""
        try:
            with autocast(self._settings):
                losses = {name: float(value) for name, value in self._task.update(batch, now.step).items()}
        except NotFiniteError as error:
            bad = str(error)
        if distributed.anywhere([bool(bad)])[0]:
            bad = bad or "something in another process"
        else:
            losses = dict(zip(losses, distributed.means(list(losses.values())), strict=True))
            bad = ", ".join(f"loss {name!r}" for name, value in losses.items() if not math.isfinite(value))
        now.step += 1
        now.samples += faces * distributed.world_size()
        if bad:
            self._undo.back()
            self._skip(bad)
            return {}
        now.bad_in_a_row = 0
        self._averages.update(now.step)
        for name, value in losses.items():
            total, count = now.sums.get(name, (0.0, 0))
            now.sums[name] = [total + value, count + 1]
        return losses

    def _skip(self, what: str) -> None:
        """Count a step that was undone; too many in a row end the run."""
        now = self._now
        now.skipped += 1
        now.bad_in_a_row += 1
        if now.bad_in_a_row == 1:
            self._say(f"{self._task.name}: step {now.step - 1:,} is undone, since {what} is not finite")
        if now.bad_in_a_row >= BAD_STEPS_IN_A_ROW:
            kept = "there is no checkpoint yet" if self._saved_at is None else f"step {self._saved_at} is kept"
            raise BenchError(
                f"{self._task.name}: {now.bad_in_a_row} steps in a row are undone; at step {now.step - 1} {what} was "
                f"not finite. The last checkpoint: {kept}, in {self._out}. Lower the learning rate, clip gradients, or "
                "look at the batches of these steps."
            )

    def _record(self, curve: Curve | None) -> None:
        """After a step: validation, the row of the curve, preview and checkpoint, where they are due."""
        now, settings = self._now, self._settings
        last = now.step == settings.steps
        row: dict[str, float] = {}
        if now.step % settings.log_every == 0 or last:
            row = {name: total / count for name, (total, count) in now.sums.items()}
            now.sums = {}
        if now.step % settings.validate_every == 0 or last:
            row |= {VALIDATION + name: value for name, value in self._validate().items()}
        if curve and row:
            curve.add(now.step, row)
        if curve and settings.preview_every and (now.step % settings.preview_every == 0 or last):
            curve.preview(now.step, self._judge.preview())
            curve.draw()
        if now.step % settings.checkpoint_every == 0:
            self._save()

    def _validate(self) -> dict[str, float]:
        """Figures of the held-out people, on rank 0 alone; the weights are kept if they are the best so far."""
        now = self._now
        figures: dict[str, float] = {}
        if distributed.rank() == 0:
            figures = self._judge.figures()
            now.waited += 1
            figure = chosen_by(figures)
            if figures[figure] > now.best.get(figure, -math.inf):
                now.waited, now.best = 0, figures | {"step": now.step}
                self._keeper.save_best(now)
        now.waited = distributed.from_rank_0(now.waited)
        return figures

    def _save(self) -> None:
        self._keeper.save(self._now)
        self._saved_at = self._now.step
