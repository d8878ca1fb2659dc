"""What a user sees while a run works, on standard error: bars on a terminal, elsewhere a line every few seconds."""

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
_WINDOW, _FEWEST = 10.0, 4  # the rate is that of so many seconds, and of so many signs of progress at least
_SHORTEST = 0.05  # seconds between two signs of progress that are kept


class Advance(Protocol):
    """Is told how many items were just done."""

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
    """Numbers of items done where nobody watches, as in another process.

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
        """Count the same items there."""
        progress.reuse(self.reused)
        progress(self.worked)


class StageProgress:
    """How far a stage is, and how long it will still take.

    The rate is that of the last seconds. It does not count the time up to the first item, in which networks are loaded.
    Items that cost no work, because their result was in the cache, are counted apart and have no part in it.

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
        self._seen: deque[tuple[float, int]] = deque()  # times, and how many items had been worked on then

    def __call__(self, done: int, /) -> None:
        """Count items that were worked on."""
        if not done:
            return
        self.done += done
        now = self._clock()
        if len(self._seen) > 1 and now - self._seen[-2][0] < _SHORTEST:
            self._seen.pop()
        self._seen.append((now, self.done - self.reused))
        while len(self._seen) > _FEWEST and self._seen[1][0] < now - _WINDOW:
            self._seen.popleft()

    def reuse(self, done: int, /) -> None:
        """Count items that cost no work."""
        self.done += done
        self.reused += done
        if not self._seen:
            self._start = self._clock()  # what was spent so far is no measure of the work to come

    @property
    def finished(self) -> bool:
        """Whether all items are done."""
        return self.done >= self.total

    @property
    def rate(self) -> float | None:
        """Items a second, of those that are worked on; None until one is done."""
        if not self._seen:
            return None
        (begin, before), (end, worked) = self._seen[0], self._seen[-1]
        if len(self._seen) == 1:
            begin, before = self._start, 0
        return (worked - before) / (end - begin) if end > begin else None

    @property
    def left(self) -> float | None:
        """Seconds until all is done, if nothing more comes from the cache; None where that cannot be told yet."""
        rate = self.rate
        if rate is None:
            return None
        return max(0.0, (self.total - self.done) / rate - (self._clock() - self._seen[-1][0]))

    def line(self, spent: float) -> str:
        """One line: done of all, rate and time left; or, when all is done, the time taken.

        Args:
            spent: seconds since the stage began.
        """
        cached = f", {self.reused:,} of them from the cache" if self.reused else ""
        words = f"{self.name}: {self.done:,} of {self.total:,}{cached}"
        if self.finished:
            return f"{words} in {duration(spent)}"
        rate = f", {paced(self.rate)}" if self.rate else ""
        left = "" if self.left is None else f", about {duration(self.left)} left"
        return f"{words} after {duration(spent)}{rate}{left}"


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
    if total == 0 or sys.stderr is None:
        yield progress
    elif sys.stderr.isatty():
        with _bar(progress):
            yield progress
    else:
        with _lines(progress):
            yield progress


@contextmanager
def prefixed(words: str) -> Iterator[None]:
    """Put words before the names of all stages inside the block: what they are done for."""
    global _prefix
    before, _prefix = _prefix, words
    try:
        yield
    finally:
        _prefix = before


def cumulative(advance: Advance) -> Callable[[int, int], None]:
    """An adapter for callers that tell how many items are done in all: ``(done, total)``."""
    before = 0

    def tell(done: int, total: int) -> None:
        nonlocal before
        advance(done - before)
        before = done

    return tell


@contextmanager
def counted(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of a stage whose length its worker tells: ``(done, total)``."""
    with ExitStack() as stack:
        tell: Callable[[int, int], None] | None = None

        def first(done: int, total: int) -> None:
            nonlocal tell
            tell = tell or cumulative(stack.enter_context(stage(name, total)))
            tell(done, total)

        yield first


def duration(seconds: float) -> str:
    """A time in words: ``7 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def paced(rate: float | None) -> str:
    """A rate in words: ``12.5 a second``, or ``3.2 s each`` where one takes longer than a second; empty for None."""
    if not rate:
        return ""
    return f"{rate:,.1f} a second" if rate >= 1 else f"{1 / rate:,.1f} s each"


@contextmanager
def _bar(progress: StageProgress) -> Iterator[None]:
    """A bar that follows the progress and is read ten times a second."""
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
            words = [paced(progress.rate), "" if left is None else f"{duration(left)} left"]
            return Text(", ".join(filter(None, words)) or f"{duration(time.monotonic() - start)} so far")

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Times()
    with Progress(*columns, console=Console(stderr=True), get_time=time.monotonic) as shown:
        task = shown.add_task(progress.name, total=progress.total)
        with _watch(lambda: shown.update(task, completed=progress.done), 0.1):
            yield
        shown.update(task, completed=progress.done)


@contextmanager
def _lines(progress: StageProgress) -> Iterator[None]:
    """A line every few seconds, also while one item takes longer, and one at the end."""
    start = time.monotonic()

    def show() -> None:
        if not progress.finished:
            print(progress.line(time.monotonic() - start), file=sys.stderr, flush=True)

    with _watch(show, SECONDS_BETWEEN_LINES):
        yield
    if progress.finished:
        print(progress.line(time.monotonic() - start), file=sys.stderr, flush=True)


@contextmanager
def _watch(look: Callable[[], None], every: float) -> Iterator[None]:
    """Call something again and again, from another thread, until the block ends."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every):
            try:
                look()
            except (OSError, ValueError):  # standard error was closed; whoever writes to it next will say so
                return

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
