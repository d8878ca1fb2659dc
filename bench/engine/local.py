"""Shards of media, one after the other, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.faults import kept_running
from bench.pipeline.embedder import embed_shard, embedder_for
from bench.pipeline.plan import Embedded, EmbedPlan
from bench.progress import Tally
from bench.types import Media

SHARD_SIZE = 256


def embed_all(
    plan: EmbedPlan,
    media: Sequence[Media],
    cache_folder: Path | None,
    progress: Tally | None = None,
    shard_size: int = SHARD_SIZE,
) -> Embedded:
    """Embed any number of media, shard by shard; finished shards are in the cache if the run dies.

    Args:
        plan: how.
        media: what; may be empty.
        cache_folder: folder of the cache, or None for none.
        progress: counts the media that are done.
        shard_size: media per shard; never changes a figure.

    Returns:
        One result for all media, in their order.
    """
    parts = []
    for start in range(0, len(media), shard_size):
        shard = media[start : start + shard_size]
        with kept_running(f"Aligner {plan.align} or recogniser {plan.recogniser}"):
            parts.append(embed_shard(plan, shard, cache_folder, progress))
    return join(parts, embedder_for(plan).recogniser.component.embedding_size)


def join(parts: Sequence[Embedded], embedding_size: int) -> Embedded:
    """Put the results of shards together, in the order given."""
    seconds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for part in parts:
        for stage, spent in part.seconds.items():
            seconds[stage] += spent  # type: ignore[assignment]  # Counter adds floats as well as it adds ints
        counts.update(part.counts)
    empty = np.empty((0, embedding_size), np.float32)
    return Embedded(
        np.concatenate([empty, *(part.vectors for part in parts)]),
        tuple(outcome for part in parts for outcome in part.outcomes),
        tuple(digest for part in parts for digest in part.file_digests),
        dict(seconds),
        dict(counts),
    )
