"""Inline SVG in the colours of the page. Runs also differ by dash and marker, so that they differ in grey print."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterable, Iterator
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
_INK, _LINE = "#010101", "#020202"  # placeholders that become the page's own colours
_SERIES = "#03030{}"


def colour(index: int) -> str:
    """The placeholder colour of the run at that index."""
    return _SERIES.format(index % _COLOURS)


def marker(index: int) -> str:
    """The marker of the run at that index."""
    return _MARKERS[index % len(_MARKERS)]


def line(index: int) -> dict[str, Any]:
    """The line style of the run at that index."""
    return {
        "color": colour(index),
        "linestyle": _DASHES[index % len(_DASHES)],
        "linewidth": 1.8,
        "marker": marker(index),
        "markersize": 5,
    }


def label(name: object, length: int = _LONGEST) -> str:
    """A name for a drawing: shortened, without control characters and direction marks."""
    return shorten(plain(name), length)


def labels(names: Iterable[object]) -> str:
    """The names of several runs, separated by commas."""
    return ", ".join(label(name) for name in names)


@contextmanager
def drawing(high: float, wide: float = WIDE) -> Iterator[Figure]:
    """An empty figure, its size in inches; draw on it and call `inline` within the block."""
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
    """A legend of the runs of one panel, below all panels."""
    # explicit handles: matplotlib leaves out a name that begins with an underscore
    figure.legend(handles=axes.get_lines(), loc="outside lower left", frameon=False, handlelength=4.5)


def inline(figure: Figure, prefix: str, description: str) -> str:
    """The drawing as an element of a page: no prolog, no metadata, unique ids, colours of the page.

    Args:
        figure: the drawing.
        prefix: of its ids.
        description: its accessible name.

    Returns:
        An ``<svg>`` element. Equal drawings give equal bytes.
    """
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)

    def restyle(tag: re.Match[str]) -> str:
        text = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\1{prefix}", tag[0])
        text = text.replace(_INK, "var(--ink)").replace(_LINE, "var(--line)")
        return re.sub(_SERIES.format(r"(\d)"), r"var(--series-\1)", text)

    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"<[^>]+>", restyle, svg)  # tags only: a label may contain any text
    opening, rest = svg.split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{html.escape(description)}">{rest}'.strip()
