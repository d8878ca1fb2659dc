"""The stage every image passes: read, decode, cut out, hallucinate, align, embed. A pure function over a shard.

`embed_shard` takes and returns plain picklable values, so it runs alike in this process, in a worker or on a cluster.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from bench.cache import Cache, CachedEmbedding
from bench.chain import Chain
from bench.closure import closure, modules_digest, refuse_changed_sources
from bench.components import Built, build
from bench.errors import ContractError, DataError
from bench.file_digests import path_digest, refuse_changed
from bench.images import decode, encode_png
from bench.interfaces import ALIGNERS, RECOGNISERS, Aligner, ByteImages, FloatImages, Recogniser
from bench.opening import Source, cut_words, open_media, open_sources, read_source
from bench.plan import ABSENT, Embedded, EmbedPlan
from bench.plugins import load_plugins
from bench.provenance import digest_of
from bench.types import OK, Media, Outcome, Points

__all__ = ["Embedder", "embed_shard", "embedder_for", "open_media"]


@dataclass
class _Item:
    """One image on its way."""

    media: Media
    source: Source | None = None
    outcome: Outcome = OK
    image: ByteImages | None = None
    lr_shape: tuple[int, ...] = ()
    vector: FloatImages | None = None

    @property
    def digest(self) -> str:
        return self.source.digest if self.source else ABSENT

    def read(self) -> None:
        try:
            self.source = read_source(self.media)
        except DataError as error:
            self.fail("decode", str(error))

    def fail(self, stage: str, reason: str) -> None:
        self.outcome = Outcome("failed", stage, reason)
        self.image = None


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @contextmanager
    def __call__(self, stage: str, images: int) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start
        self.counts[stage] += images


class Embedder:
    """The built stages of a plan.

    Attributes:
        chain: the built chain, or None.
        aligner: the built aligner.
        recogniser: the built recogniser.
        fingerprint: identifies what it computes; part of every cache key.
        configuration: SHA-256 over what it was asked to be, its code apart.
        code: digests of the modules that decide what it computes, by name.
    """

    def __init__(
        self,
        chain: Chain | None,
        aligner: Built[Aligner],
        recogniser: Built[Recogniser],
        *,
        flip: Literal["none", "sum", "mean"] = "none",
        batch_size: int = 64,
    ) -> None:
        self.chain = chain
        self.aligner = aligner
        self.recogniser = recogniser
        self._flip = flip
        self._batch_size = batch_size
        # a chain that changes nothing shares its results with the side that has none
        self._active = chain if chain and not chain.passthrough else None
        core = closure(__name__)
        chained = self._active
        self._image_fingerprint = digest_of([modules_digest(core), chained.fingerprint if chained else None])
        self.fingerprint = digest_of([self._image_fingerprint, aligner.fingerprint, recogniser.fingerprint, flip])
        self.configuration = digest_of(
            [chained.configuration if chained else None, aligner.configuration, recogniser.configuration, flip]
        )
        self.code = {**core, **(chained.code if chained else {}), **aligner.code, **recogniser.code}
        self._files = (*(chained.files if chained else ()), *aligner.files, *recogniser.files)

    @classmethod
    def from_plan(cls, plan: EmbedPlan) -> Embedder:
        """Build the components of a plan; see `bench.components.build` for what is raised."""
        load_plugins()
        defaults = {"device": plan.device, "threads": plan.threads}
        return cls(
            Chain.parse(plan.chain, defaults) if plan.chain else None,
            build(ALIGNERS, plan.align, defaults),
            build(RECOGNISERS, plan.recogniser, defaults),
            flip=plan.flip,
            batch_size=plan.batch_size,
        )

    def embed(self, media: Sequence[Media], cache: Cache | None) -> Embedded:
        """Embed media; every one ends with an outcome, none is dropped.

        Raises:
            ContractError: a component broke its contract.
            BenchError: the cache cannot be written.
        """
        clock = _Clock()
        items = [_Item(m) for m in media]
        with clock("read", len(items)):
            for item in items:
                item.read()
        keys = {
            id(item): digest_of([item.digest, item.media.landmarks, cut_words(item.media), self.fingerprint])
            for item in items
        }
        known = cache.embeddings(sorted(set(keys.values()))) if cache else {}
        fresh = []
        for item in items:
            hit = known.get(keys[id(item)])
            if hit and item.outcome.status != "failed":
                item.vector, item.outcome = hit.vector, hit.outcome
            elif item.outcome.status != "failed":
                fresh.append(item)
        self._decode(fresh, cache, clock)
        self._hallucinate(fresh, cache, clock)
        self._align_and_embed(fresh, clock)
        self.refuse_changed()
        if cache:
            done = [item for item in fresh if item.vector is not None]
            cache.put_embeddings({keys[id(i)]: CachedEmbedding(i.vector, i.outcome) for i in done})  # type: ignore[arg-type]  # not None: just filtered
        return self._collect(items, clock)

    def refuse_changed(self) -> None:
        """Raise ChangedError where a file or source is not the one any more whose digest is in the keys."""
        refuse_changed(self._files)
        refuse_changed_sources()

    @property
    def outdated(self) -> bool:
        """Whether a file that a component was built from is another one now."""
        return any(path_digest(file.path) != file.sha256 for file in self._files)

    def views(self, media: Sequence[Media], cache: Cache | None) -> list[tuple[ByteImages | None, ByteImages | None]]:
        """For each media the decoded image and what the chain makes of it; None where a stage failed."""
        return [(lr, out) for lr, out, _ in self.made(media, cache)]

    def made(
        self, media: Sequence[Media], cache: Cache | None
    ) -> list[tuple[ByteImages | None, ByteImages | None, Outcome]]:
        """For each media the decoded image, what the chain makes of it, and how it fared; None where a stage failed."""
        clock = _Clock()
        items = [_Item(m) for m in media]
        for item in items:
            item.read()
        self._decode([item for item in items if item.outcome.status != "failed"], cache, clock)
        originals = [item.image for item in items]
        self._hallucinate(items, cache, clock)
        return [(original, item.image, item.outcome) for original, item in zip(originals, items, strict=True)]

    def points_after(self, media: Media, before: ByteImages, after: ByteImages) -> Points | None:
        """The landmarks of a media in the pixels of what the chain made of it, as the aligner is given them.

        Args:
            media: with its landmarks, or None for none.
            before: the decoded image.
            after: the chain's output, or the image itself.
        """
        return _scaled(media.landmarks, before.shape, after.shape)

    def _decode(self, items: Sequence[_Item], cache: Cache | None, clock: _Clock) -> None:
        with clock("decode", len(items)):
            opened = open_sources([item.source for item in items if item.source], cache)
        for item, image in zip(items, opened, strict=True):
            if isinstance(image, DataError):
                item.fail("decode", str(image))
            else:
                item.image, item.lr_shape = image, image.shape

    def _hallucinate(self, items: Sequence[_Item], cache: Cache | None, clock: _Clock) -> None:
        alive = [item for item in items if item.image is not None]
        if not self._active or not alive:
            return
        keys = {id(item): digest_of([item.digest, cut_words(item.media), self._image_fingerprint]) for item in alive}
        known = cache.images(sorted(set(keys.values()))) if cache else {}
        fresh = []
        for item in alive:
            hit = known.get(keys[id(item)])
            if hit:
                item.image, item.outcome = decode(hit[0]), hit[1]
            else:
                fresh.append(item)
        with clock("hallucinate", len(fresh)):
            images, outcomes = self._active.hallucinate(
                [item.image for item in fresh if item.image is not None], batch_size=self._batch_size
            )
        self.refuse_changed()
        for item, image, outcome in zip(fresh, images, outcomes, strict=True):
            item.image, item.outcome = image, outcome
        if cache:
            entries = {keys[id(i)]: (encode_png(i.image), i.outcome) for i in fresh if i.image is not None}
            cache.put_images(entries)

    def _align_and_embed(self, items: Sequence[_Item], clock: _Clock) -> None:
        alive = [item for item in items if item.image is not None]
        for start in range(0, len(alive), self._batch_size):
            batch = alive[start : start + self._batch_size]
            with clock("align", len(batch)):
                chips = self._align(batch)
            with clock("embed", len(batch)):
                vectors = self._vectors(chips)
            for item, vector in zip(batch, vectors, strict=True):
                if _is_finite(vector):
                    item.vector = vector
                else:
                    item.fail("embed", "embedding not finite")

    def _align(self, batch: Sequence[_Item]) -> ByteImages:
        face = self.recogniser.component.face
        images = [item.image for item in batch if item.image is not None]
        landmarks = [_scaled(i.media.landmarks, i.lr_shape, im.shape) for i, im in zip(batch, images, strict=True)]
        chips, outcomes = self.aligner.component.align(images, landmarks, face)
        expected = (len(batch), face.height, face.width, 3)
        if chips.shape != expected or chips.dtype.name != "uint8" or len(outcomes) != len(batch):
            raise ContractError(
                f"Aligner {self.aligner.spec} returned {chips.dtype} {chips.shape} and {len(outcomes)} outcomes; its "
                f"contract says uint8 {expected} and {len(batch)}"
            )
        for item, outcome in zip(batch, outcomes, strict=True):
            if outcome.status != "ok" and item.outcome.status == "ok":
                item.outcome = outcome
        return chips

    def _vectors(self, chips: ByteImages) -> FloatImages:
        vectors = self._checked(chips)
        if self._flip == "none":
            return vectors
        mirrored = self._checked(np.ascontiguousarray(chips[:, :, ::-1]))
        if self._flip == "mean":
            return _unit(vectors) + _unit(mirrored)
        total: FloatImages = vectors + mirrored
        return total

    def _checked(self, chips: ByteImages) -> FloatImages:
        recogniser = self.recogniser.component
        vectors = recogniser.embed(chips)
        expected = (len(chips), recogniser.embedding_size)
        if vectors.shape != expected or vectors.dtype.name != "float32":
            raise ContractError(
                f"Recogniser {self.recogniser.spec} returned {vectors.dtype} {vectors.shape}; its contract says "
                f"float32 {expected}"
            )
        return vectors

    def _collect(self, items: Sequence[_Item], clock: _Clock) -> Embedded:
        vectors = np.full((len(items), self.recogniser.component.embedding_size), np.nan, np.float32)
        for row, item in enumerate(items):
            if item.vector is not None:
                vectors[row] = item.vector
        return Embedded(
            vectors,
            tuple(item.outcome for item in items),
            tuple(item.digest for item in items),
            dict(clock.seconds),
            dict(clock.counts),
        )


def embed_shard(plan: EmbedPlan, media: Sequence[Media], cache_folder: Path | None) -> Embedded:
    """Embed one shard; what an engine calls, in whatever process. See `Embedder.embed`."""
    embedder = embedder_for(plan)
    if cache_folder is None:
        return embedder.embed(media, None)
    with Cache(cache_folder) as cache:
        return embedder.embed(media, cache)


@lru_cache(maxsize=8)
def embedder_for(plan: EmbedPlan) -> Embedder:
    """The embedder of a plan, built once in each process."""
    return Embedder.from_plan(plan)


def renewed_embedder(plan: EmbedPlan) -> Embedder:
    """Like `embedder_for`, built anew where a file that it was built from has changed: for the beginning of a run."""
    if embedder_for(plan).outdated:
        embedder_for.cache_clear()
    return embedder_for(plan)


def _scaled(points: Points | None, before: tuple[int, ...], after: tuple[int, ...]) -> Points | None:
    """Landmarks of the native image in the pixels of the hallucinated one; origin at the first pixel's centre."""
    if points is None or before[:2] == after[:2]:
        return points
    sy, sx = after[0] / before[0], after[1] / before[1]
    return tuple(((x + 0.5) * sx - 0.5, (y + 0.5) * sy - 0.5) for x, y in points)


def _unit(vectors: FloatImages) -> FloatImages:
    unit: FloatImages = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _is_finite(vector: FloatImages) -> np.bool_:
    return np.isfinite(vector).all()
