"""Rank-1 and image quality by yaw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.metrics.identification import is_hit
from bench.results import Figure, ProbeRow, yaw_deg
from bench.results.kinds import RESTORATION
from reports.charts.chart import Chart, Number
from reports.charts.svg import colour, drawing, inline, label, labels, legend, line
from reports.runs.figure_names import split
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.runs.searches import in_parts
from reports.statistics.intervals import mean_intervals
from reports.text.numbers import count, measured, metric, unit_word

_MAX_SINGLE_YAWS = 9  # more yaws are shown in ranges
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
    """Rank-1 by absolute yaw, over the probes whose yaw is known."""
    if not group.first.searched:
        return None
    ranges = _ranges([yaw for run in group.runs for _, row in run.head if (yaw := yaw_deg(row)) is not None])
    if len(ranges) < 2:
        return None
    points = _rank_points(group.runs, ranges)
    share = "Share of probes with rank 1"
    svg = _lines(group, ranges, points, "fraction", f"{share} by yaw", f"y{group.number}-")
    where = " in the galleries of the headline figures" if in_parts(run.probes for run in group.runs) else ""
    return Chart(
        "yaw",
        "Rank-1 by yaw",
        svg,
        f"{share}, of all probes with that absolute yaw{where}; a failed probe counts as a miss. Bars: 95 % intervals, "
        "by bootstrap over identities. The table gives the number of probes beside each value.",
        ("Method", *(f"{text}, %" for _, _, text in ranges)),
        _rows(group, points, "fraction"),
    )


def quality_by_yaw(group: Group) -> list[Chart]:
    """Image quality of restored faces by absolute yaw, as in ``run.json``."""
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
        "Means over the faces with that absolute yaw that could be compared, as in run.json. Bars: 95 % intervals. The "
        "table gives the number of faces beside each value.",
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
    """One line for each run, with gaps where it has no value."""
    scale = 100 if unit == "fraction" else 1
    with drawing(3.6 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for index, (name, line_points) in enumerate(zip(group.names, points, strict=True)):
            shift = 0.04 * (index - (len(group.runs) - 1) / 2)  # bars side by side
            xs = [at + shift for at in range(len(ranges))]
            axes.plot(xs, [scale * p.value if p else math.nan for p in line_points], **line(index), label=label(name))
            for x, point in zip(xs, line_points, strict=True):
                if point and point.low is not None and point.high is not None:
                    axes.vlines(x, scale * point.low, scale * point.high, color=colour(index), linewidth=1.5)
        axes.set_xticks(range(len(ranges)), [text for _, _, text in ranges])
        axes.set_xlabel("absolute yaw")
        axes.set_ylabel(
            f"rank-1, {unit_word(unit)}" if unit == "fraction" else unit_word(unit) or title.split(" by")[0]
        )
        if unit == "fraction":
            axes.set_ylim(-1, 101)
        axes.grid(True, linewidth=0.8)
        legend(figure, axes)
        return inline(figure, prefix, f"{title} of {labels(group.names)}")


def _rows(group: Group, points: Sequence[Sequence[_Point | None]], unit: str) -> tuple[tuple[str | Number, ...], ...]:
    return tuple(
        (
            name,
            *(
                Number(point.value, f"{measured(point.value, unit)} (n = {count(point.n)})") if point else Number.gap()
                for point in run_points
            ),
        )
        for name, run_points in zip(group.names, points, strict=True)
    )


def _ranges(yaws: Sequence[float]) -> list[tuple[float, float, str]]:
    """First and last absolute yaw of each range in degrees, and its name; single yaws where there are few."""
    known = sorted({abs(yaw) for yaw in yaws})
    if len(known) <= _MAX_SINGLE_YAWS:
        return [(yaw, yaw, f"{yaw:g}°") for yaw in known]
    starts = range(0, math.ceil((known[-1] + 1e-9) / _RANGE) * _RANGE, _RANGE)
    ranges = [(start, math.nextafter(start + _RANGE, 0), f"{start}° to {start + _RANGE}°") for start in starts]
    return [(start, end, text) for start, end, text in ranges if any(start <= yaw <= end for yaw in known)]


def _rank_points(runs: Sequence[Run], ranges: Sequence[tuple[float, float, str]]) -> list[list[_Point | None]]:
    """The rank-1 rate of each run and range: as in ``run.json`` where it is there, else over the rows."""
    points: list[list[_Point | None]] = []
    rows_by_point: dict[tuple[int, int], list[ProbeRow]] = {}
    for i, run in enumerate(runs):
        stored = [_figure_point(run.record.metrics, f"rank-1 (yaw {a:g})") if a == b else None for a, b, _ in ranges]
        points.append(stored)
        with_yaw = [(abs(yaw), row) for _, row in run.head if (yaw := yaw_deg(row)) is not None]
        for at, (start, end, _) in enumerate(ranges):
            rows = [row for yaw, row in with_yaw if start <= yaw <= end]
            if stored[at] is None and rows:
                rows_by_point[i, at] = rows
    hits = [[float(is_hit(row.rank)) for row in rows] for rows in rows_by_point.values()]
    people = [[row.identity for row in rows] for rows in rows_by_point.values()]
    intervals = mean_intervals(hits, people, seeds=[runs[i].record.seed for i, _ in rows_by_point])
    for (i, at), point_hits, interval in zip(rows_by_point, hits, intervals, strict=True):
        points[i][at] = _Point(sum(point_hits) / len(point_hits), interval.low, interval.high, len(point_hits))
    return points


def _figure_point(metrics: Mapping[str, Figure], name: str) -> _Point | None:
    figure = metrics.get(name)
    return _Point(figure.value, figure.low, figure.high, figure.n) if figure else None


def _of_part(part: str) -> float | None:
    word, _, number = part.partition(" ")
    try:
        return float(number) if word == "yaw" else None
    except ValueError:
        return None
