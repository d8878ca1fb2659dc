"""Histograms of scores: mates and non-mates, one panel for each run."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bench.results.kinds import VERIFICATION
from reports.charts.chart import Chart, Number
from reports.charts.svg import colour, drawing, inline, label, labels
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.text.numbers import score

_BINS = 40
_ACROSS = 3
_PANEL = 2.1  # inches high

_Scores = tuple[NDArray[np.float64], NDArray[np.float64]]


def histograms(group: Group) -> Chart | None:
    """Scores of the best mate and of the best non-mate; of pairs: of one person and of two people."""
    scores = [_scores(run) for run in group.runs]
    known = [column for columns in scores for column in columns if len(column)]
    if not known:
        return None
    low, high = min(float(column.min()) for column in known), max(float(column.max()) for column in known)
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    down = math.ceil(len(scores) / _ACROSS)
    same, other = ("best mate", "best non-mate") if group.first.searched else ("one person", "two people")
    with drawing(_PANEL * down + 0.5) as figure:
        for index, (name, columns) in enumerate(zip(group.names, scores, strict=True)):
            axes = figure.add_subplot(down, min(_ACROSS, len(scores)), index + 1)
            for column, series, dash, words in zip(
                columns, (0, 1), ("solid", (0, (3, 1.5))), (same, other), strict=True
            ):
                if len(column):
                    shares = np.histogram(column, edges)[0] / len(column)
                    axes.stairs(shares, edges, color=colour(series), linestyle=dash, linewidth=1.6, label=words)
            axes.set_title(label(name, 28), fontsize=9)
            axes.set_yticks([])
            axes.tick_params(labelsize=8)
            axes.set_xlim(edges[0], edges[-1])
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", frameon=False, ncols=2, handlelength=3)
        svg = inline(figure, f"h{group.number}-", f"Histograms of scores of {labels(group.names)}")
    what = (
        "Score of the best mate and of the best non-mate of each probe; a probe without a mate has the latter only"
        if group.first.searched
        else "Scores of pairs of one person, and of pairs of two people"
    )
    titles = [
        f"{part}, {words}"
        for words in (same, other)
        for part in ("Scores", "lower quartile", "median", "upper quartile")
    ]
    return Chart(
        "scores",
        "Scores",
        svg,
        f"{what}: the share in each of {_BINS} equal bins, the same bins for all runs. Failed rows have no score and "
        f"are "
        "left out. Scores of different recognisers are not comparable.",
        ("Method", *titles),
        tuple(
            (name, *(cell for column in columns for cell in _quartiles(column)))
            for name, columns in zip(group.names, scores, strict=True)
        ),
    )


def _scores(run: Run) -> _Scores:
    if run.searched:
        whole = {id(row) for _, row in run.head}
        rows = [row for row in run.probes if id(row) in whole or not row.mates]
        columns = [[row.best_mated_score for row in rows], [row.best_nonmated_score for row in rows]]
        return _finite([x for x in columns[0] if x is not None]), _finite([x for x in columns[1] if x is not None])
    scores, same = run.arrays.get("scores"), run.arrays.get("same")
    if run.kind != VERIFICATION or scores is None or same is None or scores.shape != same.shape:
        return _finite([]), _finite([])
    alike = same.astype(bool)
    return _finite(scores[alike]), _finite(scores[~alike])


def _finite(values: object) -> NDArray[np.float64]:
    column = np.asarray(values, np.float64).ravel()
    return column[np.isfinite(column)]


def _quartiles(column: NDArray[np.float64]) -> list[Number]:
    if not len(column):
        return [Number.count(0), *[Number.gap()] * 3]
    ends = [float(value) for value in np.quantile(column, (0.25, 0.5, 0.75))]
    return [Number.count(len(column)), *(Number(value, score(value)) for value in ends)]
