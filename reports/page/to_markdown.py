"""A page as Markdown: the same words and figures as the HTML, without images."""

from __future__ import annotations

import re

from reports.page.model import Page
from reports.runs.figure_names import PAIRED_FIGURE
from reports.text import numbers

_SPECIAL = re.compile(r"([\\`*_\[\]#|~$@]|:(?=//)|(?<=www)\.)")  # the last two would make links


class _Written(str):
    """Text that is Markdown already."""


def escape(value: object) -> str:
    """Text in which nothing is Markdown or HTML: no table cell, link, emphasis, tag, mention or formula."""
    text = numbers.plain(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def to_markdown(page: Page) -> str:
    """Lay a page out; every value is escaped unless a filter made it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    def number(value: float | None, how: str) -> _Written:
        return _Written(getattr(numbers, how)(value).replace("<", "&lt;"))

    def measured(value: float | None, unit: str) -> _Written:
        return _Written(numbers.measured(value, unit))

    environment = Environment(  # escaped for Markdown by `finalize`, which sees every value
        loader=PackageLoader("reports"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, _Written) else escape(value),
    )
    environment.filters |= {
        "number": number,
        "measured": measured,
        "wording": lambda value, how: getattr(numbers, how)(value),
    }
    return environment.get_template("report.md.j2").render(
        page=page, reading=page.reading, paired_figure=PAIRED_FIGURE, words=numbers, gap=_Written(numbers.GAP)
    )
