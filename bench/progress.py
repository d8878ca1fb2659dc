"""Progress of a run on standard error: bars on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

SECONDS_BETWEEN_LINES = 5.0
_prefix = ""
_hidden = False
_WINDOW, _FEWEST = 10.0, 4  # seconds, and smallest number of updates, over which the rate is computed
_SHORTEST = 0.05  # seconds between two stored updates


class Advance(Protocol):
    """Takes the number of items that were just done."""

    def __call__(self, done: int, /) -> None:
        """Count items."""


class Progress(Protocol):
    """Counts items that are done."""

    def __call__(self, done: int, /) -> None:
        """Count items that were worked on."""

    def reuse(self, done: int, /) -> None:
        """Count items that cost no work, because their result was in the cache."""


@dataclass
class ProgressCount:
    """Numbers of items done where no progress is shown, as in another process.

    Attributes:
        worked: items that were worked on.
        reused: items that cost no work.
    """

    worked: int = 0
    reused: int = 0

    def __call__(self, done: int, /) -> None:
        """Count items that were worked on."""
        self.worked += done

    def reuse(self, done: int, /) -> None:
        """Count items that cost no work."""
        self.reused += done

    def add_to(self, progress: Progress) -> None:
        """Add these counts to another progress."""
        progress.reuse(self.reused)
        progress(self.worked)


class StageProgress:
    """Progress and remaining time of a stage.

    The rate is computed over the last seconds. It excludes the time before the first item, in which networks are
    loaded, and items whose result was in the cache.

    Attributes:
        name: what is being done.
        total: how many items there are.
        done: items done, those from the cache among them.
        reused: items from the cache.
    """

    def __init__(self, name: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.total, self.done, self.reused = name, total, 0, 0
        self._clock = clock
        self._start = clock()
        self._updates: deque[tuple[float, int]] = deque()  # times, and the number of items worked on until then

    def __call__(self, done: int, /) -> None:
        """Count items that were worked on."""
        if not done:
            return
        self.done += done
        now = self._clock()
        if len(self._updates) > 1 and now - self._updates[-2][0] < _SHORTEST:
            self._updates.pop()
        self._updates.append((now, self.done - self.reused))
        while len(self._updates) > _FEWEST and self._updates[1][0] < now - _WINDOW:
            self._updates.popleft()

    def reuse(self, done: int, /) -> None:
        """Count items that cost no work."""
        self.done += done
        self.reused += done
        if not self._updates:
            self._start = self._clock()  # the time before the first worked item is not part of the rate

    @property
    def finished(self) -> bool:
        """Whether all items are done."""
        return self.done >= self.total

    @property
    def rate(self) -> float | None:
        """Items a second, of those that are worked on; None until one is done."""
        if not self._updates:
            return None
        (begin, before), (end, worked) = self._updates[0], self._updates[-1]
        if len(self._updates) == 1:
            begin, before = self._start, 0
        return (worked - before) / (end - begin) if end > begin else None

    @property
    def left(self) -> float | None:
        """Seconds until all is done, if nothing more comes from the cache; None where it is not known yet."""
        rate = self.rate
        if rate is None:
            return None
        return max(0.0, (self.total - self.done) / rate - (self._clock() - self._updates[-1][0]))

    def line(self, spent: float) -> str:
        """One line: done of all, rate and time left; or, when all is done, the time taken.

        Args:
            spent: seconds since the stage began.
        """
        cached = f", {self.reused:,} of them from the cache" if self.reused else ""
        count = f"{self.name}: {self.done:,} of {self.total:,}{cached}"
        if self.finished:
            return f"{count} in {duration(spent)}"
        rate = f", {format_rate(self.rate)}" if self.rate else ""
        left = "" if self.left is None else f", about {duration(self.left)} left"
        return f"{count} after {duration(spent)}{rate}{left}"


@contextmanager
def stage(name: str, total: int) -> Iterator[StageProgress]:
    """Show the progress of one stage.

    Args:
        name: what is being done.
        total: how many items it has.

    Yields:
        A function to call with the number of items just done; its `reuse` is for those that cost no work.
    """
    progress = StageProgress(_prefix + name, total)
    if total == 0 or _hidden or sys.stderr is None:
        yield progress
    elif sys.stderr.isatty():
        with _bar(progress):
            yield progress
    else:
        with _lines(progress):
            yield progress


@contextmanager
def stage_prefix(prefix: str) -> Iterator[None]:
    """Put a prefix before the names of all stages inside the block."""
    global _prefix
    previous, _prefix = _prefix, prefix
    try:
        yield
    finally:
        _prefix = previous


@contextmanager
def hidden() -> Iterator[None]:
    """Show no progress and no notes inside the block."""
    global _hidden
    previous, _hidden = _hidden, True
    try:
        yield
    finally:
        _hidden = previous


def note(text: str) -> None:
    """Print a text on standard error, unless progress is hidden."""
    if not _hidden:
        print(text, file=sys.stderr, flush=True)


def cumulative(advance: Advance) -> Callable[[int, int], None]:
    """An adapter for callers that report the total number of items done: ``(done, total)``."""
    previous = 0

    def report(done: int, total: int) -> None:
        nonlocal previous
        advance(done - previous)
        previous = done

    return report


@contextmanager
def counted(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of a stage whose length the worker reports: ``(done, total)``."""
    with ExitStack() as stack:
        report: Callable[[int, int], None] | None = None

        def start_or_report(done: int, total: int) -> None:
            nonlocal report
            report = report or cumulative(stack.enter_context(stage(name, total)))
            report(done, total)

        yield start_or_report


def duration(seconds: float) -> str:
    """A time in words: ``7 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_rate(rate: float | None) -> str:
    """A rate in words: ``12.5 a second``, or ``3.2 s each`` where one takes longer than a second; empty for None."""
    if not rate:
        return ""
    return f"{rate:,.1f} a second" if rate >= 1 else f"{1 / rate:,.1f} s each"


@contextmanager
def _bar(progress: StageProgress) -> Iterator[None]:
    """A bar, updated ten times a second."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    start = time.monotonic()

    class Times(ProgressColumn):
        """Rate and time left; when all is done, the time taken."""

        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            if progress.finished:
                return Text(f"took {duration(task.finished_time or 0.0)}")
            left = progress.left
            parts = [format_rate(progress.rate), "" if left is None else f"{duration(left)} left"]
            return Text(", ".join(filter(None, parts)) or f"{duration(time.monotonic() - start)} so far")

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Times()
    with Progress(*columns, console=Console(stderr=True), get_time=time.monotonic) as shown:
        task = shown.add_task(progress.name, total=progress.total)
        with _watch(lambda: shown.update(task, completed=progress.done), 0.1):
            yield
        shown.update(task, completed=progress.done)


@contextmanager
def _lines(progress: StageProgress) -> Iterator[None]:
    """A line every few seconds, even if no item was finished, and one at the end."""
    start = time.monotonic()

    def show() -> None:
        if not progress.finished:
            print(progress.line(time.monotonic() - start), file=sys.stderr, flush=True)

    with _watch(show, SECONDS_BETWEEN_LINES):
        yield
    if progress.finished:
        print(progress.line(time.monotonic() - start), file=sys.stderr, flush=True)


@contextmanager
def _watch(call: Callable[[], None], every: float) -> Iterator[None]:
    """Call a function repeatedly from another thread until the block ends."""
    stopped = threading.Event()

    def repeat() -> None:
        while not stopped.wait(every):
            try:
                call()
            except (OSError, ValueError):  # standard error is closed; the next write elsewhere reports it
                return

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
