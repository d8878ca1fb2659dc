"""What all figures share: fonts, banners, and files whose bytes depend on nothing but what is drawn."""

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
class Drawn:
    """A figure in its files.

    Attributes:
        number: as the paper has it.
        stem: of its files.
        title: what it shows.
        notes: sentences on how faces were chosen, what is missing...
        banners: what stands above it; also in the drawing.
        svg: one file.
        pdf: the other.
    """

    number: int
    stem: str
    title: str
    notes: tuple[str, ...]
    banners: tuple[str, ...]
    svg: bytes
    pdf: bytes


def name(text: object, length: int = LONGEST) -> str:
    """Text for a drawing: short, and nothing in it reorders what stands around."""
    return shorten(plain(text), length)


@contextmanager
def canvas(
    wide: float, high: float, banners: Sequence[str], layout: Literal["constrained"] | None = "constrained"
) -> Iterator[Figure]:
    """An empty figure of so many inches, banners above it; draw and `save` within the block."""
    import matplotlib
    from matplotlib.figure import Figure as New

    rules: dict[Any, Any] = {
        "svg.hashsalt": "bench",
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "font.size": 8,
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so all machines draw alike
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "image.interpolation": "none",
    }
    with matplotlib.rc_context(rules), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = New(figsize=(wide, high), layout=layout)
        if banners:
            told = "\n".join(name(banner, 60) for banner in banners)
            place = {} if layout else {"y": 1 - 0.04 / high}
            figure.suptitle(told, color="#b00020", fontweight="bold", fontsize=7, **place)
        yield figure


def save(figure: Figure) -> tuple[bytes, bytes]:
    """SVG and PDF; both say neither when nor by what version they were made."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once for both
    files = []
    for form, metadata in (
        ("svg", {"Date": None, "Creator": None, "Format": None, "Type": None}),
        ("pdf", {"CreationDate": None, "Creator": None, "Producer": None}),
    ):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=form, metadata=metadata, dpi=200)
        files.append(buffer.getvalue())
    return files[0], files[1]
