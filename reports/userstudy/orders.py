"""In which order a participant sees questions, and the faces of each: balanced, and told by a code alone."""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np

from bench.errors import UsageError

LEAST_SCHEDULES = 48
CODE = string.ascii_letters + string.digits + "-_"
LONGEST_CODE = 32
_PRIME, _OFFSET, _MASK = 0x01000193, 0x811C9DC5, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Schedule:
    """What one participant sees.

    Attributes:
        questions: their places in the study, in the order shown.
        places: for each question of the study (not in the order shown), the method shown at each place.
    """

    questions: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]


def make_schedules(questions: int, methods: int, *, seed: int, least: int = LEAST_SCHEDULES) -> list[Schedule]:
    """Draw schedules, a multiple of ``methods`` of them.

    Questions are dealt into blocks of as many as there are methods. Within a schedule each whole block is a Latin
    square: every method stands once at every place. So each method is at each place equally often, but for one at most
    where the last block is not whole. And of ``methods`` schedules that follow each other, every question shows every
    method at every place exactly once. Rows, columns and blocks are drawn anew for each such group, the order of the
    questions for each schedule.

    Args:
        questions: at least 1.
        methods: at least 2.
        seed: same seed, same schedules.
        least: so many at least.

    Raises:
        UsageError: numbers that cannot be.
    """
    if questions < 1 or methods < 2 or seed < 0 or least < 1:
        raise UsageError(f"{questions} questions on {methods} methods, seed {seed}: give 1, 2 and 0 or more.")
    schedules: list[Schedule] = []
    for group in range(-(-least // methods)):
        rng = np.random.default_rng((seed, group, 0x7573))
        dealt = rng.permutation(questions)
        row = np.empty((questions, methods), np.int64)  # the order at the first schedule of the group
        for start in range(0, questions, methods):
            block = dealt[start : start + methods]
            names, shifts = rng.permutation(methods), rng.permutation(methods)[: len(block)]
            row[block] = names[(shifts[:, None] + np.arange(methods)) % methods]
        for turn in range(methods):
            turned = np.roll(row, -turn, axis=1)
            schedules.append(
                Schedule(
                    tuple(int(q) for q in rng.permutation(questions)),
                    tuple(tuple(int(m) for m in line) for line in turned),
                )
            )
    return schedules


def schedule_of(code: str, schedules: int) -> int:
    """Which schedule the code of a participant stands for; the page computes the same.

    Numbers take turns, so that participants 1, 2, 3... are balanced; other codes are hashed (FNV-1a, 32 bits).

    Raises:
        UsageError: the code is empty, too long or of other characters.
    """
    if not is_code(code):
        raise UsageError(f"The code {code[:40]!r} is not of 1 to {LONGEST_CODE} letters, digits, - and _.")
    if len(code) <= 9 and code.isdigit():
        return int(code) % schedules
    found = _OFFSET
    for character in code:
        found = ((found ^ ord(character)) * _PRIME) & _MASK
    return found % schedules


def is_code(code: str) -> bool:
    """Whether a participant may be called so."""
    return 0 < len(code) <= LONGEST_CODE and all(character in CODE for character in code)
