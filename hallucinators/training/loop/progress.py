"""A line now and then on how a training goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

Say = Callable[[str], None]
SECONDS_BETWEEN_LINES = 10.0


def to_stderr(line: str) -> None:
    """Print a line where progress goes."""
    print(line, file=sys.stderr, flush=True)


class Pace:
    """Says step, losses, faces per second and the time left every ten seconds.

    Args:
        say: told each line.
        name: name of the task.
        steps: steps in all.
        minutes: training time in all; None for no limit.
    """

    def __init__(self, say: Say, name: str, steps: int, minutes: float | None) -> None:
        self._say, self._name, self._steps, self._minutes = say, name, steps, minutes
        self._last = time.monotonic()
        self._done = self._faces = 0

    def __call__(self, step: int, losses: Mapping[str, float], faces: int, seconds: float) -> None:
        """One step is done.

        Args:
            step: steps done in all.
            losses: of this step.
            faces: how many it computed, over all processes.
            seconds: training time so far, over every resumption.
        """
        self._done += 1
        self._faces += faces
        now = time.monotonic()
        spent = now - self._last
        if spent < SECONDS_BETWEEN_LINES:
            return
        left = spent / self._done * (self._steps - step)
        if self._minutes is not None:
            left = min(left, 60 * self._minutes - seconds)
        figures = ", ".join(f"{name} {value:.4g}" for name, value in losses.items())
        self._say(
            f"{self._name}: step {step:,} of {self._steps:,}: {figures}; "
            f"{self._faces / spent:.1f} faces/s, about {duration(left)} left"
        )
        self._last, self._done, self._faces = now, 0, 0


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    seconds = max(seconds, 0.0)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
