"""What goes into the embedding of a shard of media and what comes out: plain values that travel between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.devices import cpu_threads
from bench.images import FloatImages
from bench.registry import Spec
from bench.types import Outcome

_ON_PROCESSOR = 4  # images at once; more are hardly faster
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
        batch_size: most images per network call; a processor takes fewer, see `at_once`.
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
    def at_once(self) -> int:
        """Images that pass the networks together: few on a processor, which loses nothing by it, so progress shows."""
        if not self.device.startswith("cpu"):
            return self.batch_size
        return min(self.batch_size, max(_ON_PROCESSOR, cpu_threads(self.threads)))


@dataclass(frozen=True)
class Embedded:
    """What became of a shard of N media, in their order.

    Attributes:
        vectors: float32 (N, D), not normalised; a row of NaN where the outcome is failed.
        outcomes: one each.
        file_digests: SHA-256 of each file in hexadecimal, or ``absent``.
        seconds: by stage, the time spent (cached images cost none).
        counts: by stage, the images that passed it.
    """

    vectors: FloatImages
    outcomes: tuple[Outcome, ...]
    file_digests: tuple[str, ...]
    seconds: Mapping[str, float]
    counts: Mapping[str, int]
