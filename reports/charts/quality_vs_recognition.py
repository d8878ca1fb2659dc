"""Image quality against recognition: PSNR of each method against the recognition figure of the same method."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.results import Figure
from bench.results.kinds import RESTORATION, VERIFICATION
from reports.charts.chart import Chart, Number
from reports.charts.svg import colour, drawing, inline, label, labels, legend, marker
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.text.numbers import unit_word

_PSNR, _SIMILARITY = "psnr_db", "identity_similarity"
_MIN_METHODS = 2


@dataclass(frozen=True, slots=True)
class _Point:
    """One method: its image quality and its recognition figure."""

    name: str
    quality: Figure
    recognition: Figure


def scatters(groups: Sequence[Group]) -> list[Chart]:
    """A chart for each restoration section with each recognition section that shares at least two methods with it.

    The same method means hallucinators with the same name, version, arguments and weights. The similarity of
    embeddings within a restoration section is charted too.
    """
    charts = []
    for restoration in groups:
        if restoration.kind != RESTORATION:
            continue
        for other in groups:
            name = _SIMILARITY if other is restoration else other.headlines[0]
            if other is restoration or other.first.searched or other.kind == VERIFICATION:
                points = _points(restoration, other, name)
                if len(points) >= _MIN_METHODS:
                    charts.append(_chart(restoration, other, name, points))
    return charts


def _points(restoration: Group, other: Group, name: str) -> list[_Point]:
    quality: dict[str, Figure] = {}
    for run in restoration.runs:
        if _PSNR in run.record.metrics:
            quality.setdefault(_method(run), run.record.metrics[_PSNR])
    return [
        _Point(run_name, quality[_method(run)], run.record.metrics[name])
        for run_name, run in zip(other.names, other.runs, strict=True)
        if _method(run) in quality and name in run.record.metrics
    ]


def _method(run: Run) -> str:
    """The hallucinator with its version, arguments and weights: equal for the same method under two protocols."""
    stages = [stage for stage in run.stages if stage.stage == "hallucinate" and stage.side == "probe"]
    parts = [[s.name, s.version, dict(s.arguments), [dict(file) for file in s.weights]] for s in stages]
    return json.dumps([run.record.label if not parts else "", parts], sort_keys=True)


def _chart(restoration: Group, other: Group, name: str, points: Sequence[_Point]) -> Chart:
    unit = points[0].recognition.unit
    scale = 100 if unit == "fraction" else 1
    heading = f"{name}, {unit_word(unit)}" if unit_word(unit) else name
    with drawing(4.0 + 0.24 * len(points)) as figure:
        axes = figure.add_subplot()
        for index, point in enumerate(points):
            x, y = point.quality, point.recognition
            axes.plot(
                [x.value], [scale * y.value], linestyle="none", marker=marker(index), color=colour(index), markersize=9,
                label=label(point.name),
            )  # fmt: skip
            if x.low is not None and x.high is not None:
                axes.hlines(scale * y.value, x.low, x.high, color=colour(index), linewidth=1.2)
            if y.low is not None and y.high is not None:
                axes.vlines(x.value, scale * y.low, scale * y.high, color=colour(index), linewidth=1.2)
        axes.set_xlabel("PSNR, dB")
        axes.set_ylabel(heading)
        axes.grid(True, linewidth=0.8)
        legend(figure, axes)
        description = f"PSNR against {name} of {labels(point.name for point in points)}"
        svg = inline(figure, f"p{restoration.number}x{other.number}-", description)
    where = "the same faces" if other is restoration else f"{_protocol(other)} (section {other.number})"
    rho = _spearman([p.quality.value for p in points], [p.recognition.value for p in points])
    correlation = ""
    if rho is not None:
        correlation = f" Spearman's rank correlation over {len(points)} runs: {rho:.2f}.".replace("-", "−")
    return Chart(
        f"pretty{restoration.number}x{other.number}",
        f"PSNR against {name}, {where}",
        svg,
        f"One point for each method: mean PSNR over the faces of section {restoration.number} "
        f"({_protocol(restoration)}), and {name} of {where}. Lines: 95 % intervals.{correlation} A correlation over "
        f"few methods is no evidence of "
        "a general relation.",
        ("Method", "PSNR, dB", "Faces", heading, "Denominator"),
        tuple(
            (
                point.name,
                Number.measured(point.quality.value, point.quality.unit),
                Number.count(point.quality.n),
                Number.measured(point.recognition.value, unit),
                Number.count(point.recognition.n),
            )
            for point in points
        ),
    )


def _protocol(group: Group) -> str:
    return label(group.first.record.protocol["name"], 40)


def _spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None below three points, or where one side does not vary."""
    from scipy.stats import spearmanr

    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(spearmanr(first, second).statistic)
