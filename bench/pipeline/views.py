"""Images before and after a chain, with those that the cache holds already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.interfaces import ByteImages
from bench.pipeline.cache import Cache
from bench.pipeline.embedder import embedder_for
from bench.pipeline.plan import EmbedPlan
from bench.types import Media


def views(
    plan: EmbedPlan, media: Sequence[Media], cache: Path | None
) -> list[tuple[ByteImages | None, ByteImages | None]]:
    """For each media the decoded image and what the chain makes of it; None where a stage failed."""
    embedder = embedder_for(plan)
    if cache is None:
        return embedder.views(media, None)
    with Cache(cache) as store:
        return embedder.views(media, store)
