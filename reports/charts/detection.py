"""Errors against the threshold: TPIR and FPIR of open-set searches, DET curves of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.roc import Curve, roc
from reports.charts.chart import Chart, Number
from reports.charts.svg import drawing, inline, label, legend, line
from reports.runs.groups import Group
from reports.runs.items import VERIFICATION
from reports.runs.run import Run
from reports.runs.searches import open_searches, open_tpir
from reports.text.numbers import GAP, count, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = 25  # rates that a curve is drawn at
_MOST = 400  # points of a DET curve


def open_set(group: Group) -> Chart | None:
    """TPIR against FPIR, where some probes have no mate; each point as `tpir@fpir` in ``run.json`` is made."""
    if not group.first.searched:
        return None
    fewest = min((len(s.nonmated) for run in group.runs for s in open_searches(run.probes).values()), default=0)
    if fewest < 2:
        return None
    rates = np.geomspace(1 / fewest, 1, _STEPS)
    asked = [float(rate) for rate in group.first.record.protocol.get("false_positive_rates", [])]
    rows: list[tuple[str | Number, ...]] = []
    with drawing(4.2 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for place, (run, name) in enumerate(zip(group.runs, group.names, strict=True)):
            searches = list(open_searches(run.probes).values())
            curve = [(rate, open_tpir(float(rate), searches)) for rate in rates]
            points = [(rate, value) for rate, value in curve if value is not None]
            axes.plot([x for x, _ in points], [y for _, y in points], **line(place), markevery=4, label=label(name))
            mated, others = sum(len(s.mated) for s in searches), sum(len(s.nonmated) for s in searches)
            values = [open_tpir(rate, searches) for rate in asked]
            rows.append((name, count_of(mated), count_of(others), *map(share, values)))
        _percents(axes)
        axes.set_xlabel("FPIR (logarithmic)")
        axes.set_ylabel("TPIR at rank 1")
        legend(figure, axes)
        svg = inline(figure, f"o{group.number}-", f"TPIR against FPIR of {_names(group)}")
    return Chart(
        "openset",
        "Open-set search: TPIR against FPIR",
        svg,
        "Share of the probes with a mate whose mate ranks first above the threshold, against the share of the probes "
        "without a mate that are accepted; the plain mean over galleries where there are several. "
        f"Curves begin where one of {count(fewest)} probes without a mate is accepted.",
        ("Method", "Searches with a mate", "Without", *(f"TPIR at FPIR {rate:g}, %" for rate in asked)),
        tuple(rows),
    )


def det(group: Group) -> Chart | None:
    """False rejects against false accepts of pairs, from the scores that a run keeps."""
    if group.kind != VERIFICATION:
        return None
    curves = [(name, run, curve_of(run)) for name, run in zip(group.names, group.runs, strict=True)]
    if not any(curve for _, _, curve in curves):
        return None
    rows: list[tuple[str | Number, ...]] = []
    names = [name for name in group.metrics if name == "eer" or name.startswith("tar@far=")]
    with drawing(4.2 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for place, (name, run, curve) in enumerate(curves):
            figures = [run.record.metrics.get(metric) for metric in names]
            cells = [share(figure.value if figure else None) for figure in figures]
            if curve is None:
                rows.append((name, Number(None, GAP), Number(None, GAP), *cells))
                continue
            far, tar = curve.rates
            kept = curve.corners
            if len(kept) > _MOST:
                kept = kept[np.unique(np.linspace(0, len(kept) - 1, _MOST).round().astype(int))]
            kept = kept[far[kept] > 0]
            axes.plot(
                far[kept], 1 - tar[kept], **line(place), markevery=0.15, label=label(name), drawstyle="steps-post"
            )
            rows.append((name, count_of(int(curve.true[-1])), count_of(int(curve.false[-1])), *cells))
        _percents(axes)
        axes.set_xlabel("false accepts (logarithmic)")
        axes.set_ylabel("false rejects")
        legend(figure, axes)
        svg = inline(figure, f"d{group.number}-", f"DET curves of {_names(group)}")
    return Chart(
        "det",
        "DET curves",
        svg,
        "Share of the pairs of one person that are rejected, against the share of the pairs of two people that are "
        "accepted, at every threshold. A pair with a failed template is never accepted, and counts. The figures in the "
        "table are those of the run.",
        ("Method", "Pairs of one person", "Of two", *(f"{name}, %" for name in names)),
        tuple(rows),
    )


def curve_of(run: Run) -> Curve | None:
    """The curve of a verification run; None where it keeps no scores of both kinds."""
    scores, same = run.arrays.get("scores"), run.arrays.get("same")
    if scores is None or same is None or scores.ndim != 1 or scores.shape != same.shape:
        return None
    alike = same.astype(bool)
    return roc(scores, alike) if alike.any() and not alike.all() and not np.isinf(scores).any() else None


def share(value: float | None) -> Number:
    """A fraction as percent."""
    return Number(value, percent(value))


def count_of(number: int) -> Number:
    """A whole number."""
    return Number(number, count(number))


def _names(group: Group) -> str:
    return ", ".join(label(name) for name in group.names)


def _percents(axes: Axes) -> None:
    from matplotlib.ticker import NullLocator, PercentFormatter

    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:g}%")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.set_ylim(-0.005, 1.005)
    axes.grid(True, linewidth=0.8)
