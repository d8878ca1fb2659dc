"""The engine of one machine: shards one after the other in this process, or several at once in processes of their own.

Embedding uses one process, whose networks use all cores by threads. Small networks that are trained gain little from
a second thread and use several processes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from threading import Thread
from typing import TypeVar

from bench.errors import BenchError
from bench.progress import Progress, ProgressCount

SHARD_SIZE = 256

Item = TypeVar("Item")
Result = TypeVar("Result")


class LocalEngine:
    """Computes on this machine; see `bench.engine.base.Engine`."""

    def map(
        self,
        stage: Callable[[Sequence[Item], Progress], Result],
        items: Iterable[Item],
        *,
        shard_size: int = SHARD_SIZE,
        processes: int = 1,
        threads: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Result]:
        """Apply a stage to all items; a single shard starts no process."""
        shards = split(items, shard_size)
        if processes > 1:
            first = list(islice(shards, 2))
            shards = chain(first, shards)
            processes = processes if len(first) == 2 else 1
        counted = ProgressCount() if progress is None else progress
        if processes < 2:
            yield from (stage(shard, counted) for shard in shards)
            return
        for result, done in _map_in_processes(stage, shards, processes, threads):
            done.add_to(counted)
            yield result


def split(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    """Shards of ``size`` items, in order; the last one may be shorter."""
    remaining = iter(items)
    while shard := tuple(islice(remaining, size)):
        yield shard


def compute_apart(
    stage: Callable[[Sequence[Item], Progress], Result], shard: Sequence[Item]
) -> tuple[Result, ProgressCount]:
    """The result of a shard in a process that nobody watches, and how many items were done."""
    count = ProgressCount()
    return stage(shard, count), count


def _map_in_processes(
    stage: Callable[[Sequence[Item], Progress], Result], shards: Iterable[Sequence[Item]], processes: int, threads: int
) -> Iterator[tuple[Result, ProgressCount]]:
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with parallel_config("loky", n_jobs=processes, inner_max_num_threads=threads or None):
        parallel = Parallel(return_as="generator", max_nbytes=None)  # torch wants arrays that it may write to
        try:
            yield from parallel(delayed(_compute_in_child)(stage, shard, os.getpid()) for shard in shards)
        except TerminatedWorkerError as error:
            raise BenchError(
                f"A worker process died, perhaps for want of memory. {processes} ran at once; --threads 1 runs one. "
                "Results that were finished are kept in the cache."
            ) from error


def _compute_in_child(
    stage: Callable[[Sequence[Item], Progress], Result], shard: Sequence[Item], parent: int
) -> tuple[Result, ProgressCount]:
    _exit_with(parent)
    return compute_apart(stage, shard)


@cache
def _exit_with(parent: int) -> None:
    """End this process when its parent is gone: a parent that is killed cannot tell it to, and it would wait."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
