"""Every two runs of a group on every figure: which is best, what cannot be told from it, how much they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.metrics.bootstrap import EQUAL_DIFFERENCES, Interval
from reports.runs.figure_names import MOST, PAIRED_FIGURE
from reports.runs.groups import Group
from reports.statistics.paired import Pair
from reports.statistics.together import difference_intervals
from reports.statistics.values import direction, values_of

_UNRANKED = ("accuracy std", "accuracy se")  # a steadier method is no better one
_Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rivalry:
    """One run less another on one figure.

    Attributes:
        difference: mean over the rows that both have.
        interval: 95 % interval of it, by bootstrap over identities.
        n: rows that both have.
    """

    difference: float
    interval: Interval
    n: int

    @property
    def undecided(self) -> bool:
        """Whether 0 is in the interval, or the two are equal on every row."""
        if self.interval.low is None or self.interval.high is None:
            return self.difference == 0 and self.interval.method == EQUAL_DIFFERENCES
        return self.interval.low <= 0 <= self.interval.high


@dataclass(frozen=True, slots=True)
class Standing:
    """How the runs of a group stand in one figure.

    Attributes:
        name: of the figure.
        unit: of the figure.
        best: places of the runs with the best value; none where neither way is better, one run has it, or all
            are equal.
        tied: places of runs whose paired difference to the first of the best has an interval that holds 0.
        told: whether ties could be looked for: the rows that the figure is a mean of are kept.
        pairs: by places (i, j), i < j: run i less run j; all of them up to `MOST` runs, else those with the best one.
    """

    name: str
    unit: str
    best: tuple[int, ...] = ()
    tied: tuple[int, ...] = ()
    told: bool = False
    pairs: Mapping[tuple[int, int], Rivalry] = field(default_factory=dict)

    def mark(self, place: int) -> str:
        """``best``, ``tied`` or nothing."""
        return "best" if place in self.best else "tied" if place in self.tied else ""


@dataclass(slots=True)
class _Column:
    """Differences of two runs on one figure, waiting for their interval."""

    name: str
    pair: tuple[int, int]
    values: NDArray[np.float64]


def standings(group: Group) -> dict[str, Standing]:
    """The standing of the runs in each figure of the whole.

    Intervals are those of `bench.metrics.bootstrap.difference_interval` with the first run's seed: all pairs over the
    same rows are resampled together, which costs one resampling and no more.

    Returns:
        By name of the figure; empty for a single run.
    """
    if len(group.runs) < 2:
        return {}
    found = {name: _best(group, name) for name in group.headlines}
    columns: dict[_Rows, list[_Column]] = {}
    for name, standing in found.items():
        for rows, column in _columns(group, name, standing):
            columns.setdefault(rows, []).append(column)
    pairs: dict[str, dict[tuple[int, int], Rivalry]] = {name: {} for name in found}
    for rows, own in columns.items():
        for column, rivalry in zip(own, _rivalries(rows, own, group.first.record.seed), strict=True):
            pairs[column.name][column.pair] = rivalry
    return {name: _with_ties(standing, pairs[name]) for name, standing in found.items()}


def _best(group: Group, name: str) -> Standing:
    figures = {i: run.record.metrics[name] for i, run in enumerate(group.runs) if name in run.record.metrics}
    unit = next(iter(figures.values())).unit
    way = direction(name, unit)
    if way is None or len(figures) < 2 or name in _UNRANKED:
        return Standing(name, unit)
    values = {i: figure.value for i, figure in figures.items()}
    top = max(values.values()) if way == "higher" else min(values.values())
    best = tuple(i for i, value in values.items() if value == top)
    return Standing(name, unit, best if len(best) < len(values) else ())


def _columns(group: Group, name: str, standing: Standing) -> list[tuple[_Rows, _Column]]:
    """Differences of all pairs of runs that keep the rows of a figure, with the rows that they are over."""
    kept: dict[int, dict[tuple[str, str], float]] = {}
    for place, run in enumerate(group.runs):
        values = values_of(run, name) if name in run.record.metrics else None
        if values:
            kept[place] = {(value.key, value.person): value.value for value in values}
    keys = {place: tuple(values) for place, values in kept.items()}
    arrays = {place: np.fromiter(values.values(), np.float64, len(values)) for place, values in kept.items()}
    found = []
    for i in kept:
        for j in kept:
            if i >= j or (len(group.runs) > MOST and not {i, j} & set(standing.best[:1])):
                continue
            if keys[i] == keys[j]:
                found.append((keys[i], _Column(name, (i, j), arrays[i] - arrays[j])))
                continue
            rows = tuple(row for row in keys[i] if row in kept[j])
            if rows:
                found.append((rows, _Column(name, (i, j), np.array([kept[i][row] - kept[j][row] for row in rows]))))
    return found


def _rivalries(rows: _Rows, columns: Sequence[_Column], seed: int) -> list[Rivalry]:
    who = [person for _, person in rows]
    number = len(columns)
    intervals = difference_intervals([column.values for column in columns], [who] * number, seeds=[seed] * number)
    return [
        Rivalry(float(column.values.mean()), found, len(rows)) for column, found in zip(columns, intervals, strict=True)
    ]


def _with_ties(standing: Standing, pairs: Mapping[tuple[int, int], Rivalry]) -> Standing:
    if not standing.best:
        return Standing(standing.name, standing.unit, pairs=pairs)
    top = standing.best[0]
    against = {i if j == top else j: rivalry for (i, j), rivalry in pairs.items() if top in (i, j)}
    tied = tuple(place for place in sorted(against) if place not in standing.best and against[place].undecided)
    return Standing(standing.name, standing.unit, standing.best, tied, bool(against), pairs)


@dataclass(frozen=True, slots=True)
class Delta:
    """A paired difference to a baseline.

    Attributes:
        difference: run less baseline, over the rows that both have.
        low: lower end of its 95 % interval, or None.
        high: upper end, likewise.
        method: how the interval was made, or why there is none.
        unit: of the figure.
        to: name of the baseline.
    """

    difference: float
    low: float | None
    high: float | None
    method: str
    unit: str
    to: str


def delta_name(group: Group) -> str:
    """The figure that differences are of: rank-1 of searches, else the first of the group."""
    return PAIRED_FIGURE if group.first.searched else group.headlines[0]


def deltas(group: Group, pairs: Mapping[int, Pair], standings: Mapping[str, Standing]) -> dict[int, Delta]:
    """The difference of each run to its baseline, by place; none for a baseline, and where there are no shared rows.

    Args:
        group: the group.
        pairs: the comparisons of a group whose probes are searched.
        standings: of the group.
    """
    if group.first.searched:
        return {
            place: Delta(
                pair.difference,
                pair.interval.low,
                pair.interval.high,
                pair.interval.method,
                "fraction",
                pair.baseline_name,
            )
            for place, pair in pairs.items()
        }
    standing = standings.get(delta_name(group))
    found = {}
    for place, base in enumerate(group.baselines):
        rivalry = standing.pairs.get((min(place, base), max(place, base))) if standing else None
        if standing is None or rivalry is None:
            continue
        way = 1 if place < base else -1
        ends = rivalry.interval.low, rivalry.interval.high
        low, high = (None, None) if None in ends else sorted(way * end + 0.0 for end in ends if end is not None)
        found[place] = Delta(
            way * rivalry.difference + 0.0, low, high, rivalry.interval.method, standing.unit, group.names[base]
        )
    return found
