"""Every two runs of a group on every figure: the best run, those not significantly different from it, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.metrics.bootstrap import EQUAL_DIFFERENCES, Interval
from reports.runs.figure_names import MOST, PAIRED_FIGURE
from reports.runs.groups import Group
from reports.statistics.intervals import difference_intervals
from reports.statistics.paired import BaselineComparison
from reports.statistics.values import direction, row_values

_UNRANKED = ("accuracy std", "accuracy se")  # a smaller spread does not make a method better
_Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """One run less another on one figure.

    Attributes:
        difference: mean over the rows that both runs have.
        interval: its 95 % interval, by bootstrap over identities.
        n: number of rows that both runs have.
    """

    difference: float
    interval: Interval
    n: int

    @property
    def includes_zero(self) -> bool:
        """Whether the interval includes 0, or the two runs are equal on every row."""
        if self.interval.low is None or self.interval.high is None:
            return self.difference == 0 and self.interval.method == EQUAL_DIFFERENCES
        return self.interval.low <= 0 <= self.interval.high


@dataclass(frozen=True, slots=True)
class FigureRanking:
    """The runs of a group ranked by one figure.

    Attributes:
        name: of the figure.
        unit: of the figure.
        best: indices of the runs with the best value. Empty where no direction is better, where one run alone has the
            figure, or where all values are equal.
        tied: indices of the runs whose paired difference to the first of the best has a 95 % interval that includes 0.
        testable: whether ties could be computed: the figure is a mean over rows, and the rows are kept.
        pairs: by indices (i, j), i < j: run i less run j. All pairs of up to `MOST` runs; of more runs, those with the
            best one.
    """

    name: str
    unit: str
    best: tuple[int, ...] = ()
    tied: tuple[int, ...] = ()
    testable: bool = False
    pairs: Mapping[tuple[int, int], PairedDifference] = field(default_factory=dict)

    def mark(self, index: int) -> str:
        """``best``, ``tied`` or an empty text for the run at that index."""
        return "best" if index in self.best else "tied" if index in self.tied else ""


@dataclass(frozen=True, slots=True)
class BaselineDifference:
    """The paired difference of a run to its baseline.

    Attributes:
        difference: run less baseline, over the rows that both have.
        low: lower end of its 95 % interval, or None.
        high: upper end, likewise.
        method: how the interval was computed, or why there is none.
        unit: of the figure.
        baseline: name of the baseline.
    """

    difference: float
    low: float | None
    high: float | None
    method: str
    unit: str
    baseline: str


@dataclass(slots=True)
class _Column:
    """Differences of two runs on one figure, before their interval is computed."""

    name: str
    pair: tuple[int, int]
    values: NDArray[np.float64]


def rank_runs(group: Group) -> dict[str, FigureRanking]:
    """Rank the runs of a group by each of its headline figures.

    Intervals are those of `bench.metrics.bootstrap.difference_interval` with the seed of the first run. All pairs over
    the same rows share one resampling.

    Returns:
        By name of the figure; empty for a single run.
    """
    if len(group.runs) < 2:
        return {}
    rankings = {name: _rank_best(group, name) for name in group.headlines}
    columns: dict[_Rows, list[_Column]] = {}
    for name, ranking in rankings.items():
        for rows, column in _difference_columns(group, name, ranking):
            columns.setdefault(rows, []).append(column)
    pairs: dict[str, dict[tuple[int, int], PairedDifference]] = {name: {} for name in rankings}
    for rows, same_rows in columns.items():
        differences = _paired_differences(rows, same_rows, group.first.record.seed)
        for column, difference in zip(same_rows, differences, strict=True):
            pairs[column.name][column.pair] = difference
    return {name: _with_ties(ranking, pairs[name]) for name, ranking in rankings.items()}


def baseline_figure(group: Group) -> str:
    """The figure whose differences to the baseline are shown: rank-1 of searches, else the first of the group."""
    return PAIRED_FIGURE if group.first.searched else group.headlines[0]


def baseline_differences(
    group: Group, comparisons: Mapping[int, BaselineComparison], rankings: Mapping[str, FigureRanking]
) -> dict[int, BaselineDifference]:
    """The difference of each run to its baseline, by index of the run.

    Baselines have no entry, and neither have runs that share no row with their baseline.

    Args:
        group: the group.
        comparisons: of the runs with their baselines, for a group whose probes are searched in a gallery.
        rankings: of the group, see `rank_runs`.
    """
    if group.first.searched:
        return {
            index: BaselineDifference(
                comparison.difference,
                comparison.interval.low,
                comparison.interval.high,
                comparison.interval.method,
                "fraction",
                comparison.baseline_name,
            )
            for index, comparison in comparisons.items()
        }
    ranking = rankings.get(baseline_figure(group))
    differences = {}
    for index, base in enumerate(group.baselines):
        pair = ranking.pairs.get((min(index, base), max(index, base))) if ranking else None
        if ranking is None or pair is None:
            continue
        sign = 1 if index < base else -1
        ends = pair.interval.low, pair.interval.high
        low, high = (None, None) if None in ends else sorted(sign * end + 0.0 for end in ends if end is not None)
        differences[index] = BaselineDifference(
            sign * pair.difference + 0.0, low, high, pair.interval.method, ranking.unit, group.names[base]
        )
    return differences


def _rank_best(group: Group, name: str) -> FigureRanking:
    figures = {i: run.record.metrics[name] for i, run in enumerate(group.runs) if name in run.record.metrics}
    unit = next(iter(figures.values())).unit
    better = direction(name, unit)
    if better is None or len(figures) < 2 or name in _UNRANKED:
        return FigureRanking(name, unit)
    values = {i: figure.value for i, figure in figures.items()}
    top = max(values.values()) if better == "higher" else min(values.values())
    best = tuple(i for i, value in values.items() if value == top)
    return FigureRanking(name, unit, best if len(best) < len(values) else ())


def _difference_columns(group: Group, name: str, ranking: FigureRanking) -> list[tuple[_Rows, _Column]]:
    """Differences of all pairs of runs that keep the rows of a figure, each with its rows."""
    by_run: dict[int, dict[tuple[str, str], float]] = {}
    for index, run in enumerate(group.runs):
        values = row_values(run, name) if name in run.record.metrics else None
        if values:
            by_run[index] = {(value.key, value.person): value.value for value in values}
    keys = {index: tuple(values) for index, values in by_run.items()}
    arrays = {index: np.fromiter(values.values(), np.float64, len(values)) for index, values in by_run.items()}
    columns = []
    for i in by_run:
        for j in by_run:
            if i >= j or (len(group.runs) > MOST and not {i, j} & set(ranking.best[:1])):
                continue
            if keys[i] == keys[j]:
                columns.append((keys[i], _Column(name, (i, j), arrays[i] - arrays[j])))
                continue
            rows = tuple(row for row in keys[i] if row in by_run[j])
            if rows:
                differences = np.array([by_run[i][row] - by_run[j][row] for row in rows])
                columns.append((rows, _Column(name, (i, j), differences)))
    return columns


def _paired_differences(rows: _Rows, columns: Sequence[_Column], seed: int) -> list[PairedDifference]:
    people = [person for _, person in rows]
    number = len(columns)
    intervals = difference_intervals([column.values for column in columns], [people] * number, seeds=[seed] * number)
    return [
        PairedDifference(float(column.values.mean()), interval, len(rows))
        for column, interval in zip(columns, intervals, strict=True)
    ]


def _with_ties(ranking: FigureRanking, pairs: Mapping[tuple[int, int], PairedDifference]) -> FigureRanking:
    if not ranking.best:
        return FigureRanking(ranking.name, ranking.unit, pairs=pairs)
    top = ranking.best[0]
    to_best = {i if j == top else j: difference for (i, j), difference in pairs.items() if top in (i, j)}
    tied = tuple(index for index in sorted(to_best) if index not in ranking.best and to_best[index].includes_zero)
    return FigureRanking(ranking.name, ranking.unit, ranking.best, tied, bool(to_best), pairs)
