"""Does prettier mean better recognised? PSNR of each method against how well its faces are recognised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.results import Figure
from reports.charts.chart import Chart, Number
from reports.charts.svg import colour, drawing, inline, label, legend, marker
from reports.runs.groups import Group
from reports.runs.items import RESTORATION, VERIFICATION
from reports.runs.run import Run
from reports.text.numbers import measured, unit_word

_PSNR, _LIKENESS = "psnr_db", "identity_similarity"
_LEAST = 2  # methods that make a comparison


@dataclass(frozen=True, slots=True)
class _Point:
    """One method: its quality and its recognition."""

    name: str
    quality: Figure
    recognition: Figure


def scatters(groups: Sequence[Group]) -> list[Chart]:
    """A chart for each pair of a section of restored faces and a section in which the same methods recognise.

    The same method: hallucinators of one name, version, arguments and weights. Likeness of embeddings within a section
    of restored faces makes a chart too.
    """
    found = []
    for pretty in groups:
        if pretty.kind != RESTORATION:
            continue
        for other in groups:
            name = _LIKENESS if other is pretty else other.headlines[0]
            if other is pretty or other.first.searched or other.kind == VERIFICATION:
                points = _points(pretty, other, name)
                if len(points) >= _LEAST:
                    found.append(_chart(pretty, other, name, points))
    return found


def _points(pretty: Group, other: Group, name: str) -> list[_Point]:
    quality: dict[str, Figure] = {}
    for run in pretty.runs:
        if _PSNR in run.record.metrics:
            quality.setdefault(_method(run), run.record.metrics[_PSNR])
    return [
        _Point(run_name, quality[_method(run)], run.record.metrics[name])
        for run_name, run in zip(other.names, other.runs, strict=True)
        if _method(run) in quality and name in run.record.metrics
    ]


def _method(run: Run) -> str:
    """What hallucinates: equal for the same method under two protocols."""
    stages = [stage for stage in run.stages if stage.stage == "hallucinate" and stage.side == "probe"]
    parts = [[s.name, s.version, dict(s.arguments), [dict(file) for file in s.weights]] for s in stages]
    return json.dumps([run.record.label if not parts else "", parts], sort_keys=True)


def _chart(pretty: Group, other: Group, name: str, points: Sequence[_Point]) -> Chart:
    unit = points[0].recognition.unit
    scale = 100 if unit == "fraction" else 1
    with drawing(4.0 + 0.24 * len(points)) as figure:
        axes = figure.add_subplot()
        for place, point in enumerate(points):
            x, y = point.quality, point.recognition
            axes.plot(
                [x.value], [scale * y.value], linestyle="none", marker=marker(place), color=colour(place), markersize=9,
                label=label(point.name),
            )  # fmt: skip
            if x.low is not None and x.high is not None:
                axes.hlines(scale * y.value, x.low, x.high, color=colour(place), linewidth=1.2)
            if y.low is not None and y.high is not None:
                axes.vlines(x.value, scale * y.low, scale * y.high, color=colour(place), linewidth=1.2)
        axes.set_xlabel("PSNR, dB")
        axes.set_ylabel(f"{name}{f', {unit_word(unit)}' if unit_word(unit) else ''}")
        axes.grid(True, linewidth=0.8)
        legend(figure, axes)
        drawn = f"PSNR against {name} of {', '.join(label(point.name) for point in points)}"
        svg = inline(figure, f"p{pretty.number}x{other.number}-", drawn)
    where = "the same faces" if other is pretty else f"{_protocol(other)} (section {other.number})"
    rho = _spearman([p.quality.value for p in points], [p.recognition.value for p in points])
    told = (
        f" Spearman's rank correlation over {len(points)} runs: {rho:.2f}.".replace("-", "−") if rho is not None else ""
    )
    return Chart(
        f"pretty{pretty.number}x{other.number}",
        f"PSNR against {name}, {where}",
        svg,
        f"A point a method: mean PSNR over the faces of section {pretty.number} ({_protocol(pretty)}), and "
        f"{name} of {where}. Lines: 95 % intervals.{told} Few methods show no law.",
        ("Method", "PSNR, dB", "Faces", f"{name}{f', {unit_word(unit)}' if unit_word(unit) else ''}", "Over"),
        tuple(
            (
                point.name,
                Number(point.quality.value, measured(point.quality.value, point.quality.unit)),
                Number(point.quality.n, f"{point.quality.n:,}"),
                Number(point.recognition.value, measured(point.recognition.value, unit)),
                Number(point.recognition.n, f"{point.recognition.n:,}"),
            )
            for point in points
        ),
    )


def _protocol(group: Group) -> str:
    return label(group.first.record.protocol["name"], 40)


def _spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Rank correlation, ties at their mean rank; None below three points, or where one side does not vary."""
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)
