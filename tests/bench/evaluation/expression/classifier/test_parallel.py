"""Classifiers that are trained in several processes are those that one process trains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import BenchError, DataError
from bench.evaluation.expression.classifier.networks import SETTINGS
from bench.evaluation.expression.classifier.parallel import Lesson, Share, all_taught, taught
from bench.evaluation.expression.classifier.plan import ClassifierPlan

SIDE = SETTINGS["small"].side
TWO = Share(2, 1, "cpu")


class Deadly:
    """Ends the process that takes it up."""

    def __reduce__(self) -> tuple[Callable[[int], Any], tuple[int]]:
        return os._exit, (3,)


def lesson(fold: int) -> Lesson:
    rng = np.random.default_rng(fold)
    images = rng.integers(0, 255, (6, SIDE, SIDE, 3), np.uint8)
    targets = np.array([0, 1, 0, 1, 1, 0], np.int64)
    return Lesson(images, targets, 2, ClassifierPlan(epochs=1), fold, images[: 2 + fold])


@pytest.mark.parametrize(
    ("folds", "threads", "device", "expected"),
    [
        (30, 2, "cpu", Share(2, 1, "cpu")),
        (30, 1, "cpu", Share(1, 1, "cpu")),
        (3, 16, "cpu", Share(3, 5, "cpu")),
        (1, 16, "cpu", Share(1, 16, "cpu")),
        (0, 4, "cpu", Share(1, 4, "cpu")),
        (30, 8, "cuda:0", Share(1, 8, "cuda:0")),
        (30, 0, "cuda:0", Share(1, 0, "cuda:0")),
    ],
)
def test_processors_are_shared_out(folds: int, threads: int, device: str, expected: Share) -> None:
    assert Share.of(folds, threads=threads, device=device) == expected


def test_no_more_processes_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.evaluation.expression.classifier.parallel.cpu_threads", lambda threads: threads or 3)
    assert Share.of(30, threads=0, device="cpu") == Share(3, 1, "cpu")


def test_two_processes_give_what_one_gives_to_the_last_bit_and_in_order() -> None:
    lessons = [lesson(fold) for fold in range(3)]
    alone = list(all_taught(lessons, 3, Share(1, 1, "cpu")))
    together = list(all_taught(iter(lessons), 3, TWO))
    assert [len(chances) for chances in together] == [2, 3, 4]
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
    assert np.array_equal(alone[1], taught(lessons[1], TWO))


def test_one_lesson_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("joblib.Parallel", refuse)
    assert [len(chances) for chances in all_taught([lesson(0)], 1, TWO)] == [2]
    with pytest.raises(AssertionError, match="a process was started"):
        list(all_taught([lesson(0), lesson(1)], 2, TWO))


def test_what_a_process_finds_wrong_comes_back_as_it_is() -> None:
    alike = replace(lesson(1), targets=np.zeros(6, np.int64))
    with pytest.raises(DataError, match="one expression alone"):
        list(all_taught([lesson(0), alike], 2, TWO))


def test_a_process_that_dies_is_an_error_with_advice() -> None:
    with pytest.raises(BenchError, match="A process that trained a classifier died.*--threads 1"):
        list(all_taught([lesson(0), Deadly()], 2, TWO))  # type: ignore[list-item]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc: processes of a group cannot be told")
def test_processes_end_when_the_one_that_started_them_is_killed() -> None:
    script = (
        "import os, signal, numpy as np\n"
        "from bench.evaluation.expression.classifier.parallel import Lesson, Share, all_taught\n"
        "from bench.evaluation.expression.classifier.plan import ClassifierPlan\n"
        f"faces = np.zeros((2, {SIDE}, {SIDE}, 3), np.uint8)\n"
        "def lessons():\n"
        "    for fold, epochs in enumerate((1, 10**6, 10**6)):\n"
        "        yield Lesson(faces, np.array([0, 1]), 2, ClassifierPlan(epochs=epochs), fold, faces)\n"
        "for _ in all_taught(lessons(), 3, Share(2, 1, 'cpu')):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    started = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        assert started.wait(timeout=240) == -signal.SIGKILL
        deadline = time.monotonic() + 60
        while _alive(started.pid) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not _alive(started.pid)
    finally:
        if _alive(started.pid):
            os.killpg(started.pid, signal.SIGKILL)


def _alive(group: int) -> bool:
    """Whether a process of the group lives; one that is dead and not yet taken leave of does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == group and state not in "ZX":
            return True
    return False
