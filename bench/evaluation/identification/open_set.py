"""Open-set identification from per-probe rows: TPIR at an FPIR in each gallery, and the mean over galleries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.evaluation.identification.galleries import Search, mean_of, nonmated_needed, open_searches
from bench.metrics.bootstrap import NOT_COMPUTED, Interval, bootstrap_interval, cluster_weights, percentile_ends
from bench.metrics.identification import is_hit
from bench.results import Figure, ProbeRow

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def open_set_figures(
    rows: Sequence[ProbeRow],
    false_positive_rates: Sequence[float],
    *,
    seed: int | None,
    ranks: Sequence[int] = (),
    resamples: int = 1000,
) -> dict[str, Figure]:
    """Compute TPIR at each FPIR, per gallery and as the plain mean over galleries.

    A mated probe is identified when its mate ranks first and its score is accepted. The threshold is the lowest whose
    false positive rate does not exceed the given one (`detection_identification_rate`, rule ``nist``); each gallery
    has its own, set by the probes whose person is not in it. The joined gallery, in which every probe should have a
    mate, is excluded if there are others.

    Intervals resample identities and set the threshold again in each resample, so they include its uncertainty. A
    person drawn twice counts twice in every gallery, whether mated or not.

    Args:
        rows: probes in all galleries. A failed mated probe is a miss, a failed non-mated one raises no alarm.
        false_positive_rates: FPIR, each in (0, 1].
        seed: of the bootstrap; None computes no intervals.
        ranks: k of the rank-k rates whose plain mean over galleries is added, if there are several.
        resamples: at least 100.

    Returns:
        ``tpir@fpir=0.01`` (of the only gallery, or the mean over galleries) and ``tpir@fpir=0.01 (NAME)`` for each
        named gallery, in the order of rates; then ``rank-k (mean)``. If a gallery has too few non-mated
        probes for a rate, it has no figure there, and there is no mean: see `missing_figures`.

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
    searches = open_searches(rows)
    if not searches:
        return {}
    resampled = None if seed is None else _Resampled(searches, false_positive_rates, ranks, seed, resamples)
    figures: dict[str, Figure] = {}
    for place, rate in enumerate(false_positive_rates):
        name, values = f"tpir@fpir={rate:g}", [search.tpir(rate) for search in searches]
        without = [search.scored().tpir(rate) for search in searches]
        parts = {f"{name} ({search.name})": [index] for index, search in enumerate(searches) if search.name}
        for full_name, places in ({name: list(range(len(searches)))} | parts).items():
            figure = _mean_figure(searches, values, without, places, resampled, place)
            if figure is not None:
                figures[full_name] = figure
    if len(searches) > 1:
        for place, k in enumerate(ranks, len(false_positive_rates)):
            values = [search.rank_rate(k) for search in searches]
            without = [search.scored().rank_rate(k) for search in searches]
            figure = _mean_figure(searches, values, without, range(len(searches)), resampled, place)
            if figure is not None:
                figures[f"rank-{k} (mean)"] = figure
    return figures


def missing_figures(rows: Sequence[ProbeRow], false_positive_rates: Sequence[float]) -> tuple[str, ...]:
    """Warnings of a run about open-set figures that `open_set_figures` could not compute, with reasons."""
    searches = open_searches(rows)
    if not searches:
        return ("No gallery has probes both with and without a mate in it, so there are no open-set figures.",)
    sentences = []
    for rate in false_positive_rates:
        needed = nonmated_needed(rate)
        short = [search for search in searches if len(search.nonmated) < needed]
        if short:
            counts = "; ".join(f"{len(s.nonmated)} {f'in {s.name}' if s.name else 'there'}" for s in short)
            sentences.append(
                f"tpir@fpir={rate:g} is not given: it needs at least {needed} probes without a mate in a gallery "
                f"({counts})."
            )
    return tuple(sentences)


def _mean_figure(
    searches: Sequence[Search],
    values: Sequence[float | None],
    without: Sequence[float | None],
    places: Sequence[int],
    resampled: _Resampled | None,
    column: int,
) -> Figure | None:
    """The mean of one statistic over the searches at ``places``; None where one of them has no value."""
    value = mean_of([values[i] for i in places])
    if value is None:
        return None
    interval = NOT_COMPUTED if resampled is None else resampled.interval(value, places, column)
    without_failures = mean_of([without[i] for i in places])
    mated = [row for i in places for row in searches[i].mated]
    return Figure(
        value=value,
        n=len(mated),
        low=interval.low,
        high=interval.high,
        interval=interval.method,
        without_failures=without_failures,
        n_without_failures=0 if without_failures is None else sum(row.status != "failed" for row in mated),
    )


class _Resampled:
    """Every statistic of every gallery in every resample of identities: (resamples, galleries, statistics)."""

    def __init__(
        self, searches: Sequence[Search], rates: Sequence[float], ranks: Sequence[int], seed: int, resamples: int
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

    def interval(self, value: float, galleries: Sequence[int], column: int) -> Interval:
        """The interval of the mean of one statistic over galleries that all have a value."""
        if self.identities == 1:
            return Interval(None, None, "none: one identity only", 1)
        means = self.values[:, list(galleries), column].mean(axis=1)
        usable = means[np.isfinite(means)]  # a resample may lack mated or non-mated probes
        if len(usable) < 2 or np.ptp(usable) == 0:
            mated = [row.identity for i in galleries for row in self.searches[i].mated]
            return bootstrap_interval(np.full(len(mated), value), mated, seed=self.seed, resamples=100)
        low, high = percentile_ends(usable, 0.025)
        dropped = len(means) - len(usable)
        dropped_note = f" ({dropped} more had no probe of one kind)" if dropped else ""
        method = (
            f"bootstrap over {self.identities} identities, {len(usable)} resamples{dropped_note}, threshold set in each"
        )
        return Interval(float(low), float(high), method, self.identities)


class _Table:
    """The probes of one gallery as arrays, best scores first; ``people`` are indices of identities."""

    def __init__(self, search: Search, place: dict[str, int], ranks: Sequence[int]) -> None:
        def counts(rows: Sequence[ProbeRow]) -> Ints:
            return np.bincount([place[row.identity] for row in rows], minlength=len(place))

        def ordered(rows: Sequence[ProbeRow], scores: Sequence[float | None]) -> tuple[Ints, Floats]:
            values = np.array([-np.inf if score is None else score for score in scores], np.float64)
            order = np.argsort(-values, kind="stable")
            return np.array([place[row.identity] for row in rows], np.int64)[order], values[order]

        first = [row for row in search.mated if is_hit(row.rank)]
        self.hit_people, self.hit_scores = ordered(first, [row.best_mated_score for row in first])
        self.other_people, self.other_scores = ordered(
            search.nonmated, [row.best_nonmated_score for row in search.nonmated]
        )
        self.mated = counts(search.mated)
        self.hits = [counts([row for row in search.mated if is_hit(row.rank, k)]) for k in ranks]

    def statistics(self, weights: Ints, rates: Sequence[float]) -> Floats:
        """TPIR at each rate, then the rank-k rates, for given multiplicities of identities.

        Args:
            weights: (B, identities), how often each identity was drawn.
            rates: FPIR.

        Returns:
            float64 (B, statistics); NaN where a resample has no mated, or no non-mated, probe.
        """
        draws = np.arange(len(weights))
        alarms = np.cumsum(weights[:, self.other_people], axis=1)  # non-mated probes at or above each score
        hits = np.zeros((len(weights), len(self.hit_people) + 1), np.int64)
        np.cumsum(weights[:, self.hit_people], axis=1, out=hits[:, 1:])
        mated, others = weights @ self.mated, alarms[:, -1]
        columns = []
        for rate in rates:
            allowed = np.floor(others * rate + 1e-9).astype(np.int64)
            threshold_index = np.argmax(
                alarms > allowed[:, None], axis=1
            )  # the first probe above the allowed number of alarms
            threshold = np.where(allowed < others, self.other_scores[threshold_index], -np.inf)
            accepted_hits = np.searchsorted(-self.hit_scores, -threshold, side="left")  # scores that exceed it
            columns.append(hits[draws, accepted_hits])
        columns += [weights @ counts for counts in self.hits]
        table = np.stack(columns, axis=1) if columns else np.empty((len(weights), 0))
        usable = (mated > 0) & (others > 0)
        shares: Floats = np.where(usable[:, None], table / np.maximum(mated, 1)[:, None], np.nan)
        return shares
