"""What engines compute of images: pure functions over shards, of values that can be pickled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.faults import refuse_exit
from bench.pipeline.cache import open_cache
from bench.pipeline.embedder import ViewCallback, embedder_for
from bench.pipeline.plan import Embedded, EmbedPlan, ImageRequest
from bench.pipeline.views import Picture, View, picture_of
from bench.progress import Progress


@dataclass(frozen=True, slots=True)
class EmbedStage:
    """Embeds a shard, in whatever process; see `Embedder.embed`.

    Attributes:
        plan: how; the networks are built once in each process.
        cache: folder of the cache, or None.
    """

    plan: EmbedPlan
    cache: Path | None

    def __call__(
        self, shard: Sequence[ImageRequest], progress: Progress, on_view: ViewCallback | None = None
    ) -> Embedded:
        """Embed images, and keep the views and pictures that are requested.

        Args:
            shard: the images.
            progress: counts them.
            on_view: called with the place in the shard and the view of every image; None for none.
        """
        views: dict[int, View] = {}
        pictures: dict[int, Picture] = {}

        def keep(place: int, view: View) -> None:
            if shard[place].view:
                views[place] = view
            if shard[place].picture:
                pictures[place] = picture_of(shard[place].media.template, view)
            if on_view:
                on_view(place, view)

        viewed = {place for place, request in enumerate(shard) if on_view or request.view or request.picture}
        who = f"Aligner {self.plan.align} or recogniser {self.plan.recogniser}"
        with refuse_exit(who), open_cache(self.cache) as cache:
            media = [request.media for request in shard]
            embedded = embedder_for(self.plan).embed(media, cache, progress, viewed=viewed, on_view=keep)
        return replace(
            embedded,
            views=tuple(views[place] for place in sorted(views)),
            pictures=tuple(pictures[place] for place in sorted(pictures)),
        )
