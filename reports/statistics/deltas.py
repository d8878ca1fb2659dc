"""What each run gains on its baseline in the first figure of its section, with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.page.to_csv import PAIRED_FIGURE
from reports.runs.groups import Group
from reports.statistics.paired import Pair
from reports.statistics.pairwise import Standing


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
