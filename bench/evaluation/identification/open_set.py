"""Open-set identification from per-probe rows: TPIR at an FPIR in each gallery, and the mean over galleries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.metrics.bootstrap import bootstrap_interval, cluster_weights, percentile_ends
from bench.metrics.identification import detection_identification_rate, rank_k_rate
from bench.results import Figure, ProbeRow

JOINED = "joined"
"""Name of the gallery that holds all the others: closed-set figures are of it where it was searched."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Search:
    """The probes of one gallery that holds mates of some of them and not of others."""

    name: str
    mated: tuple[ProbeRow, ...]
    nonmated: tuple[ProbeRow, ...]

    def tpir(self, rate: float) -> float | None:
        """TPIR at an FPIR (rule nist); None with too few non-mated probes."""
        if not self.mated or len(self.nonmated) < needed(rate):
            return None
        point = detection_identification_rate(
            [row.rank for row in self.mated],
            [None if row.rank is None else row.best_mated_score for row in self.mated],
            [row.best_nonmated_score for row in self.nonmated],
            rate,
        )
        return point.rate

    def rank_rate(self, k: int) -> float | None:
        """Rank-k rate of the mated probes."""
        return rank_k_rate([row.rank for row in self.mated], k) if self.mated else None

    def scored(self) -> _Search:
        """The same without failed probes."""
        kept = [tuple(row for row in part if row.status != "failed") for part in (self.mated, self.nonmated)]
        return _Search(self.name, kept[0], kept[1])


def open_set_figures(
    rows: Sequence[ProbeRow],
    false_positive_rates: Sequence[float],
    *,
    seed: int,
    ranks: Sequence[int] = (),
    resamples: int = 1000,
) -> dict[str, Figure]:
    """Compute TPIR at each FPIR, per gallery and as the plain mean over galleries.

    A mated probe counts as found when its mate ranks first and its score is accepted; the threshold is the lowest
    whose false positive rate does not exceed the one asked for (`detection_identification_rate`, rule ``nist``), set
    in each gallery by the probes whose person is not in it. The joined gallery, in which every probe should have a
    mate, has no part in this where there are others.

    Intervals come from resampling identities; the threshold is set anew in each resample, so its uncertainty is in
    them. A person drawn twice has twice its probes in every gallery, mated in one and not in another.

    Args:
        rows: probes in all galleries. A failed mated probe is a miss, a failed non-mated one raises no alarm.
        false_positive_rates: FPIR, each in (0, 1].
        seed: of the bootstrap.
        ranks: k of the rank-k rates of which the plain mean over galleries is wanted beside, where there are several.
        resamples: at least 100.

    Returns:
        ``tpir@fpir=0.01`` (of the only gallery, or the mean over galleries) and ``tpir@fpir=0.01 (NAME)`` for each
        named gallery, in the order of rates; then ``rank-k (mean)``. A rate for which a gallery has too few probes
        without a mate has no figure there, nor a mean: see `left_out`.

    Raises:
        UsageError: a rate or ``resamples`` is out of range.

    Source: Maze et al. 2018 (IJB-C), two galleries and their mean; Davison & Hinkley 1997, section 3.8, for whole
        persons in the bootstrap.
    """
    if resamples < 100 or any(not 0 < rate <= 1 for rate in false_positive_rates):
        raise UsageError(
            f"resamples is {resamples}, false positive rates {list(false_positive_rates)}; expected at least 100, and "
            "rates in (0, 1]."
        )
    searches = _searches(rows)
    if not searches:
        return {}
    drawn = _Resampled(searches, false_positive_rates, ranks, seed, resamples)
    found: dict[str, Figure] = {}
    for place, rate in enumerate(false_positive_rates):
        name, values = f"tpir@fpir={rate:g}", [search.tpir(rate) for search in searches]
        without = [search.scored().tpir(rate) for search in searches]
        if all(value is not None for value in values):
            found[name] = drawn.figure(values, without, range(len(searches)), place)
        for at, search in enumerate(searches):
            if search.name and values[at] is not None:
                found[f"{name} ({search.name})"] = drawn.figure(values, without, [at], place)
    if len(searches) > 1:
        for place, k in enumerate(ranks, len(false_positive_rates)):
            values = [search.rank_rate(k) for search in searches]
            without = [search.scored().rank_rate(k) for search in searches]
            found[f"rank-{k} (mean)"] = drawn.figure(values, without, range(len(searches)), place)
    return found


def left_out(rows: Sequence[ProbeRow], false_positive_rates: Sequence[float]) -> tuple[str, ...]:
    """Say which open-set figures `open_set_figures` could not give, and why; for the warnings of a run."""
    searches = _searches(rows)
    if not searches:
        return ("No gallery has probes both with and without a mate in it, so there are no open-set figures.",)
    told = []
    for rate in false_positive_rates:
        few = [search for search in searches if len(search.nonmated) < needed(rate)]
        if few:
            counts = "; ".join(f"{len(s.nonmated)} {f'in {s.name}' if s.name else 'there'}" for s in few)
            told.append(
                f"tpir@fpir={rate:g} is not given: it needs at least {needed(rate)} probes without a mate in a gallery "
                f"({counts})."
            )
    return tuple(told)


def needed(rate: float) -> int:
    """Fewest non-mated probes of which one is not more than ``rate``."""
    return math.ceil(1 / rate - 1e-9)


def _searches(rows: Sequence[ProbeRow]) -> list[_Search]:
    """Galleries with probes of both kinds; the joined one only where it is alone."""
    names = list(dict.fromkeys(row.gallery for row in rows))
    apart = [name for name in names if name != JOINED] or names
    parts: dict[str, tuple[list[ProbeRow], list[ProbeRow]]] = {name: ([], []) for name in apart}
    for row in rows:
        if row.gallery in parts:
            parts[row.gallery][0 if row.mates else 1].append(row)
    return [_Search(name, tuple(m), tuple(n)) for name, (m, n) in parts.items() if m and n]


class _Resampled:
    """Every statistic of every gallery in every resample of identities: (resamples, galleries, statistics)."""

    def __init__(
        self, searches: Sequence[_Search], rates: Sequence[float], ranks: Sequence[int], seed: int, resamples: int
    ) -> None:
        self.searches, self.seed = searches, seed
        people = sorted({row.identity for search in searches for row in (*search.mated, *search.nonmated)})
        place = {person: i for i, person in enumerate(people)}
        self.identities = len(people)
        tables = [_Table(search, place, ranks) for search in searches]
        longest = max(len(rows) for search in searches for rows in (search.mated, search.nonmated))
        self.values: Floats = np.concatenate(
            [
                np.stack([table.statistics(weights, rates) for table in tables], axis=1)
                for _, weights in cluster_weights(self.identities, resamples, seed=seed, widest=longest)
            ]
        )

    def figure(
        self, values: Sequence[float | None], without: Sequence[float | None], galleries: Sequence[int], column: int
    ) -> Figure:
        """The mean of one statistic over some galleries, all of which have it."""
        known = [value for value in (values[i] for i in galleries) if value is not None]
        value = sum(known) / len(known)
        low, high, method = self._interval(value, galleries, column)
        left = [rate for rate in (without[i] for i in galleries) if rate is not None]
        whole = len(left) == len(galleries)
        mated = [row for i in galleries for row in self.searches[i].mated]
        return Figure(
            value=value,
            n=len(mated),
            low=low,
            high=high,
            interval=method,
            without_failures=sum(left) / len(left) if whole else None,
            n_without_failures=sum(row.status != "failed" for row in mated) if whole else 0,
        )

    def _interval(self, value: float, galleries: Sequence[int], column: int) -> tuple[float | None, float | None, str]:
        if self.identities == 1:
            return None, None, "none: one identity only"
        means = self.values[:, list(galleries), column].mean(axis=1)
        usable = means[np.isfinite(means)]  # a resample may hold no probe of one kind
        if len(usable) < 2 or np.ptp(usable) == 0:
            mated = [row.identity for i in galleries for row in self.searches[i].mated]
            flat = bootstrap_interval(np.full(len(mated), value), mated, seed=self.seed, resamples=100)
            return flat.low, flat.high, flat.method
        low, high = percentile_ends(usable, 0.025)
        dropped = len(means) - len(usable)
        less = f" ({dropped} more had no probe of one kind)" if dropped else ""
        method = f"bootstrap over {self.identities} identities, {len(usable)} resamples{less}, threshold set in each"
        return float(low), float(high), method


class _Table:
    """One gallery's probes as arrays, best scores first; ``people`` are places among the identities."""

    def __init__(self, search: _Search, place: dict[str, int], ranks: Sequence[int]) -> None:
        def counts(rows: Sequence[ProbeRow]) -> Ints:
            return np.bincount([place[row.identity] for row in rows], minlength=len(place))

        def ordered(rows: Sequence[ProbeRow], scores: Sequence[float | None]) -> tuple[Ints, Floats]:
            values = np.array([-np.inf if score is None else score for score in scores], np.float64)
            order = np.argsort(-values, kind="stable")
            return np.array([place[row.identity] for row in rows], np.int64)[order], values[order]

        first = [row for row in search.mated if row.rank == 1]
        self.hit_people, self.hit_scores = ordered(first, [row.best_mated_score for row in first])
        self.other_people, self.other_scores = ordered(
            search.nonmated, [row.best_nonmated_score for row in search.nonmated]
        )
        self.mated = counts(search.mated)
        self.found = [counts([r for r in search.mated if r.rank is not None and r.rank <= k]) for k in ranks]

    def statistics(self, weights: Ints, rates: Sequence[float]) -> Floats:
        """TPIR at each rate, then the rank-k rates, under how often each identity was drawn.

        Args:
            weights: (B, identities).
            rates: FPIR.

        Returns:
            float64 (B, statistics); NaN where a resample has no mated, or no non-mated, probe.
        """
        draws = np.arange(len(weights))
        alarms = np.cumsum(weights[:, self.other_people], axis=1)  # non-mated probes at or above each score
        hits = np.zeros((len(weights), len(self.hit_people) + 1), np.int64)
        np.cumsum(weights[:, self.hit_people], axis=1, out=hits[:, 1:])
        mated, others = weights @ self.mated, alarms[:, -1]
        found = []
        for rate in rates:
            allowed = np.floor(others * rate + 1e-9).astype(np.int64)
            decisive = np.argmax(alarms > allowed[:, None], axis=1)  # the first probe that would be an alarm too many
            threshold = np.where(allowed < others, self.other_scores[decisive], -np.inf)
            above = np.searchsorted(-self.hit_scores, -threshold, side="left")  # scores that exceed it
            found.append(hits[draws, above])
        found += [weights @ counts for counts in self.found]
        table = np.stack(found, axis=1) if found else np.empty((len(weights), 0))
        usable = (mated > 0) & (others > 0)
        shares: Floats = np.where(usable[:, None], table / np.maximum(mated, 1)[:, None], np.nan)
        return shares
