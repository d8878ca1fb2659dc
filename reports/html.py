"""A page as HTML: one file that opens from disk, without network and without scripts. Everything is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reports import wording
from reports.page import Page
from reports.tables import PAIRED_FIGURE

if TYPE_CHECKING:
    from markupsafe import Markup

GENERATOR = "face-hallucination-bench report"


def to_html(page: Page, curves: Mapping[int, str]) -> str:
    """Lay a page out.

    Args:
        page: what to say.
        curves: the CMC figure of each section by its number, an ``<svg>`` element made by `reports.figures`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    def text(value: object) -> Markup:
        """Text apart from its surroundings, whatever its direction."""
        return Markup("<bdi>{}</bdi>").format(wording.plain(value))

    def number(value: float | None, how: str) -> Markup:
        """A number as shown, with the exact value in the markup; a dash for none."""
        shown: str = getattr(wording, how)(value)
        if value is None:
            return escape(shown)
        return Markup('<data value="{}">{}</data>').format(repr(value), shown)

    def measured(value: float | None, unit: str) -> Markup:
        """A figure as shown, likewise."""
        shown = wording.measured(value, unit)
        return escape(shown) if value is None else Markup('<data value="{}">{}</data>').format(repr(value), shown)

    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if hasattr(value, "__html__") else wording.plain(value),
    )
    environment.filters |= {"text": text, "number": number, "measured": measured, "wording": _worded}
    return environment.get_template("report.html.j2").render(
        page=page,
        generator=GENERATOR,
        reading=page.reading,
        paired_figure=PAIRED_FIGURE,
        words=wording,
        curves={key: Markup(svg) for key, svg in curves.items()},  # made by us, labels escaped by matplotlib
        gap=wording.GAP,
    )


def _worded(value: object, how: str) -> str:
    text: str = getattr(wording, how)(value)
    return text
