"""A page as HTML: one file that opens from disk and uses no network. Everything is escaped.

All content is readable without scripts. Scripts sort, filter and compare; the security policy allows them by hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    from jinja2 import Environment
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
    """Render a page.

    Args:
        page: its content.
        curves: the CMC curves of each section by its number: an ``<svg>`` element made by `reports.charts.cmc`.
        charts: the other charts of each section, by its number.
        scatters: charts of more than one section.
        viewers: the face viewer of each section that has one, by its number.
    """
    from markupsafe import Markup

    image_sources = " 'self' file:" if any(viewer.data.get("folder") for viewer in viewers.values()) else ""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            generator=GENERATOR,
            policy=_POLICY.format(image_sources, script_hash()),
            overview=overview(page.sections),
            charts=charts,
            scatters=scatters,
            viewers=viewers,
            script=Markup(script()),  # part of this package
            paired_figure=PAIRED_FIGURE,
            numbers=numbers,
            curves={key: Markup(svg) for key, svg in curves.items()},  # drawn here, labels escaped by matplotlib
            gap=numbers.GAP,
        )
    )


def _environment() -> Environment:
    """Jinja with autoescape, and the filters of the templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if hasattr(value, "__html__") else numbers.plain(value),
    )
    environment.filters |= {
        "text": lambda value: Markup("<bdi>{}</bdi>").format(numbers.plain(value)),  # whatever its direction
        "number": lambda value, form: _data(value, _format(value, form)),
        "measured": lambda value, unit: _data(value, numbers.measured(value, unit)),
        "signed": lambda value, unit: _data(value, signed(value, unit)),
        "formatted": _format,
        "svg": Markup,  # drawn here, labels escaped by matplotlib
        "exact": repr,
        "first_unit": first_unit,
        "inert": lambda value: Markup(inert(value)),
        "board": lambda section: Markup(inert(board_data(section))),
    }
    return environment


def _data(value: float | None, text: str) -> Markup:
    """A number as text, with the exact value in the markup; the text alone, a dash, for None."""
    from markupsafe import Markup, escape

    return escape(text) if value is None else Markup('<data value="{}">{}</data>').format(repr(value), text)


def _format(value: Any, form: str) -> str:
    """A value in one of the forms of `reports.text.numbers`: ``percent``, ``count``, ``probability``..."""
    text: str = getattr(numbers, form)(value)
    return text
