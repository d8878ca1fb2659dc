"""Classifiers that are trained in several processes are those that one process trains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.engine.local import LocalEngine
from bench.errors import DataError
from bench.evaluation.expression.classifier.networks import SETTINGS
from bench.evaluation.expression.classifier.parallel import Division, Training, TrainStage, train_and_classify
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.images import FloatImages

SIDE = SETTINGS["small"].side
TWO = Division(2, 1, "cpu")


def training(fold: int) -> Training:
    rng = np.random.default_rng(fold)
    images = rng.integers(0, 255, (6, SIDE, SIDE, 3), np.uint8)
    targets = np.array([0, 1, 0, 1, 1, 0], np.int64)
    return Training(images, targets, 2, ClassifierPlan(epochs=1), fold, images[: 2 + fold])


@pytest.mark.parametrize(
    ("folds", "threads", "device", "expected"),
    [
        (30, 2, "cpu", Division(2, 1, "cpu")),
        (30, 1, "cpu", Division(1, 1, "cpu")),
        (3, 16, "cpu", Division(3, 5, "cpu")),
        (1, 16, "cpu", Division(1, 16, "cpu")),
        (0, 4, "cpu", Division(1, 4, "cpu")),
        (30, 8, "cuda:0", Division(1, 8, "cuda:0")),
        (30, 0, "cuda:0", Division(1, 0, "cuda:0")),
    ],
)
def test_cores_are_divided_among_folds(folds: int, threads: int, device: str, expected: Division) -> None:
    assert Division.among(folds, threads=threads, device=device) == expected


def test_no_more_processes_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.evaluation.expression.classifier.parallel.cpu_threads", lambda threads: threads or 3)
    assert Division.among(30, threads=0, device="cpu") == Division(3, 1, "cpu")


def results(trainings: Iterable[Training], division: Division) -> list[FloatImages]:
    shards = LocalEngine().map(
        TrainStage(division), trainings, shard_size=1, processes=division.processes, threads=division.threads
    )
    return [probabilities for [probabilities] in shards]


def test_two_processes_give_the_same_bits_as_one_in_the_same_order() -> None:
    trainings = [training(fold) for fold in range(3)]
    alone = results(trainings, Division(1, 1, "cpu"))
    together = results(iter(trainings), TWO)
    assert [len(probabilities) for probabilities in together] == [2, 3, 4]
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
    assert np.array_equal(alone[1], train_and_classify(trainings[1], TWO))


def test_an_error_in_a_process_is_raised_unchanged() -> None:
    alike = replace(training(1), targets=np.zeros(6, np.int64))
    with pytest.raises(DataError, match="show the same expression"):
        results([training(0), alike], TWO)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc: processes of a group cannot be counted")
def test_processes_end_when_the_one_that_started_them_is_killed() -> None:
    script = (
        "import os, signal, numpy as np\n"
        "from bench.evaluation.expression.classifier.parallel import Division, Training, TrainStage\n"
        "from bench.engine.local import LocalEngine\n"
        "from bench.evaluation.expression.classifier.plan import ClassifierPlan\n"
        f"faces = np.zeros((2, {SIDE}, {SIDE}, 3), np.uint8)\n"
        "def trainings():\n"
        "    for fold, epochs in enumerate((1, 10**6, 10**6)):\n"
        "        yield Training(faces, np.array([0, 1]), 2, ClassifierPlan(epochs=epochs), fold, faces)\n"
        "stage = TrainStage(Division(2, 1, 'cpu'))\n"
        "for _ in LocalEngine().map(stage, trainings(), shard_size=1, processes=2, threads=1):\n"
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
            state, _, process_group = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(process_group) == group and state not in "ZX":
            return True
    return False
