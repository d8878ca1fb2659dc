"""The faces of an expression run, each processed once: LR, hallucinated and true faces at the classifier's size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.engine.local import SHARD_SIZE
from bench.errors import DataError
from bench.evaluation.contract import Prepared, RunImages, request_images
from bench.images import ByteImages, resize
from bench.pipeline.cache import open_cache
from bench.pipeline.embedder import embedder_for
from bench.pipeline.items import Item
from bench.pipeline.plan import Embedded, EmbedPlan, ImageRequest, join_embedded
from bench.pipeline.reader import open_sources
from bench.pipeline.views import Picture, View, picture_of
from bench.progress import Progress, StageProgress
from bench.types import Media, Outcome


@dataclass(frozen=True)
class Faces:
    """N faces of one source.

    Attributes:
        images: RGB uint8 (N, S, S, 3); black where a face failed.
        usable: bool (N,), False where a face failed.
    """

    images: ByteImages
    usable: NDArray[np.bool_]

    def same_as(self, other: Faces) -> bool:
        """Whether all faces are equal, so that one classifier is enough for both."""
        return bool(np.array_equal(self.usable, other.usable) and np.array_equal(self.images, other.images))


@dataclass(frozen=True, slots=True)
class HallucinateStage:
    """Hallucinates a shard of LR faces.

    Attributes:
        plan: of the probes; only its chain is used.
        cache: folder of the cache, or None.
        side: of the classifier's faces in pixels.
    """

    plan: EmbedPlan
    cache: Path | None
    side: int

    def __call__(self, shard: Sequence[ImageRequest], progress: Progress) -> tuple[Faces, Faces, Embedded]:
        """LR faces and hallucinated faces, both by bicubic interpolation at the classifier's size, and outcomes."""
        lr, hallucinated = _empty_faces(len(shard), self.side), _empty_faces(len(shard), self.side)
        outcomes: list[Outcome] = []
        digests: list[str] = []
        views: list[View] = []
        pictures: list[Picture] = []
        with open_cache(self.cache) as cache:
            embedder = embedder_for(self.plan)
            views_of_shard = embedder.views([request.media for request in shard], cache, progress)
            for index, (request, (view, digest)) in enumerate(zip(shard, views_of_shard, strict=True)):
                _store(lr, index, view.lr)
                _store(hallucinated, index, view.out if view.outcome.status != "failed" else None)
                outcomes.append(view.outcome)
                digests.append(digest)
                if request.view:
                    views.append(view)
                if request.picture:
                    pictures.append(picture_of(request.media.template, view))
        return lr, hallucinated, _not_embedded(outcomes, digests, views, pictures)


@dataclass(frozen=True, slots=True)
class OpenStage:
    """Opens a shard of HR faces; ``side`` is that of the classifier's faces in pixels."""

    side: int

    def __call__(self, shard: Sequence[Media], progress: Progress) -> tuple[Faces, Embedded]:
        """The faces at the classifier's size, and outcomes."""
        faces = _empty_faces(len(shard), self.side)
        items = [Item(media) for media in shard]
        for index, item in enumerate(items):
            item.read()
            if item.source is not None:
                image = open_sources([item.source], None)[0]
                if isinstance(image, DataError):
                    item.fail("decode", str(image))
                else:
                    _store(faces, index, image)
            progress(1)
        return faces, _not_embedded([item.outcome for item in items], [item.digest for item in items])


def hallucinate_faces(
    run: Prepared, media: Sequence[Media], side: int, images: RunImages, progress: StageProgress
) -> tuple[Faces, Faces, Embedded]:
    """LR faces, hallucinated faces, and the outcome of each; nothing is embedded.

    Args:
        run: the run whose probes are the faces.
        media: LR faces.
        side: of the classifier's faces in pixels.
        images: receives the images that are selected.
        progress: counts the faces.
    """
    started = time.perf_counter()
    stage = HallucinateStage(run.probe_plan, run.cache, side)
    lr, hallucinated, parts = [_empty_faces(0, side)], [_empty_faces(0, side)], []
    for low, high, part in run.engine.map(
        stage, request_images(run, "probe"), shard_size=SHARD_SIZE, progress=progress
    ):
        lr.append(low)
        hallucinated.append(high)
        parts.append(images.take("probe", part))
    whole = _with_time(join_embedded(parts, 0), "hallucinate", started, len(media))
    return _join(lr), _join(hallucinated), whole


def open_faces(run: Prepared, media: Sequence[Media], side: int, progress: StageProgress) -> tuple[Faces, Embedded]:
    """HR faces at the classifier's size, and the outcome of each; an HR face of several LR faces is opened once."""
    started = time.perf_counter()
    index_of: dict[object, int] = {}
    distinct: list[Media] = []
    for item in media:
        if (item.path, item.cut) not in index_of:
            index_of[item.path, item.cut] = len(distinct)
            distinct.append(item)
    progress.reuse(len(media) - len(distinct))
    faces, parts = [_empty_faces(0, side)], []
    for opened, part in run.engine.map(OpenStage(side), distinct, shard_size=SHARD_SIZE, progress=progress):
        faces.append(opened)
        parts.append(part)
    joined, whole = _join(faces), join_embedded(parts, 0)
    rows = [index_of[item.path, item.cut] for item in media]
    repeated = _not_embedded([whole.outcomes[row] for row in rows], [whole.file_digests[row] for row in rows])
    return Faces(joined.images[rows], joined.usable[rows]), _with_time(repeated, "decode", started, len(media))


def _empty_faces(count: int, side: int) -> Faces:
    return Faces(np.zeros((count, side, side, 3), np.uint8), np.zeros(count, bool))


def _store(faces: Faces, index: int, image: ByteImages | None) -> None:
    if image is not None:
        side = faces.images.shape[1]
        faces.images[index] = resize(image, side, side)
        faces.usable[index] = True


def _join(parts: Sequence[Faces]) -> Faces:
    return Faces(np.concatenate([part.images for part in parts]), np.concatenate([part.usable for part in parts]))


def _not_embedded(
    outcomes: Sequence[Outcome],
    digests: Sequence[str],
    views: Sequence[View] = (),
    pictures: Sequence[Picture] = (),
) -> Embedded:
    """Outcomes and digests for the ledger and the record, with vectors of width 0."""
    vectors = np.empty((len(outcomes), 0), np.float32)
    return Embedded(vectors, tuple(outcomes), tuple(digests), {}, {}, tuple(views), tuple(pictures))


def _with_time(whole: Embedded, stage: str, started: float, count: int) -> Embedded:
    return replace(whole, seconds={stage: time.perf_counter() - started}, counts={stage: count})
