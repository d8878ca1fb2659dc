"""What goes into the embedding of a shard of images and what comes out: plain values that can be pickled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bench.devices import cpu_threads
from bench.images import FloatImages
from bench.pipeline.views import Picture, View
from bench.registry import Spec
from bench.types import Media, Outcome

PlanSide = Literal["probe", "gallery"]
SIDES: tuple[PlanSide, ...] = ("probe", "gallery")
"""The sides of a comparison, of which each has a plan; distractors are on the side of the gallery."""
_CPU_BATCH = 4  # larger batches are hardly faster
ABSENT = "absent"
"""Stands for the digest of a file that is not there."""


@dataclass(frozen=True, slots=True)
class EmbedPlan:
    """How one side of a comparison becomes embeddings; picklable and hashable.

    Attributes:
        chain: the hallucinator chain, or None when this side is left as it is.
        align: the aligner.
        recogniser: the recogniser.
        flip: fusion with the mirror image, see `EvalProtocol.flip`.
        batch_size: most images per network call; a CPU takes fewer, see `effective_batch_size`.
        device: passed to components that take a ``device`` and were given none.
        threads: likewise.
    """

    chain: str | None
    align: Spec
    recogniser: Spec
    flip: Literal["none", "sum", "mean"] = "none"
    batch_size: int = 64
    device: str = "cpu"
    threads: int = 0

    @property
    def effective_batch_size(self) -> int:
        """Images per network call: few on a CPU, which is as fast with them, so that progress is seen."""
        if not self.device.startswith("cpu"):
            return self.batch_size
        return min(self.batch_size, max(_CPU_BATCH, cpu_threads(self.threads)))


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image to embed, and what else is to come back of it.

    Attributes:
        media: the image.
        view: whether its `View` comes back.
        picture: whether its `Picture` comes back.
    """

    media: Media
    view: bool = False
    picture: bool = False


@dataclass(frozen=True)
class Embedded:
    """The embeddings of N images, in their order.

    Attributes:
        vectors: float32 (N, D), not normalised; a row of NaN where the outcome is failed.
        outcomes: one an image.
        file_digests: SHA-256 of each file in hexadecimal, or ``absent``.
        seconds: time spent, by stage; images from the cache cost none.
        counts: images that passed, by stage.
        views: of the images whose view was requested, in their order.
        pictures: of the images whose picture was requested, in their order.
        errors: of each component that was called its last error where it raised on every image, else an empty text.
    """

    vectors: FloatImages
    outcomes: tuple[Outcome, ...]
    file_digests: tuple[str, ...]
    seconds: Mapping[str, float]
    counts: Mapping[str, int]
    views: tuple[View, ...] = ()
    pictures: tuple[Picture, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)


def join_embedded(parts: Sequence[Embedded], embedding_size: int) -> Embedded:
    """Join the results of shards, in the order given; no part gives an empty result."""
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
        tuple(view for part in parts for view in part.views),
        tuple(picture for part in parts for picture in part.pictures),
    )
