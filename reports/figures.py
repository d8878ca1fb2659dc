"""Figures as inline SVG whose colours follow the page: curves differ by dash and marker too, so print in grey works."""

from __future__ import annotations

import html
import io
import re
import warnings

from bench.metrics.identification import cmc
from reports.groups import Group
from reports.wording import plain, shorten

MAX_RANK = 50
_TICKS = (1, 2, 5, 10, 20, 50)
_DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (9, 3)))
_MARKERS = "osD^vPX*"
_COLOURS = 8
_LONGEST = 60  # characters of a name
_INK, _LINE = "#010101", "#020202"  # stand-ins that become the page's own colours
_SERIES = "#03030{}"


def cmc_curves(group: Group) -> str:
    """CMC curves of all runs of a group up to rank 50, the rank-1 rate with its 95 % interval; see `Run.head`.

    Returns:
        An ``<svg>`` element. Equal runs give equal bytes; ids begin with ``g`` and the number of the group.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

    with (
        matplotlib.rc_context(
            {
                "svg.hashsalt": "bench",
                "svg.fonttype": "none",
                "font.size": 11,
                "font.family": ["sans-serif"],
                "text.parse_math": False,
                "text.color": _INK,
                "axes.labelcolor": _INK,
                "axes.edgecolor": _INK,
                "xtick.color": _INK,
                "ytick.color": _INK,
                "grid.color": _LINE,
                "axes.spines.top": False,
                "axes.spines.right": False,
            }
        ),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has the glyph
        figure = Figure(figsize=(7.2, 4.2 + 0.24 * len(group.runs)), layout="constrained")
        axes = figure.add_subplot()
        for place, (run, name) in enumerate(zip(group.runs, group.names, strict=True)):
            colour = _SERIES.format(place % _COLOURS)
            curve = cmc([row.rank for _, row in run.head], MAX_RANK)
            axes.plot(
                range(1, MAX_RANK + 1),
                curve,
                color=colour,
                linestyle=_DASHES[place % len(_DASHES)],
                linewidth=1.8,
                marker=_MARKERS[place % len(_MARKERS)],
                markersize=5,
                markevery=[rank - 1 for rank in _TICKS],
                label=shorten(plain(name), _LONGEST),
            )
            first = run.record.metrics.get("rank-1")
            if first is not None and first.low is not None and first.high is not None:
                x = 0.97 - 0.02 * place  # left of the curve, so that bars of runs stand side by side
                axes.vlines(x, first.low, first.high, color=colour, linewidth=2)
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
        figure.legend(handles=axes.get_lines(), loc="outside lower left", frameon=False, handlelength=4.5)
        buffer = io.StringIO()
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    names = ", ".join(shorten(plain(name), _LONGEST) for name in group.names)
    return _inline(buffer.getvalue(), f"g{group.number}-", f"CMC curves up to rank {MAX_RANK} of {names}")


def _inline(svg: str, prefix: str, label: str) -> str:
    """An SVG file as part of a page: no prolog, no metadata, ids of its own, colours of the page."""

    def tag(found: re.Match[str]) -> str:
        text = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\1{prefix}", found[0])
        text = text.replace(_INK, "var(--ink)").replace(_LINE, "var(--line)")
        return re.sub(_SERIES.format(r"(\d)"), r"var(--series-\1)", text)

    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"<[^>]+>", tag, svg)  # tags alone: a label may hold anything
    opening, rest = svg.split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{html.escape(label)}">{rest}'.strip()
