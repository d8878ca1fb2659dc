"""The rows of a search by gallery: the rows of each figure, and the open-set searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.metrics.identification import detection_identification_rate, rank_k_rate
from bench.results import ProbeRow

JOINED = "joined"
"""Name of the gallery that joins all others; if it was searched, closed-set figures are computed on it."""


@dataclass(frozen=True, slots=True)
class Search:
    """The probes of one gallery that holds mates of some of them and not of others.

    Attributes:
        name: of the gallery; empty where there is one of all.
        mated: probes with a mate in the gallery.
        nonmated: probes without one.
    """

    name: str
    mated: tuple[ProbeRow, ...]
    nonmated: tuple[ProbeRow, ...]

    def tpir(self, rate: float) -> float | None:
        """TPIR at an FPIR (rule ``nist``); None with too few non-mated probes."""
        if not self.mated or len(self.nonmated) < nonmated_needed(rate):
            return None
        point = detection_identification_rate(
            [row.rank for row in self.mated],
            [None if row.rank is None else row.best_mated_score for row in self.mated],
            [row.best_nonmated_score for row in self.nonmated],
            rate,
        )
        return point.rate

    def rank_rate(self, k: int) -> float | None:
        """Rank-k rate of the mated probes; None where there are none."""
        return rank_k_rate([row.rank for row in self.mated], k) if self.mated else None

    def scored(self) -> Search:
        """The same without failed probes."""
        mated, nonmated = (tuple(row for row in part if row.status != "failed") for part in (self.mated, self.nonmated))
        return Search(self.name, mated, nonmated)


def nonmated_needed(rate: float) -> int:
    """Smallest number of non-mated probes of which one is a share of at most ``rate``."""
    return math.ceil(1 / rate - 1e-9)


def gallery_names(rows: Sequence[ProbeRow]) -> list[str]:
    """Names of the galleries searched, in order; one empty name where there is one of all."""
    return list(dict.fromkeys(row.gallery for row in rows))


def mated_places(rows: Sequence[ProbeRow]) -> list[int]:
    """Indices of the rows of the overall closed-set figures: probes with a mate in the gallery.

    Those of the joined gallery if it was searched, else of all galleries.
    """
    joined = JOINED in gallery_names(rows)
    return [i for i, row in enumerate(rows) if row.mates and (row.gallery == JOINED or not joined)]


def mated_rows(rows: Sequence[ProbeRow], gallery: str | None = None) -> list[ProbeRow]:
    """The rows of closed-set figures: overall (`mated_places`), or of the named gallery."""
    if gallery is None:
        return [rows[i] for i in mated_places(rows)]
    return [row for row in rows if row.mates and row.gallery == gallery]


def open_searches(rows: Sequence[ProbeRow]) -> list[Search]:
    """Galleries with mated and non-mated probes; the joined gallery only if there is no other."""
    names = gallery_names(rows)
    searched_names = [name for name in names if name != JOINED] or names
    parts: dict[str, tuple[list[ProbeRow], list[ProbeRow]]] = {name: ([], []) for name in searched_names}
    for row in rows:
        if row.gallery in parts:
            parts[row.gallery][0 if row.mates else 1].append(row)
    return [
        Search(name, tuple(mated), tuple(nonmated)) for name, (mated, nonmated) in parts.items() if mated and nonmated
    ]


def mean_tpir(searches: Sequence[Search], rate: float) -> float | None:
    """TPIR at an FPIR, the plain mean over galleries; None without galleries, or where one has too few probes."""
    return mean_of([search.tpir(rate) for search in searches])


def mean_of(values: Sequence[float | None]) -> float | None:
    """The plain mean; None where there are no values, or one of them is None."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
