"""A page as HTML: one file that opens from disk and asks no network for anything. Everything is escaped.

All that it says can be read without scripts; those that sort, filter and compare are in it, and named by their hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.charts import Chart
from reports.page.folder import GENERATOR
from reports.page.model import Page
from reports.page.overview import first_unit, overview
from reports.page.scripts import board_data, inert, script, script_hash
from reports.runs.figure_names import PAIRED_FIGURE
from reports.text import numbers
from reports.text.tables import signed
from reports.viewer import Viewer

if TYPE_CHECKING:
    from markupsafe import Markup

_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; img-src data:{}; "
    "script-src '{}'"
)


def to_html(
    page: Page,
    curves: Mapping[int, str],
    charts: Mapping[int, Sequence[Chart]],
    scatters: Sequence[Chart],
    viewers: Mapping[int, Viewer],
) -> str:
    """Lay a page out.

    Args:
        page: what to say.
        curves: the CMC figure of each section by its number, an ``<svg>`` element made by `reports.charts.cmc`.
        charts: the other charts of each section, likewise.
        scatters: charts of more than one section.
        viewers: the face viewer of each section that has one, likewise.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    def text(value: object) -> Markup:
        """Text apart from its surroundings, whatever its direction."""
        return Markup("<bdi>{}</bdi>").format(numbers.plain(value))

    def number(value: float | None, how: str) -> Markup:
        """A number as shown, with the exact value in the markup; a dash for none."""
        shown: str = getattr(numbers, how)(value)
        if value is None:
            return escape(shown)
        return Markup('<data value="{}">{}</data>').format(repr(value), shown)

    def measured(value: float | None, unit: str) -> Markup:
        """A figure as shown, likewise."""
        shown = numbers.measured(value, unit)
        return escape(shown) if value is None else Markup('<data value="{}">{}</data>').format(repr(value), shown)

    def difference(value: float, unit: str) -> Markup:
        """A difference with its sign, likewise."""
        return Markup('<data value="{}">{}</data>').format(repr(value), signed(value, unit))

    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if hasattr(value, "__html__") else numbers.plain(value),
    )
    environment.filters |= {"text": text, "number": number, "measured": measured, "wording": _worded}
    environment.filters |= {
        "drawn": Markup,
        "exact": repr,
        "first_unit": first_unit,
    }  # drawn by us, labels escaped by matplotlib
    environment.filters |= {
        "inert": lambda value: Markup(inert(value)),
        "signed": difference,
        "board": lambda section: Markup(inert(board_data(section))),
    }
    return environment.get_template("report.html.j2").render(
        page=page,
        generator=GENERATOR,
        policy=_POLICY.format(
            " 'self' file:" if any(v.data.get("folder") for v in viewers.values()) else "", script_hash()
        ),
        overview=overview(page.sections),
        charts=charts,
        scatters=scatters,
        viewers=viewers,
        script=Markup(script()),  # ours
        reading=page.reading,
        paired_figure=PAIRED_FIGURE,
        words=numbers,
        curves={key: Markup(svg) for key, svg in curves.items()},  # made by us, labels escaped by matplotlib
        gap=numbers.GAP,
    )


def _worded(value: object, how: str) -> str:
    text: str = getattr(numbers, how)(value)
    return text
