"""Fonts, banners and files of all figures. Equal drawings give equal bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reports.text.numbers import plain, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 40
"""Characters of a name."""


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper with its files.

    Attributes:
        number: as the paper has it.
        stem: of its files.
        title: what it shows.
        notes: sentences on how faces were chosen, what is missing...
        banners: to show above it; also in the drawing.
        svg: the SVG file.
        pdf: the PDF file.
    """

    number: int
    stem: str
    title: str
    notes: tuple[str, ...]
    banners: tuple[str, ...]
    svg: bytes
    pdf: bytes


def name(text: object, length: int = LONGEST) -> str:
    """Text for a drawing: shortened, without control characters and direction marks."""
    return shorten(plain(text), length)


@contextmanager
def canvas(
    wide: float, high: float, banners: Sequence[str], layout: Literal["constrained"] | None = "constrained"
) -> Iterator[Figure]:
    """An empty figure, its size in inches, with banners; draw on it and call `save` within the block."""
    import matplotlib
    from matplotlib.figure import Figure as New

    rules: dict[Any, Any] = {
        "svg.hashsalt": "bench",
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "font.size": 8,
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans"],  # part of matplotlib, so all machines draw the same
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "image.interpolation": "none",
    }
    with matplotlib.rc_context(rules), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = New(figsize=(wide, high), layout=layout)
        if banners:
            text = "\n".join(name(banner, 60) for banner in banners)
            place = {} if layout else {"y": 1 - 0.04 / high}
            figure.suptitle(text, color="#b00020", fontweight="bold", fontsize=7, **place)
        yield figure


def save(figure: Figure) -> tuple[bytes, bytes]:
    """SVG and PDF, without date and version."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # one layout for both
    files = []
    for form, metadata in (
        ("svg", {"Date": None, "Creator": None, "Format": None, "Type": None}),
        ("pdf", {"CreationDate": None, "Creator": None, "Producer": None}),
    ):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=form, metadata=metadata, dpi=200)
        files.append(buffer.getvalue())
    return files[0], files[1]
