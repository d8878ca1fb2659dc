"""One image between the stages, the time of the stages, and small functions between them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from bench.errors import DataError
from bench.interfaces import ByteImages, FloatImages
from bench.media.similarity import resized_points
from bench.pipeline.plan import ABSENT
from bench.pipeline.reader import Source, read_source
from bench.types import OK, Media, Outcome, Points


@dataclass
class Item:
    """One image and its state between the stages."""

    media: Media
    source: Source | None = None
    outcome: Outcome = OK
    image: ByteImages | None = None
    lr_shape: tuple[int, ...] = ()
    vector: FloatImages | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, or `ABSENT`."""
        return self.source.digest if self.source else ABSENT

    @property
    def failed(self) -> bool:
        """Whether a stage failed on it."""
        return self.outcome.status == "failed"

    def read(self) -> None:
        """Read the file; where that is impossible the image has failed."""
        try:
            self.source = read_source(self.media)
        except DataError as error:
            self.fail("decode", str(error))

    def fail(self, stage: str, reason: str) -> None:
        """Mark the image as failed."""
        self.outcome = Outcome("failed", stage, reason)
        self.image = None


@dataclass
class Clock:
    """Seconds spent in each stage, and how many images passed it."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @contextmanager
    def __call__(self, stage: str, images: int) -> Iterator[None]:
        """Time a block."""
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start
        self.counts[stage] += images


def resized_landmarks(points: Points | None, before: tuple[int, ...], after: tuple[int, ...]) -> Points | None:
    """Landmarks of the native image in the pixels of the hallucinated one; the same where the sizes are equal."""
    return points if points is None or before[:2] == after[:2] else resized_points(points, before, after)


def unit(vectors: FloatImages) -> FloatImages:
    """Rows scaled to length 1: float32 (N, D)."""
    scaled_rows: FloatImages = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled_rows
