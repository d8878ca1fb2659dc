"""Error rates over all thresholds: TPIR against FPIR of open-set searches, DET curves of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.evaluation.identification.galleries import mean_tpir, open_searches
from bench.metrics.roc import Curve, roc
from bench.results.kinds import VERIFICATION
from reports.charts.chart import Chart, Number
from reports.charts.svg import drawing, inline, label, labels, legend, line
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.text.numbers import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = 25  # FPIRs at which a curve is drawn
_MAX_POINTS = 400  # points of a DET curve


def open_set(group: Group) -> Chart | None:
    """TPIR against FPIR where some probes have no mate, by the rule of `tpir@fpir` in ``run.json``."""
    if not group.first.searched:
        return None
    fewest = min((len(s.nonmated) for run in group.runs for s in open_searches(run.probes)), default=0)
    if fewest < 2:
        return None
    rates = np.geomspace(1 / fewest, 1, _STEPS)
    listed = [float(rate) for rate in group.first.record.protocol.get("false_positive_rates", [])]
    rows: list[tuple[str | Number, ...]] = []
    with drawing(4.2 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for index, (run, name) in enumerate(zip(group.runs, group.names, strict=True)):
            searches = open_searches(run.probes)
            curve = [(rate, mean_tpir(searches, float(rate))) for rate in rates]
            points = [(rate, value) for rate, value in curve if value is not None]
            axes.plot([x for x, _ in points], [y for _, y in points], **line(index), markevery=4, label=label(name))
            mated, others = sum(len(s.mated) for s in searches), sum(len(s.nonmated) for s in searches)
            values = [mean_tpir(searches, rate) for rate in listed]
            rows.append(
                (
                    name,
                    Number.count(mated),
                    Number.count(others),
                    *(Number.measured(value, "fraction") for value in values),
                )
            )
        _format_percent(axes)
        axes.set_xlabel("FPIR (logarithmic)")
        axes.set_ylabel("TPIR at rank 1")
        legend(figure, axes)
        svg = inline(figure, f"o{group.number}-", f"TPIR against FPIR of {labels(group.names)}")
    return Chart(
        "openset",
        "Open-set search: TPIR against FPIR",
        svg,
        "Share of the probes with a mate whose mate ranks first with a score above the threshold, against the share of "
        "the probes without a mate that are accepted. With several galleries: the plain mean over them. "
        f"Curves begin at one accepted probe of {count(fewest)} without a mate.",
        ("Method", "Searches with a mate", "Searches without", *(f"TPIR at FPIR {rate:g}, %" for rate in listed)),
        tuple(rows),
    )


def det(group: Group) -> Chart | None:
    """False rejects against false accepts of pairs, from the scores of the run."""
    if group.kind != VERIFICATION:
        return None
    curves = [(name, run, curve_of(run)) for name, run in zip(group.names, group.runs, strict=True)]
    if not any(curve for _, _, curve in curves):
        return None
    rows: list[tuple[str | Number, ...]] = []
    names = [name for name in group.metrics if name == "eer" or name.startswith("tar@far=")]
    with drawing(4.2 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for index, (name, run, curve) in enumerate(curves):
            figures = [run.record.metrics.get(metric) for metric in names]
            cells = [Number.measured(figure.value if figure else None, "fraction") for figure in figures]
            if curve is None:
                rows.append((name, Number.gap(), Number.gap(), *cells))
                continue
            far, tar = curve.rates
            kept = curve.corners
            if len(kept) > _MAX_POINTS:
                kept = kept[np.unique(np.linspace(0, len(kept) - 1, _MAX_POINTS).round().astype(int))]
            kept = kept[far[kept] > 0]
            axes.plot(
                far[kept], 1 - tar[kept], **line(index), markevery=0.15, label=label(name), drawstyle="steps-post"
            )
            rows.append((name, Number.count(int(curve.true[-1])), Number.count(int(curve.false[-1])), *cells))
        _format_percent(axes)
        axes.set_xlabel("false accepts (logarithmic)")
        axes.set_ylabel("false rejects")
        legend(figure, axes)
        svg = inline(figure, f"d{group.number}-", f"DET curves of {labels(group.names)}")
    return Chart(
        "det",
        "DET curves",
        svg,
        "Share of the pairs of one person that are rejected, against the share of the pairs of two people that are "
        "accepted, at every threshold. A pair with a failed template is never accepted and stays in the denominator. "
        "The figures in the table are those of run.json.",
        ("Method", "Pairs of one person", "Pairs of two people", *(f"{name}, %" for name in names)),
        tuple(rows),
    )


def curve_of(run: Run) -> Curve | None:
    """The curve of a verification run; None where it keeps no scores of both kinds."""
    scores, same = run.arrays.get("scores"), run.arrays.get("same")
    if scores is None or same is None or scores.ndim != 1 or scores.shape != same.shape:
        return None
    alike = same.astype(bool)
    return roc(scores, alike) if alike.any() and not alike.all() and not np.isinf(scores).any() else None


def _format_percent(axes: Axes) -> None:
    from matplotlib.ticker import NullLocator, PercentFormatter

    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:g}%")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.set_ylim(-0.005, 1.005)
    axes.grid(True, linewidth=0.8)
