"""CMC curves."""

from __future__ import annotations

from bench.metrics.identification import cmc
from reports.charts.svg import colour, drawing, inline, label, labels, legend, line
from reports.runs.groups import Group

MAX_RANK = 50
_TICKS = (1, 2, 5, 10, 20, 50)


def cmc_curves(group: Group) -> str:
    """CMC curves of all runs of a group up to rank 50, with the 95 % interval of rank-1, over the rows of `Run.head`.

    Returns:
        An ``<svg>`` element. Equal runs give equal bytes; ids begin with ``g`` and the number of the group.
    """
    from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

    with drawing(4.2 + 0.24 * len(group.runs)) as figure:
        axes = figure.add_subplot()
        for index, (run, name) in enumerate(zip(group.runs, group.names, strict=True)):
            curve = cmc([row.rank for _, row in run.head], MAX_RANK)
            marks = [rank - 1 for rank in _TICKS]
            axes.plot(range(1, MAX_RANK + 1), curve, **line(index), markevery=marks, label=label(name))
            first = run.record.metrics.get("rank-1")
            if first is not None and first.low is not None and first.high is not None:
                x = 0.97 - 0.02 * index  # left of the curve, the bars of the runs side by side
                axes.vlines(x, first.low, first.high, color=colour(index), linewidth=2)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(_TICKS))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set_xlim(0.93 - 0.02 * len(group.runs), MAX_RANK * 1.04)
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
        axes.set_ylim(0, 1.005)
        axes.grid(True, linewidth=0.8)
        axes.set_xlabel("rank k (logarithmic)")
        axes.set_ylabel("probes with rank ≤ k")
        legend(figure, axes)
        return inline(figure, f"g{group.number}-", f"CMC curves up to rank {MAX_RANK} of {labels(group.names)}")
