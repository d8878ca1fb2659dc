"""The order of the questions and of the faces of each for a participant: balanced, and computed from the code alone."""

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
    """The orders shown to one participant.

    Attributes:
        questions: indices of the questions, in the order shown.
        places: for each question, in the order of the study, the method shown at each place.
    """

    questions: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]


def make_schedules(questions: int, methods: int, *, seed: int, least: int = LEAST_SCHEDULES) -> list[Schedule]:
    """Draw schedules, a multiple of ``methods`` of them.

    Questions are divided into blocks of as many as there are methods. Within a schedule each complete block is a Latin
    square: every method is once at every place. So the counts of a method at the places differ by one at most, where
    the last block is incomplete. In ``methods`` consecutive schedules, every question shows every method at every
    place exactly once. Rows, columns and blocks are drawn again for each such group, and the order of the questions
    for each schedule.

    Args:
        questions: at least 1.
        methods: at least 2.
        seed: equal seeds give equal schedules.
        least: minimum number of schedules.

    Raises:
        UsageError: a number is out of range.
    """
    if questions < 1 or methods < 2 or seed < 0 or least < 1:
        raise UsageError(f"{questions} questions on {methods} methods, seed {seed}: give 1, 2 and 0 or more.")
    schedules: list[Schedule] = []
    for group in range(-(-least // methods)):
        rng = np.random.default_rng((seed, group, 0x7573))
        shuffled = rng.permutation(questions)
        row = np.empty((questions, methods), np.int64)  # the order at the first schedule of the group
        for start in range(0, questions, methods):
            block = shuffled[start : start + methods]
            names, shifts = rng.permutation(methods), rng.permutation(methods)[: len(block)]
            row[block] = names[(shifts[:, None] + np.arange(methods)) % methods]
        for turn in range(methods):
            rotated = np.roll(row, -turn, axis=1)
            schedules.append(
                Schedule(
                    tuple(int(q) for q in rng.permutation(questions)),
                    tuple(tuple(int(m) for m in line) for line in rotated),
                )
            )
    return schedules


def schedule_of(code: str, schedules: int) -> int:
    """The schedule of a participant, by the code; the page computes the same.

    Codes that are numbers use the schedules in turn, so that participants 1, 2, 3... are balanced. Other codes are
    hashed (FNV-1a, 32 bits).

    Raises:
        UsageError: the code is empty, too long or of other characters.
    """
    if not is_code(code):
        raise UsageError(f"The code {code[:40]!r} is not of 1 to {LONGEST_CODE} letters, digits, - and _.")
    if len(code) <= 9 and code.isdigit():
        return int(code) % schedules
    digest = _OFFSET
    for character in code:
        digest = ((digest ^ ord(character)) * _PRIME) & _MASK
    return digest % schedules


def is_code(code: str) -> bool:
    """Whether a text is a valid code of a participant."""
    return 0 < len(code) <= LONGEST_CODE and all(character in CODE for character in code)
