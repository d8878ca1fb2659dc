"""How far faces are turned: rank-1 by yaw, quality by yaw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.results import Figure, ProbeRow
from reports.charts.chart import Chart, Number
from reports.charts.svg import colour, drawing, inline, label, legend, line
from reports.runs.figure_names import split
from reports.runs.groups import Group
from reports.runs.items import RESTORATION
from reports.runs.run import Run
from reports.runs.searches import in_parts
from reports.statistics.together import mean_intervals
from reports.text.numbers import GAP, count, measured, metric, unit_word

_APART = 9  # yaws that are shown one by one
_RANGE = 15  # degrees
_QUALITIES = ("psnr_db", "ssim", "identity_similarity")


@dataclass(frozen=True, slots=True)
class _Point:
    """A figure at one yaw."""

    value: float
    low: float | None
    high: float | None
    n: int


def rank_by_yaw(group: Group) -> Chart | None:
    """Rank-1 of the probes turned so far to either side, where their yaw is known."""
    if not group.first.searched:
        return None
    ranges = _ranges([yaw for run in group.runs for _, row in run.head if (yaw := _yaw(row)) is not None])
    if len(ranges) < 2:
        return None
    points = _rank_points(group.runs, ranges)
    words = "Share of probes found at rank 1"
    svg = _lines(group, ranges, points, "fraction", f"{words} by yaw", f"y{group.number}-")
    where = " in the galleries of the headline figures" if in_parts(run.probes for run in group.runs) else ""
    return Chart(
        "yaw",
        "Rank-1 by yaw",
        svg,
        f"{words}, of all probes turned so far to either side{where}, a failed one counted as a miss. Bars: 95 % "
        "interval by bootstrap over identities. The number of probes stands beside each value in the table.",
        ("Method", *(f"{text}, %" for _, _, text in ranges)),
        _rows(group, points, "fraction"),
    )


def quality_by_yaw(group: Group) -> list[Chart]:
    """Quality of restored faces by yaw: the figures of the run."""
    if group.kind != RESTORATION:
        return []
    return [chart for name in _QUALITIES if (chart := _quality(group, name)) is not None]


def _quality(group: Group, name: str) -> Chart | None:
    parts = [split(full)[1] for full in group.metrics if split(full)[0] == name]
    yaws = sorted(yaw for part in parts if (yaw := _of_part(part)) is not None)
    if len(yaws) < 2:
        return None
    ranges = [(yaw, yaw, f"{yaw:g}°") for yaw in yaws]
    records = [run.record.metrics for run in group.runs]
    points = [[_figure_point(metrics, f"{name} (yaw {yaw:g})") for yaw in yaws] for metrics in records]
    unit = next(figure.unit for metrics in records for full, figure in metrics.items() if split(full)[0] == name)
    title = f"{metric(name)} by yaw"
    svg = _lines(group, ranges, points, unit, title, f"q{name[0]}{group.number}-")
    return Chart(
        f"yaw-{name.replace('_', '')}",
        title,
        svg,
        "Means over the faces turned so far to either side that could be compared, as in the run; bars: its 95 % "
        "intervals. The number of faces stands beside each value in the table.",
        ("Method", *(f"{text}{f', {unit_word(unit)}' if unit_word(unit) else ''}" for _, _, text in ranges)),
        _rows(group, points, unit),
    )


def _lines(
    group: Group,
    ranges: Sequence[tuple[float, float, str]],
    points: Sequence[Sequence[_Point | None]],
    unit: str,
    title: str,
    prefix: str,
) -> str:
    """A line a run, gaps where it has no value."""
    scale = 100 if unit == "fraction" else 1
    with drawing(3.6 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for place, (name, own) in enumerate(zip(group.names, points, strict=True)):
            apart = 0.04 * (place - (len(group.runs) - 1) / 2)  # so that bars stand side by side
            xs = [at + apart for at in range(len(ranges))]
            axes.plot(xs, [scale * p.value if p else math.nan for p in own], **line(place), label=label(name))
            for x, point in zip(xs, own, strict=True):
                if point and point.low is not None and point.high is not None:
                    axes.vlines(x, scale * point.low, scale * point.high, color=colour(place), linewidth=1.5)
        axes.set_xticks(range(len(ranges)), [text for _, _, text in ranges])
        axes.set_xlabel("yaw, to either side")
        axes.set_ylabel(
            f"rank-1, {unit_word(unit)}" if unit == "fraction" else unit_word(unit) or title.split(" by")[0]
        )
        if unit == "fraction":
            axes.set_ylim(-1, 101)
        axes.grid(True, linewidth=0.8)
        legend(figure, axes)
        return inline(figure, prefix, f"{title} of {', '.join(label(name) for name in group.names)}")


def _rows(group: Group, points: Sequence[Sequence[_Point | None]], unit: str) -> tuple[tuple[str | Number, ...], ...]:
    return tuple(
        (
            name,
            *(
                Number(point.value, f"{measured(point.value, unit)} (n = {count(point.n)})")
                if point
                else Number(None, GAP)
                for point in own
            ),
        )
        for name, own in zip(group.names, points, strict=True)
    )


def _ranges(yaws: Sequence[float]) -> list[tuple[float, float, str]]:
    """First and last yaw of each range, in degrees, and its name; every yaw by itself where there are few."""
    known = sorted({abs(yaw) for yaw in yaws})
    if len(known) <= _APART:
        return [(yaw, yaw, f"{yaw:g}°") for yaw in known]
    starts = range(0, math.ceil((known[-1] + 1e-9) / _RANGE) * _RANGE, _RANGE)
    found = [(start, math.nextafter(start + _RANGE, 0), f"{start}° to {start + _RANGE}°") for start in starts]
    return [(start, end, text) for start, end, text in found if any(start <= yaw <= end for yaw in known)]


def _rank_points(runs: Sequence[Run], ranges: Sequence[tuple[float, float, str]]) -> list[list[_Point | None]]:
    """Of each run and range: as the run has it, else over its rows."""
    points: list[list[_Point | None]] = []
    own: dict[tuple[int, int], list[ProbeRow]] = {}
    for i, run in enumerate(runs):
        stored = [_figure_point(run.record.metrics, f"rank-1 (yaw {a:g})") if a == b else None for a, b, _ in ranges]
        points.append(stored)
        turned = [(abs(yaw), row) for _, row in run.head if (yaw := _yaw(row)) is not None]
        for at, (start, end, _) in enumerate(ranges):
            rows = [row for yaw, row in turned if start <= yaw <= end]
            if stored[at] is None and rows:
                own[i, at] = rows
    hits = [[float(row.rank == 1) for row in rows] for rows in own.values()]
    people = [[row.identity for row in rows] for rows in own.values()]
    intervals = mean_intervals(hits, people, seeds=[runs[i].record.seed for i, _ in own])
    for (i, at), found, interval in zip(own, hits, intervals, strict=True):
        points[i][at] = _Point(sum(found) / len(found), interval.low, interval.high, len(found))
    return points


def _figure_point(metrics: Mapping[str, Figure], name: str) -> _Point | None:
    figure = metrics.get(name)
    return _Point(figure.value, figure.low, figure.high, figure.n) if figure else None


def _yaw(row: ProbeRow) -> float | None:
    yaw = row.attributes.get("yaw_deg")
    return float(yaw) if isinstance(yaw, int | float) and math.isfinite(yaw) else None


def _of_part(part: str) -> float | None:
    word, _, number = part.partition(" ")
    try:
        return float(number) if word == "yaw" else None
    except ValueError:
        return None
