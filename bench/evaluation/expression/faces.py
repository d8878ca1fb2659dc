"""The faces of an expression run, made once: LR, hallucinated and true ones, at the classifier's size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.images import ByteImages, resize
from bench.io.file_digests import file_digest
from bench.pipeline.cache import Cache
from bench.pipeline.embedder import embedder_for, open_media
from bench.pipeline.plan import ABSENT, Embedded, EmbedPlan
from bench.types import OK, Media, Outcome

_CHUNK = 256


@dataclass(frozen=True)
class Faces:
    """N faces in one state.

    Attributes:
        images: RGB uint8 (N, S, S, 3); black where a face failed.
        usable: bool (N,), False where it failed.
    """

    images: ByteImages
    usable: NDArray[np.bool_]

    def same_as(self, other: Faces) -> bool:
        """Whether all faces are equal, so that a classifier need not be trained anew."""
        return bool(np.array_equal(self.usable, other.usable) and np.array_equal(self.images, other.images))


def made_faces(
    plan: EmbedPlan, media: Sequence[Media], side: int, cache: Path | None, advance: Callable[[int], None]
) -> tuple[Faces, Faces, Embedded]:
    """LR faces, what the chain makes of them, and how each fared.

    Both are brought to the classifier's size by bicubic interpolation: the first are the baseline.

    Args:
        plan: of the probes; its chain alone is used.
        media: LR faces.
        side: of the classifier's faces, pixels.
        cache: folder of the cache, or None.
        advance: called with the number of faces just done.

    Returns:
        LR faces, hallucinated faces, and the outcomes with vectors of width 0: nothing is embedded.
    """
    started = time.perf_counter()
    embedder = embedder_for(plan)
    plain, made = _none(len(media), side), _none(len(media), side)
    outcomes: list[Outcome] = []
    with Cache(cache) if cache else nullcontext() as store:
        for start in range(0, len(media), _CHUNK):
            chunk = media[start : start + _CHUNK]
            for place, (lr, out, outcome) in enumerate(embedder.made(chunk, store, advance), start):
                _put(plain, place, lr, side)
                _put(made, place, out if outcome.status != "failed" else None, side)
                outcomes.append(outcome)
    return plain, made, _looked_at(media, outcomes, {"hallucinate": time.perf_counter() - started})


def true_faces(media: Sequence[Media], side: int, advance: Callable[[int], None]) -> tuple[Faces, Embedded]:
    """Opened HR faces at the classifier's size; one that stands for several LR faces is opened once."""
    started = time.perf_counter()
    found = _none(len(media), side)
    outcomes: list[Outcome] = []
    known: dict[object, tuple[ByteImages | None, Outcome]] = {}
    for place, item in enumerate(media):
        key = (item.path, item.cut)
        if key not in known:
            known[key] = _opened(item, side)
        image, outcome = known[key]
        _put(found, place, image, side)
        outcomes.append(outcome)
        advance(1)
    return found, _looked_at(media, outcomes, {"decode": time.perf_counter() - started})


def _opened(media: Media, side: int) -> tuple[ByteImages | None, Outcome]:
    try:
        return resize(open_media(media), side, side), OK
    except DataError as error:
        return None, Outcome("failed", "decode", str(error))


def _none(count: int, side: int) -> Faces:
    return Faces(np.zeros((count, side, side, 3), np.uint8), np.zeros(count, bool))


def _put(faces: Faces, place: int, image: ByteImages | None, side: int) -> None:
    if image is not None:
        faces.images[place] = resize(image, side, side)
        faces.usable[place] = True


def _looked_at(media: Sequence[Media], outcomes: Sequence[Outcome], seconds: dict[str, float]) -> Embedded:
    """What the ledger and the record want to know, without embeddings."""
    digests: dict[Path, str] = {}
    for item in media:
        if item.path not in digests:
            try:
                digests[item.path] = file_digest(item.path)
            except OSError:
                digests[item.path] = ABSENT
    return Embedded(
        np.empty((len(media), 0), np.float32),
        tuple(outcomes),
        tuple(digests[item.path] for item in media),
        seconds,
        dict.fromkeys(seconds, len(media)),
    )
