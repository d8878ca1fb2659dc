"""Every image passes here: read, decode, crop, hallucinate, align, embed.

`bench.pipeline.stages` has the same as a function of plain values, which any engine can compute.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np

from bench.digests.closure import closure, modules_digest, refuse_changed_sources
from bench.errors import DataError
from bench.images import decode, encode_png
from bench.interfaces import ALIGNERS, RECOGNISERS, Aligner, ByteImages, FloatImages, Recogniser
from bench.io.file_digests import digest_of, path_digest, refuse_changed
from bench.pipeline.build import Built, build
from bench.pipeline.cache import Cache, CachedEmbedding, embedding_key, image_key
from bench.pipeline.chain import Chain
from bench.pipeline.contracts import Attempts, Raised, check_array, checked_chips
from bench.pipeline.items import Clock, Item, resized_landmarks, unit
from bench.pipeline.plan import Embedded, EmbedPlan
from bench.pipeline.reader import open_sources
from bench.pipeline.views import View
from bench.progress import Progress, ProgressCount
from bench.registry import load_plugins
from bench.types import Media

T = TypeVar("T")
ViewCallback = Callable[[int, View], None]


class Embedder:
    """The built stages of a plan.

    Attributes:
        chain: the built chain, or None.
        aligner: the built aligner.
        recogniser: the built recogniser.
        fingerprint: identifies what it computes; part of every cache key.
        configuration: SHA-256 over its configuration, without its code.
        code: digests of the modules that decide its results, by name.
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
        # a chain that changes nothing has the cache keys of no chain
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
            batch_size=plan.effective_batch_size,
        )

    def embed(
        self,
        media: Sequence[Media],
        cache: Cache | None,
        progress: Progress | None = None,
        *,
        viewed: Collection[int] = (),
        on_view: ViewCallback = lambda place, view: None,
    ) -> Embedded:
        """Embed images; each of them ends with an outcome, and none is dropped.

        Args:
            media: the images.
            cache: earlier results are read from it and new ones written to it; or None.
            progress: counts the images that are done.
            viewed: places of the images whose view is wanted.
            on_view: called with the place and the view of each of these, in no particular order.

        Raises:
            ContractError: a component broke its contract.
            BenchError: the cache cannot be written.
        """
        progress = progress or ProgressCount()
        aligning = Attempts(f"Aligner {self.aligner.spec}", self._align)
        embedding = Attempts(f"Recogniser {self.recogniser.spec}", self._vectors)
        clock = Clock()
        items = [Item(m) for m in media]
        with clock("read", len(items)):
            for item in items:
                item.read()
        keys = [embedding_key(item.digest, item.media, self.fingerprint) for item in items]
        cached = cache.embeddings(sorted(set(keys))) if cache else {}
        new, other_views = [], []
        for place, item in enumerate(items):
            hit = cached.get(keys[place])
            if not item.failed and not hit:
                new.append(place)
                continue
            if place in viewed:
                other_views.append((place, Item(item.media, item.source, item.outcome)))
            if hit and not item.failed:
                item.vector, item.outcome = hit.vector, hit.outcome
        progress.reuse(len(items) - len(new))
        for places in self._batches(new):
            batch = [items[place] for place in places]
            for place, view in zip(places, self._views(batch, cache, clock), strict=True):
                if place in viewed:
                    on_view(place, view)
            self._align_and_embed(batch, aligning, embedding, clock)
            self.refuse_changed()
            if cache:
                embedded = ((keys[place], items[place]) for place in places)
                cache.put_embeddings(
                    {key: CachedEmbedding(i.vector, i.outcome) for key, i in embedded if i.vector is not None}
                )
            for item in batch:
                item.image = None
            progress(len(batch))
        for pairs in self._batches(other_views):
            views = self._views([item for _, item in pairs], cache, Clock())
            for (place, _), view in zip(pairs, views, strict=True):
                on_view(place, view)
        return self._collect(items, clock, {**aligning.errors(), **embedding.errors()})

    def refuse_changed(self) -> None:
        """Raise ChangedError where a file or source has changed since its digest went into the keys."""
        refuse_changed(self._files)
        refuse_changed_sources()

    @property
    def outdated(self) -> bool:
        """Whether a file of a component has changed since it was built."""
        return any(path_digest(file.path) != file.sha256 for file in self._files)

    def views(
        self, media: Sequence[Media], cache: Cache | None, progress: Progress | None = None
    ) -> Iterator[tuple[View, str]]:
        """Yield the view of each image, and the digest of its file as in `Embedded`; nothing is embedded.

        Args:
            media: the images.
            cache: as in `embed`.
            progress: counts the images that are done.
        """
        clock = Clock()
        for batch in self._batches([Item(m) for m in media]):
            for item in batch:
                item.read()
            yield from zip(self._views(batch, cache, clock), (item.digest for item in batch), strict=True)
            if progress:
                progress(len(batch))

    def _batches(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Items that pass all stages together."""
        for start in range(0, len(items), self._batch_size):
            yield items[start : start + self._batch_size]

    def _views(self, items: Sequence[Item], cache: Cache | None, clock: Clock) -> list[View]:
        """Decode and hallucinate; the output stays in the item."""
        readable = [item for item in items if item.source is not None]
        with clock("decode", len(readable)):
            images = open_sources([item.source for item in readable if item.source], cache)
        for item, image in zip(readable, images, strict=True):
            if isinstance(image, DataError):
                item.fail("decode", str(image))
            else:
                item.image, item.lr_shape = image, image.shape
        lr = [item.image for item in items]
        self._hallucinate([item for item in items if item.image is not None], cache, clock)
        return [View(before, item.image, item.outcome) for before, item in zip(lr, items, strict=True)]

    def _hallucinate(self, items: Sequence[Item], cache: Cache | None, clock: Clock) -> None:
        if not self._active or not items:
            return
        keys = [image_key(item.digest, item.media, self._image_fingerprint) for item in items]
        cached = cache.images(sorted(set(keys))) if cache else {}
        new = []
        for item, key in zip(items, keys, strict=True):
            if key in cached:
                item.image, item.outcome = decode(cached[key][0]), cached[key][1]
            else:
                new.append((item, key))
        with clock("hallucinate", len(new)):
            images, outcomes = self._active.hallucinate(
                [item.image for item, _ in new if item.image is not None], batch_size=self._batch_size
            )
        self.refuse_changed()
        for (item, _), image, outcome in zip(new, images, outcomes, strict=True):
            item.image, item.outcome = image, outcome
        if cache:
            cache.put_images({key: (encode_png(i.image), i.outcome) for i, key in new if i.image is not None})

    def _align_and_embed(
        self,
        items: Sequence[Item],
        aligning: Attempts[Item, ByteImages | Raised],
        embedding: Attempts[ByteImages, FloatImages],
        clock: Clock,
    ) -> None:
        decoded = [item for item in items if item.image is not None]
        with clock("align", len(decoded)):
            chips = aligning.run(decoded)
        aligned = [(item, chip) for item, chip in zip(decoded, chips, strict=True) if not isinstance(chip, Raised)]
        for item, chip in zip(decoded, chips, strict=True):
            if isinstance(chip, Raised):
                item.fail("align", chip.reason)
        with clock("embed", len(aligned)):
            vectors = embedding.run([chip for _, chip in aligned])
        for (item, _), vector in zip(aligned, vectors, strict=True):
            if isinstance(vector, Raised):
                item.fail("embed", vector.reason)
            elif np.isfinite(vector).all():
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

    def _collect(self, items: Sequence[Item], clock: Clock, errors: Mapping[str, str]) -> Embedded:
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
            errors=errors,
        )


@lru_cache(maxsize=8)
def embedder_for(plan: EmbedPlan) -> Embedder:
    """The embedder of a plan, built once in each process."""
    return Embedder.from_plan(plan)


def renewed_embedder(plan: EmbedPlan) -> Embedder:
    """Like `embedder_for`, but built again where one of its files has changed; called at the beginning of a run."""
    if embedder_for(plan).outdated:
        embedder_for.cache_clear()
    return embedder_for(plan)
