"""What an engine is: it applies a stage to shards of items and gives the results in order.

A `Stage` is a pure function: its result depends on the stage and the shard alone, not on other shards, on their order
or on the process. Stages, items and results can be pickled. A stage that needs networks holds the plan that they are
built from (`bench.pipeline.plan.EmbedPlan`) and builds them at its first call in a process, where they stay
(`bench.pipeline.embedder.embedder_for`). So an actor of a cluster can take a stage in its constructor and shards in
its calls, which is what ``ray.data.Dataset.map_batches`` expects of a class.

An image that cannot be processed is part of a result, with a failed `bench.types.Outcome`, and becomes a row of the
ledger. What a stage raises ends the run, and an engine passes it on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from bench.config import RunConfig
from bench.engine.local import SHARD_SIZE, LocalEngine
from bench.progress import Progress

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Stage(Protocol[Item_contra, Result_co]):
    """A pure, picklable function over a shard."""

    def __call__(self, shard: Sequence[Item_contra], progress: Progress, /) -> Result_co:
        """Compute a shard.

        Args:
            shard: items, at least one.
            progress: counts the items that are done, those from a cache apart. In another process it is a
                `bench.progress.ProgressCount`, whose numbers the engine adds up where the run is watched.
        """


class Engine(Protocol):
    """Computes stages."""

    def map(
        self,
        stage: Stage[Item, Result],
        items: Iterable[Item],
        *,
        shard_size: int = SHARD_SIZE,
        processes: int = 1,
        threads: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Result]:
        """Apply a stage to all items.

        Args:
            stage: what is computed.
            items: taken as they are needed, perhaps by another thread.
            shard_size: items in a shard, except the last one; no figure depends on it.
            processes: how many shards this machine computes at once; another engine may compute more.
            threads: of each process where there are several; 0 leaves the choice to the libraries.
            progress: counts the items that are done.

        Yields:
            One result a shard, in the order of the items, as soon as it and those before it are there.

        Raises:
            BenchError: a process died; or whatever the stage raised.
        """


def engine_for(config: RunConfig) -> Engine:
    """The engine of a run. A configuration names none yet: every run is computed on this machine."""
    return LocalEngine()
