"""Inline SVG whose colours follow the page: runs differ by dash and marker too, so print in grey works."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reports.text.numbers import plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 7.2  # inches
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (9, 3)))
_MARKERS = "osD^vPX*"
_COLOURS = 8
_LONGEST = 60  # characters of a name
_INK, _LINE = "#010101", "#020202"  # stand-ins that become the page's own colours
_SERIES = "#03030{}"


def colour(place: int) -> str:
    """The stand-in colour of the run at that place."""
    return _SERIES.format(place % _COLOURS)


def marker(place: int) -> str:
    """Its marker."""
    return _MARKERS[place % len(_MARKERS)]


def line(place: int) -> dict[str, Any]:
    """How its line is drawn."""
    return {
        "color": colour(place),
        "linestyle": _DASHES[place % len(_DASHES)],
        "linewidth": 1.8,
        "marker": marker(place),
        "markersize": 5,
    }


def label(name: object, length: int = _LONGEST) -> str:
    """A name for a drawing: short, and nothing in it reorders what stands around."""
    return shorten(plain(name), length)


@contextmanager
def drawing(high: float, wide: float = WIDE) -> Iterator[Figure]:
    """An empty figure of so many inches; draw and `inline` within the block."""
    import matplotlib
    from matplotlib.figure import Figure as New

    rules: dict[Any, Any] = {
        "svg.hashsalt": "bench",
        "svg.fonttype": "none",
        "font.size": 11,
        "font.family": ["sans-serif"],
        "text.parse_math": False,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "axes.titlecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "grid.color": _LINE,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(rules), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has the glyph
        yield New(figsize=(wide, high), layout="constrained")


def legend(figure: Figure, axes: Axes) -> None:
    """The runs of one panel, below all panels."""
    # handles by hand: matplotlib would leave out a name that begins with an underscore
    figure.legend(handles=axes.get_lines(), loc="outside lower left", frameon=False, handlelength=4.5)


def inline(figure: Figure, prefix: str, words: str) -> str:
    """The drawing as part of a page: no prolog, no metadata, ids of its own, colours of the page.

    Args:
        figure: drawn.
        prefix: of its ids.
        words: its name for who cannot see it.

    Returns:
        An ``<svg>`` element. Equal drawings give equal bytes.
    """
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)

    def tag(found: re.Match[str]) -> str:
        text = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\1{prefix}", found[0])
        text = text.replace(_INK, "var(--ink)").replace(_LINE, "var(--line)")
        return re.sub(_SERIES.format(r"(\d)"), r"var(--series-\1)", text)

    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"<[^>]+>", tag, svg)  # tags alone: a label may hold anything
    opening, rest = svg.split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{html.escape(words)}">{rest}'.strip()
