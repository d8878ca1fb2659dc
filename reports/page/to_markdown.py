"""A page as Markdown: the same text and figures as the HTML, without images."""

from __future__ import annotations

import re

from reports.page.model import Page
from reports.runs.figure_names import PAIRED_FIGURE
from reports.text import numbers

_SPECIAL = re.compile(r"([\\`*_\[\]#|~$@]|:(?=//)|(?<=www)\.)")  # the last two would make links


class _Markdown(str):
    """Text that is already Markdown."""


def escape(value: object) -> str:
    """The text, escaped so that nothing in it is Markdown or HTML."""
    text = numbers.plain(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def to_markdown(page: Page) -> str:
    """Render a page; every value is escaped unless a filter returned it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    def number(value: float | None, how: str) -> _Markdown:
        return _Markdown(getattr(numbers, how)(value).replace("<", "&lt;"))

    def measured(value: float | None, unit: str) -> _Markdown:
        return _Markdown(numbers.measured(value, unit))

    environment = Environment(  # escaped for Markdown by `finalize`, which sees every value
        loader=PackageLoader("reports"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, _Markdown) else escape(value),
    )
    environment.filters |= {
        "number": number,
        "measured": measured,
        "formatted": lambda value, how: getattr(numbers, how)(value),
    }
    return environment.get_template("report.md.j2").render(
        page=page, paired_figure=PAIRED_FIGURE, numbers=numbers, gap=_Markdown(numbers.GAP)
    )
