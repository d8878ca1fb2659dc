"""The next batch, loaded in a thread while a step is computed."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from hallucinators.training.steps.batch import Batch
    from hallucinators.training.steps.task import BatchSource


class Prefetcher:
    """Loads the batches of a source one step ahead, in a thread that ends with the context.

    Args:
        source: source of batches.
        step: the first step.
        last: no batch is loaded for this step or later ones.
    """

    def __init__(self, source: BatchSource, step: int, last: int) -> None:
        self._source, self._last = source, last
        self._pool = ThreadPoolExecutor(1, "batches")
        self._next: Future[Batch] = self._pool.submit(source.batch, step)

    def take(self, step: int) -> Batch:
        """The batch of a step; steps must be consecutive. Raises the errors of the source."""
        batch = self._next.result()
        if step + 1 < self._last:
            self._next = self._pool.submit(self._source.batch, step + 1)
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)
