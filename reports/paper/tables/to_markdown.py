"""Tables as Markdown: best in bold, published rows in a table of their own below."""

from __future__ import annotations

from collections.abc import Sequence

from reports.page.to_markdown import escape
from reports.paper.tables.layout import PUBLISHED, Table
from reports.text.numbers import GAP, shorten

LONGEST = 80
"""Characters of a name."""


def to_markdown(table: Table, mark: str) -> str:
    """A page with the table, what is published, what was run, and what the numbers mean."""
    best = table.best()
    lines = [f"<!-- {mark} -->", f"# Table {table.number}: {escape(table.title)}", *banner_lines(table.banners), ""]
    heads = [escape(", ".join(head for head in column.heads if head)) for column in table.columns]
    body = []
    for at, row in enumerate(table.rows):
        cells = []
        for column in table.columns:
            parts = [
                (GAP if value is None else escape(value.text), (at, column.key, part) in best)
                for part, value in enumerate(table.cell(row, column))
            ]
            gap = all(text == GAP for text, _ in parts)
            cells.append(GAP if gap else "/".join(f"**{text}**" if bold else text for text, bold in parts))
        body.append([escape(row.block), escape(shorten(row.name, LONGEST)), *cells])
    lines += grid(["Block", "Method", *heads], body)
    if table.published:
        lines += ["", f"## {PUBLISHED}", ""]
        lines += grid(
            ["Block", "Method", *heads],
            [
                [escape(key[0]), escape(table.names.get(key[1], key[1]))]
                + [escape(table.printed(key, column)) for column in table.columns]
                for key in table.printed_rows
            ],
        )
    if table.notes:
        lines += ["", *(f"- {escape(note)}" for note in table.notes)]
    ran = table.ran()
    if ran:
        lines += ["", "What was run:", "", *(f"- {escape(line)}" for line in ran)]
    return "\n".join(lines) + "\n"


def banner_lines(banners: Sequence[str]) -> list[str]:
    """What must stand above everything else."""
    return ["", *(f"**{escape(banner)}**\n" for banner in banners)] if banners else []


def grid(heads: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose cells are Markdown already; a first column that is empty all over is left out."""
    if body and not any(row[0] for row in body):
        heads, body = heads[1:], [row[1:] for row in body]
    return [
        f"| {' | '.join(heads)} |",
        "|" + " --- |" * len(heads),
        *(f"| {' | '.join(row)} |" for row in body),
    ]
