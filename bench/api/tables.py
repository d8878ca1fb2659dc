"""Figures and rows as pandas tables, and as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from html import escape

import pandas as pd

from bench.io.printing import printable
from bench.results import Figure, ItemRow, ProbeRow

_COUNTS = ("mates", "rank", "rank_optimistic")
_COLUMNS = [field.name for field in fields(Figure)]


def figures_table(figures: Mapping[str, Figure]) -> pd.DataFrame:
    """One row a figure, indexed by its name; the columns are the fields of `Figure`, nothing rounded."""
    rows = [asdict(figure) for figure in figures.values()]
    return pd.DataFrame(rows, index=pd.Index(list(figures), name="figure"), columns=_COLUMNS)


def rows_table(rows: Sequence[ProbeRow] | Sequence[ItemRow]) -> pd.DataFrame:
    """One row a probe or item, in the order of the run.

    Args:
        rows: of a run.

    Returns:
        The fields of `ProbeRow` or `ItemRow` as columns. ``values`` and ``attributes`` become a column for each name;
        one that is also the name of another column is prefixed by ``value`` or ``attribute``. Ranks are nullable
        integers: a failed probe has none.
    """
    plain = []
    for row in rows:
        cells = asdict(row)
        values, attributes = cells.pop("values", {}), cells.pop("attributes")
        for kind, more in (("value", values), ("attribute", attributes)):
            for name, value in more.items():
                cells[f"{kind} {name}" if name in cells else name] = value
        plain.append(cells)
    table = pd.DataFrame(plain)
    integers = [name for name in _COUNTS if name in table and rows and isinstance(rows[0], ProbeRow)]
    return table.astype(dict.fromkeys(integers, "Int64"))


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as an HTML table; the first row is its head. All text is escaped."""
    head, *body = rows
    lines = [_html_row(head, "th"), *(_html_row(row, "td") for row in body)]
    return f"<table>{''.join(lines)}</table>"


def html_lines(lines: Iterable[str], tag: str = "div") -> str:
    """Lines of text as HTML elements, escaped; empty for no lines."""
    return "".join(f"<{tag}>{escape(printable(line))}</{tag}>" for line in lines)


def _html_row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{html_lines(cells, tag)}</tr>"
