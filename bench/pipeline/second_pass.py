"""A second pass over a run's first images, in another order and other batches: is an output that of its image alone?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from bench.interfaces import ByteImages
from bench.pipeline.chain import Chain
from bench.pipeline.output_checks import Finding

IMAGES = 16
"""Images of the second pass, at most."""
SECONDS = 10.0
"""After so long no further batch of it is begun; three images at least are compared."""
_LEVELS = 2  # grey levels: a network rounds otherwise in another batch, and an image is rounded to 8 bits
_SHARE = 0.1  # of the images: one alone may stand on the edge of a choice that rounding tips over
_BATCHES = (1, 2, 3, 5, 5)
Outputs = Sequence[ByteImages | None]


def inspect_again(
    chain: Chain,
    images: Sequence[ByteImages],
    outputs: Outputs,
    *,
    batch_size: int,
    fresh: Callable[[], Chain] | None = None,
) -> list[Finding]:
    """Hallucinate the first images again, past any cache, and compare with what the run has of them.

    Nothing but the one pass is computed where outputs agree. Where they do not, more passes tell why.

    Args:
        chain: the chain of the run.
        images: its inputs, RGB uint8 (h, w, 3) each.
        outputs: what the run made of each, RGB uint8 (H, W, 3), or None where it failed.
        batch_size: images in a batch of the run.
        fresh: builds the chain anew, so that what is random can be told from what keeps a state; None does not tell.

    Returns:
        At most one finding: ``depends-on-batch``, ``keeps-state``, ``random-output``.
    """
    number = min(IMAGES, len(images))
    places = list(range(number))[::-1]
    again: dict[int, ByteImages | None] = {}
    began = time.perf_counter()
    for size in _BATCHES:
        part = places[len(again) : len(again) + size]
        if not part or (len(again) >= 3 and time.perf_counter() - began > SECONDS):
            break
        again.update(zip(part, chain.hallucinate([images[i] for i in part], batch_size=size)[0], strict=True))
    compared = sorted(again)
    other = _unequal([again[i] for i in compared], [outputs[i] for i in compared])
    if not _many(other, len(compared)):
        return []
    seen = f"{other} of {len(compared)} first outputs differ from a second pass in another order and other batches"
    first, second = (chain.hallucinate([images[i] for i in compared], batch_size=batch_size)[0] for _ in range(2))
    if _unequal(first, second):
        if fresh is not None:
            one, two = (fresh().hallucinate([images[i] for i in compared], batch_size=batch_size)[0] for _ in range(2))
            if not _unequal(one, two):
                return [Finding("keeps-state", f"{seen}: an output depends on what was hallucinated before")]
            return [Finding("random-output", f"{seen}, and so do two fresh starts: an output is random")]
        return [Finding("random-output", f"{seen}, and so do two equal passes: an output is random, or keeps a state")]
    if _unequal(first, [again[i] for i in compared]):
        return [Finding("depends-on-batch", f"{seen}: an output depends on the images beside it, or on their order")]
    return [Finding("keeps-state", f"{seen}, which agrees with itself: an output depends on what was done before")]


def _many(number: int, total: int) -> bool:
    return number > 0 and number >= _SHARE * total


def _unequal(one: Outputs, other: Outputs) -> int:
    """How many images are not the same."""
    return sum(not _same(a, b) for a, b in zip(one, other, strict=True))


def _same(one: ByteImages | None, other: ByteImages | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and int(np.abs(one.astype(np.int16) - other).max()) <= _LEVELS
