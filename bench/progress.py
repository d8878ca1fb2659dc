"""What a user sees while a run works: bars on a terminal, a line now and then elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

Advance = Callable[[int], None]
_prefix = ""
_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def stage(name: str, total: int) -> Iterator[Advance]:
    """Show the progress of one stage.

    Args:
        name: what is being done.
        total: how many items it has.

    Yields:
        A function to call with the number of items just done.
    """
    name = _prefix + name
    if total == 0:
        yield lambda done: None
    elif sys.stderr.isatty():
        with _bar(name, total) as advance:
            yield advance
    else:
        yield _Lines(name, total)


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


@contextmanager
def _bar(name: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total)
        yield lambda done: progress.advance(task, done)


class _Lines:
    """A line every ten seconds and one at the end."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._start = self._last = time.monotonic()

    def __call__(self, done: int) -> None:
        self._done += done
        now = time.monotonic()
        if self._done < self._total and now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        spent = now - self._start
        left = spent * (self._total - self._done) / max(self._done, 1)
        ahead = f", about {left:.0f} s left" if self._done < self._total else ""
        print(f"{self._name}: {self._done:,} of {self._total:,} in {spent:.0f} s{ahead}", file=sys.stderr, flush=True)
