"""The rows of an identification run by gallery: which a figure is over, and what it is from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.evaluation.identification.open_set import JOINED
from bench.metrics.identification import detection_identification_rate, mean_average_precision, rank_k_rate
from bench.results import ProbeRow
from reports.runs.figure_names import rank_of, split

_MEAN = "mean"
_OPEN = "tpir@fpir="


@dataclass(frozen=True, slots=True)
class Expected:
    """What a figure must be: its denominators, and its value where rows hold it."""

    n: int
    scored: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """A gallery with mates of some probes and not of others."""

    mated: list[ProbeRow]
    nonmated: list[ProbeRow]

    def tpir(self, rate: float) -> float | None:
        """None with too few probes, as in the suite's own figures."""
        if not self.mated or len(self.nonmated) < math.ceil(1 / rate - 1e-9):
            return None
        return detection_identification_rate(
            [row.rank for row in self.mated],
            [None if row.rank is None else row.best_mated_score for row in self.mated],
            [row.best_nonmated_score for row in self.nonmated],
            rate,
        ).rate

    def scored(self) -> Search:
        """The same over the probes that did not fail."""
        return Search(*([row for row in part if row.status != "failed"] for part in (self.mated, self.nonmated)))


def galleries(rows: Sequence[ProbeRow]) -> list[str]:
    """Names of the galleries searched; one empty name where there is one of all."""
    return list(dict.fromkeys(row.gallery for row in rows))


def in_parts(runs: Iterable[Sequence[ProbeRow]]) -> bool:
    """Whether probes are searched in named galleries, or some have no mate: figures are then over part of the rows.

    Args:
        runs: the rows of each run.
    """
    return any(galleries(rows) != [""] or any(not row.mates for row in rows) for rows in runs)


def head(rows: Sequence[ProbeRow]) -> list[tuple[int, ProbeRow]]:
    """The rows that figures of the whole are over, with their places: of probes that have a mate in the gallery.

    Of the joined gallery where it was searched, else of all galleries together.
    """
    joined = JOINED in galleries(rows)
    return [(i, row) for i, row in enumerate(rows) if row.mates and (row.gallery == JOINED or not joined)]


def head_words(rows: Sequence[ProbeRow]) -> str:
    """Which galleries that is, in words; empty for one gallery of all."""
    names = galleries(rows)
    if names in ([], [""]):
        return ""
    if JOINED in names:
        return f"the gallery {JOINED}"
    return f"the gallery {names[0]}" if len(names) == 1 else f"the galleries {', '.join(names)} taken together"


def expected(name: str, rows: Sequence[ProbeRow], rates: Sequence[float]) -> Expected | None:
    """What a figure must be; None for one that is not known here.

    Args:
        name: of the figure.
        rows: all rows of the run.
        rates: false positive rates of its open-set figures.
    """
    names = galleries(rows)
    base, part = (name, "") if names == [""] else split(name)
    searches = open_searches(rows)
    if base.startswith(_OPEN):
        rate = next((rate for rate in rates if f"{_OPEN}{rate:g}" == base), None)
        if rate is None or (part and part not in searches):
            return None
        return _open_set(rate, [searches[part]] if part else list(searches.values()))
    k = rank_of(base)
    if part == _MEAN and len(searches) > 1:
        return _mean(k, list(searches.values()))
    if part and part not in names:
        return None
    own = [row for row in rows if row.mates and row.gallery == part] if part else [row for _, row in head(rows)]
    return Expected(len(own), sum(row.status != "failed" for row in own), _value(base, k, own))


def _value(base: str, k: int | None, rows: Sequence[ProbeRow]) -> float | None:
    if not rows:
        return None
    if k is not None and k > 0:
        return rank_k_rate([row.rank for row in rows], k)
    if base == "map":
        return mean_average_precision([row.mated_ranks for row in rows], [row.mates for row in rows])
    return None


def _open_set(rate: float, searches: Sequence[Search]) -> Expected:
    whole = all(search.scored().tpir(rate) is not None for search in searches)
    return _expected(searches, whole, open_tpir(rate, searches))


def open_tpir(rate: float, searches: Sequence[Search]) -> float | None:
    """TPIR at that FPIR, the plain mean over galleries; None where one has too few probes."""
    values = [search.tpir(rate) for search in searches]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _mean(k: int | None, searches: Sequence[Search]) -> Expected | None:
    if k is None or k < 1:
        return None
    values = [rank_k_rate([row.rank for row in search.mated], k) for search in searches]
    whole = all(search.scored().mated for search in searches)
    return _expected(searches, whole, sum(values) / len(values))


def _expected(searches: Sequence[Search], whole: bool, value: float | None) -> Expected:
    mated = [row for search in searches for row in search.mated]
    return Expected(len(mated), sum(row.status != "failed" for row in mated) if whole else 0, value)


def open_searches(rows: Sequence[ProbeRow]) -> dict[str, Search]:
    """Galleries with probes of both kinds; the joined one only where it is alone."""
    names = galleries(rows)
    apart = [name for name in names if name != JOINED] or names
    found = {name: Search([], []) for name in apart}
    for row in rows:
        if row.gallery in found:
            (found[row.gallery].mated if row.mates else found[row.gallery].nonmated).append(row)
    return {name: search for name, search in found.items() if search.mated and search.nonmated}
