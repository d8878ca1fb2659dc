"""The stage every image passes: read, decode, cut out, hallucinate, align, embed. A pure function over a shard.

`embed_shard` takes and returns plain picklable values, so it runs alike in this process, in a worker or on a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from bench.digests.closure import closure, modules_digest, refuse_changed_sources
from bench.errors import DataError
from bench.images import decode, encode_png
from bench.interfaces import ALIGNERS, RECOGNISERS, Aligner, ByteImages, FloatImages, Recogniser
from bench.io.file_digests import digest_of, path_digest, refuse_changed
from bench.pipeline.build import Built, build
from bench.pipeline.cache import Cache, CachedEmbedding
from bench.pipeline.chain import Chain
from bench.pipeline.contracts import Attempts, Raised, check_array, checked_chips
from bench.pipeline.items import Clock, Item, is_finite, resized_landmarks, unit
from bench.pipeline.plan import Embedded, EmbedPlan
from bench.pipeline.reader import cut_words, open_media, open_sources
from bench.progress import Advance, Tally
from bench.registry import load_plugins
from bench.types import Media, Outcome, Points

__all__ = ["Embedder", "embed_shard", "embedder_for", "open_media"]


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
        self._aligning = Attempts(f"Aligner {aligner.spec}", self._align)
        self._embedding = Attempts(f"Recogniser {recogniser.spec}", self._vectors)
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
        """Build the components of a plan; see `bench.pipeline.build.build` for what is raised."""
        load_plugins()
        defaults = {"device": plan.device, "threads": plan.threads}
        return cls(
            Chain.parse(plan.chain, defaults) if plan.chain else None,
            build(ALIGNERS, plan.align, defaults),
            build(RECOGNISERS, plan.recogniser, defaults),
            flip=plan.flip,
            batch_size=plan.at_once,
        )

    def embed(self, media: Sequence[Media], cache: Cache | None, progress: Tally | None = None) -> Embedded:
        """Embed media; every one ends with an outcome, none is dropped.

        Args:
            media: what is embedded.
            cache: what was made before is taken from it, and what is made is put into it; or None.
            progress: counts the media that are done.

        Raises:
            ContractError: a component broke its contract.
            BenchError: the cache cannot be written.
        """
        clock = Clock()
        items = [Item(m) for m in media]
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
        if progress:
            progress.reuse(len(items) - len(fresh))
        for batch in self._batches(fresh):
            self._decode(batch, cache, clock)
            self._hallucinate(batch, cache, clock)
            self._align_and_embed(batch, clock)
            self.refuse_changed()
            if cache:
                entries = {keys[id(i)]: CachedEmbedding(i.vector, i.outcome) for i in batch if i.vector is not None}
                cache.put_embeddings(entries)
            if progress:
                progress(len(batch))
        self._aligning.refuse_broken()
        self._embedding.refuse_broken()
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
        self, media: Sequence[Media], cache: Cache | None, progress: Advance | None = None
    ) -> list[tuple[ByteImages | None, ByteImages | None, Outcome]]:
        """For each media the decoded image, what the chain makes of it, and how it fared; None where a stage failed.

        Args:
            media: what is made.
            cache: as in `embed`.
            progress: is told how many were just done.
        """
        clock = Clock()
        items = [Item(m) for m in media]
        originals: list[ByteImages | None] = []
        for batch in self._batches(items):
            for item in batch:
                item.read()
            self._decode([item for item in batch if item.outcome.status != "failed"], cache, clock)
            originals += [item.image for item in batch]
            self._hallucinate(batch, cache, clock)
            if progress:
                progress(len(batch))
        return [(original, item.image, item.outcome) for original, item in zip(originals, items, strict=True)]

    def points_after(self, media: Media, before: ByteImages, after: ByteImages) -> Points | None:
        """The landmarks of a media in the pixels of what the chain made of it, as the aligner is given them.

        Args:
            media: with its landmarks, or None for none.
            before: the decoded image.
            after: the chain's output, or the image itself.
        """
        return resized_landmarks(media.landmarks, before.shape, after.shape)

    def _batches(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Items that pass all stages together: as many as a network takes at once."""
        for start in range(0, len(items), self._batch_size):
            yield items[start : start + self._batch_size]

    def _decode(self, items: Sequence[Item], cache: Cache | None, clock: Clock) -> None:
        with clock("decode", len(items)):
            opened = open_sources([item.source for item in items if item.source], cache)
        for item, image in zip(items, opened, strict=True):
            if isinstance(image, DataError):
                item.fail("decode", str(image))
            else:
                item.image, item.lr_shape = image, image.shape

    def _hallucinate(self, items: Sequence[Item], cache: Cache | None, clock: Clock) -> None:
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

    def _align_and_embed(self, items: Sequence[Item], clock: Clock) -> None:
        alive = [item for item in items if item.image is not None]
        with clock("align", len(alive)):
            chips = self._aligning.run(alive)
        aligned = [(item, chip) for item, chip in zip(alive, chips, strict=True) if not isinstance(chip, Raised)]
        for item, chip in zip(alive, chips, strict=True):
            if isinstance(chip, Raised):
                item.fail("align", chip.reason)
        with clock("embed", len(aligned)):
            vectors = self._embedding.run([chip for _, chip in aligned])
        for (item, _), vector in zip(aligned, vectors, strict=True):
            if isinstance(vector, Raised):
                item.fail("embed", vector.reason)
            elif is_finite(vector):
                item.vector = vector
            else:
                item.fail("embed", "embedding not finite")

    def _align(self, batch: Sequence[Item]) -> Sequence[ByteImages | Raised]:
        face = self.recogniser.component.face
        images = [item.image for item in batch if item.image is not None]
        landmarks = [
            resized_landmarks(i.media.landmarks, i.lr_shape, im.shape) for i, im in zip(batch, images, strict=True)
        ]
        result = self.aligner.component.align(images, landmarks, face)
        chips, outcomes = checked_chips(f"Aligner {self.aligner.spec}", result, len(batch), face)
        for item, outcome in zip(batch, outcomes, strict=True):
            if outcome.status != "ok" and item.outcome.status == "ok":
                item.outcome = outcome
        return [Raised(o.reason) if o.status == "failed" else chip for chip, o in zip(chips, outcomes, strict=True)]

    def _vectors(self, faces: Sequence[ByteImages]) -> Sequence[FloatImages]:
        chips = np.stack(faces)
        vectors = self._checked(chips)
        if self._flip == "none":
            return list(vectors)
        mirrored = self._checked(np.ascontiguousarray(chips[:, :, ::-1]))
        if self._flip == "mean":
            return list(unit(vectors) + unit(mirrored))
        return list(vectors + mirrored)

    def _checked(self, chips: ByteImages) -> FloatImages:
        vectors = self.recogniser.component.embed(chips)
        expected = (len(chips), self.recogniser.component.embedding_size)
        check_array(f"Recogniser {self.recogniser.spec}", vectors, dtype="float32", shape=expected)
        return vectors

    def _collect(self, items: Sequence[Item], clock: Clock) -> Embedded:
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


def embed_shard(
    plan: EmbedPlan, media: Sequence[Media], cache_folder: Path | None, progress: Tally | None = None
) -> Embedded:
    """Embed one shard; what an engine calls, in whatever process. See `Embedder.embed`."""
    embedder = embedder_for(plan)
    if cache_folder is None:
        return embedder.embed(media, None, progress)
    with Cache(cache_folder) as cache:
        return embedder.embed(media, cache, progress)


@lru_cache(maxsize=8)
def embedder_for(plan: EmbedPlan) -> Embedder:
    """The embedder of a plan, built once in each process."""
    return Embedder.from_plan(plan)


def renewed_embedder(plan: EmbedPlan) -> Embedder:
    """Like `embedder_for`, built anew where a file that it was built from has changed: for the beginning of a run."""
    if embedder_for(plan).outdated:
        embedder_for.cache_clear()
    return embedder_for(plan)
