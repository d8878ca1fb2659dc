"""The engine of one machine gives results in order, whether one process computes them or several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from bench.engine.local import LocalEngine
from bench.errors import BenchError, DataError
from bench.progress import Progress, StageProgress


@dataclass(frozen=True)
class SquareStage:
    """Squares numbers and says in which process; the number 4 cost no work, and there is no square of -1."""

    def __call__(self, shard: Sequence[int], progress: Progress) -> tuple[list[int], int]:
        if -1 in shard:
            raise DataError("no square of -1")
        for number in shard:
            progress.reuse(1) if number == 4 else progress(1)
        return [number**2 for number in shard], os.getpid()


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[Callable[[int], Any], tuple[int]]:
        return os._exit, (3,)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("shard_size", [1, 3, 100])
def test_results_come_in_order_and_progress_counts_every_item(processes: int, shard_size: int) -> None:
    progress = StageProgress("square", 7)
    results = list(
        LocalEngine().map(
            SquareStage(), iter(range(7)), shard_size=shard_size, processes=processes, threads=1, progress=progress
        )
    )
    assert [square for squares, _ in results for square in squares] == [0, 1, 4, 9, 16, 25, 36]
    assert len(results) == -(-7 // shard_size)
    assert (progress.done, progress.reused) == (7, 1)
    pids = {pid for _, pid in results}
    assert (os.getpid() in pids) == (processes == 1 or shard_size == 100)


def test_no_item_gives_no_result() -> None:
    assert list(LocalEngine().map(SquareStage(), [], processes=2)) == []


def test_a_single_shard_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("joblib.Parallel", refuse)
    assert [squares for squares, _ in LocalEngine().map(SquareStage(), [3], processes=2)] == [[9]]
    with pytest.raises(AssertionError, match="a process was started"):
        list(LocalEngine().map(SquareStage(), [3, 3], shard_size=1, processes=2, threads=1))


def test_items_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(4):
            taken.append(number)
            yield number

    results = LocalEngine().map(SquareStage(), numbers(), shard_size=1)
    next(results)
    assert taken == [0]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_the_stage_is_passed_on(processes: int) -> None:
    with pytest.raises(DataError, match="no square"):
        list(LocalEngine().map(SquareStage(), [1, -1], shard_size=1, processes=processes, threads=1))


def test_a_process_that_dies_is_an_error_with_advice() -> None:
    with pytest.raises(BenchError, match="A worker process died.*--threads 1"):
        list(LocalEngine().map(SquareStage(), [1, Deadly()], shard_size=1, processes=2, threads=1))  # type: ignore[list-item]
