"""What a face costs: milliseconds, with intervals."""

from __future__ import annotations

from reports.charts.chart import Chart, Number
from reports.charts.detection import count_of
from reports.charts.svg import colour, drawing, inline, label
from reports.runs.groups import Group
from reports.runs.items import EFFICIENCY
from reports.text.numbers import GAP, measured


def times(group: Group) -> Chart | None:
    """Milliseconds a face of each run, a panel a batch size; the figures of the run."""
    names = [name for name in group.metrics if name.startswith("ms@batch=")] if group.kind == EFFICIENCY else []
    if not names:
        return None
    runs = list(zip(group.names, group.runs, strict=True))
    with drawing(0.9 + len(names) * (0.7 + 0.3 * len(runs))) as figure:
        for panel, name in enumerate(names):
            axes = figure.add_subplot(len(names), 1, panel + 1)
            for place, (_, run) in enumerate(runs):
                found = run.record.metrics.get(name)
                if found is None:
                    continue
                axes.barh(place, found.value, color=colour(place), height=0.6)
                if found.low is not None and found.high is not None:
                    axes.hlines(place, found.low, found.high, color="#010101", linewidth=2)
            axes.set_yticks(range(len(runs)), [label(run_name, 28) for run_name, _ in runs])
            axes.set_ylim(len(runs) - 0.5, -0.5)
            axes.set_xlim(left=0)
            axes.set_title(name, fontsize=10, loc="left")
            axes.grid(True, axis="x", linewidth=0.8)
        axes.set_xlabel("milliseconds a face")
        svg = inline(figure, f"c{group.number}-", f"Milliseconds a face of {', '.join(label(n) for n, _ in runs)}")
    rows = []
    for run_name, run in runs:
        cells: list[str | Number] = [run_name]
        for name in names:
            found = run.record.metrics.get(name)
            cells += (
                [Number(found.value, measured(found.value, "ms")), count_of(found.n)]
                if found
                else [Number(None, GAP)] * 2
            )
        rows.append(tuple(cells))
    return Chart(
        "times",
        "Time a face",
        svg,
        "Median milliseconds from LR bytes to HR bytes over timed passes; lines: 95 % intervals by bootstrap.",
        ("Method", *(title for name in names for title in (f"{name}, ms", "Passes"))),
        tuple(rows),
    )
