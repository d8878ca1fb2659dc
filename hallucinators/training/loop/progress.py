"""Lines on the progress of a training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

from bench.progress import duration

Say = Callable[[str], None]
SECONDS_BETWEEN_LINES = 10.0


def to_stderr(line: str) -> None:
    """Print a line where progress goes."""
    print(line, file=sys.stderr, flush=True)


class ProgressLines:
    """Reports step, losses, faces per second and the time left, every ten seconds.

    Args:
        say: called with each line.
        name: name of the task.
        steps: number of all steps.
        minutes: limit of the training time; None for no limit.
    """

    def __init__(self, say: Say, name: str, steps: int, minutes: float | None) -> None:
        self._say, self._name, self._steps, self._minutes = say, name, steps, minutes
        self._last = time.monotonic()
        self._done = self._faces = 0

    def __call__(self, step: int, losses: Mapping[str, float], faces: int, seconds: float) -> None:
        """Count a step.

        Args:
            step: number of steps done.
            losses: losses of this step.
            faces: number of its faces, over all processes.
            seconds: training time so far, over all calls.
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
            f"{self._faces / spent:.1f} faces/s, about {duration(max(left, 0.0))} left"
        )
        self._last, self._done, self._faces = now, 0, 0
