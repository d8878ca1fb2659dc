"""Time per face in milliseconds, with intervals."""

from __future__ import annotations

from bench.results.kinds import EFFICIENCY
from reports.charts.chart import Chart, Number
from reports.charts.svg import colour, drawing, inline, label, labels
from reports.runs.groups import Group


def times(group: Group) -> Chart | None:
    """Milliseconds per face of each run, one panel for each batch size, as in ``run.json``."""
    names = [name for name in group.metrics if name.startswith("ms@batch=")] if group.kind == EFFICIENCY else []
    if not names:
        return None
    runs = list(zip(group.names, group.runs, strict=True))
    with drawing(0.9 + len(names) * (0.7 + 0.3 * len(runs))) as figure:
        for panel, name in enumerate(names):
            axes = figure.add_subplot(len(names), 1, panel + 1)
            for index, (_, run) in enumerate(runs):
                timing = run.record.metrics.get(name)
                if timing is None:
                    continue
                axes.barh(index, timing.value, color=colour(index), height=0.6)
                if timing.low is not None and timing.high is not None:
                    axes.hlines(index, timing.low, timing.high, color="#010101", linewidth=2)
            axes.set_yticks(range(len(runs)), [label(run_name, 28) for run_name, _ in runs])
            axes.set_ylim(len(runs) - 0.5, -0.5)
            axes.set_xlim(left=0)
            axes.set_title(name, fontsize=10, loc="left")
            axes.grid(True, axis="x", linewidth=0.8)
        axes.set_xlabel("milliseconds per face")
        svg = inline(figure, f"c{group.number}-", f"Milliseconds per face of {labels(group.names)}")
    rows = []
    for run_name, run in runs:
        cells: list[str | Number] = [run_name]
        for name in names:
            timing = run.record.metrics.get(name)
            cells += [Number.measured(timing.value, "ms"), Number.count(timing.n)] if timing else [Number.gap()] * 2
        rows.append(tuple(cells))
    return Chart(
        "times",
        "Time per face",
        svg,
        "Median milliseconds from LR bytes to HR bytes over timed passes; lines: 95 % intervals, by bootstrap over "
        "passes.",
        ("Method", *(title for name in names for title in (f"{name}, ms", "Passes"))),
        tuple(rows),
    )
