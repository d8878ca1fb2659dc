"""Tables as CSV: one line a number, at full precision, with the run it is from; gaps are lines without a value."""

from __future__ import annotations

from reports.page.to_csv import to_csv as frame_to_csv
from reports.paper.tables.layout import PUBLISHED, Table

COLUMNS = (
    "notice", "origin", "table", "block", "method", "column", "part", "figure", "unit", "value", "low", "high", "n",
    "best", "label", "run", "printed",
)  # fmt: skip


def to_csv(table: Table) -> str:
    """All cells of ours, then those of the paper as they are printed there."""
    import pandas as pd

    best = table.best()
    lines: list[dict[str, object]] = []
    for at, row in enumerate(table.rows):
        for column in table.columns:
            for part, value in enumerate(table.cell(row, column)):
                line: dict[str, object] = {
                    "notice": "; ".join(table.banners),
                    "origin": "ours",
                    "table": table.number,
                    "block": row.block,
                    "method": row.name,
                    "column": ", ".join(head for head in column.heads if head),
                    "part": part + 1,
                }
                if value is not None:
                    line |= {
                        "figure": value.figure,
                        "unit": value.unit,
                        "value": value.value,
                        "low": value.low,
                        "high": value.high,
                        "n": value.n,
                        "best": (at, column.key, part) in best,
                        "label": value.label,
                        "run": value.source,
                        "printed": value.text,
                    }
                lines.append(line)
    for key in table.printed_rows:
        cells = table.published[key]
        for column in table.columns:
            for part, text in enumerate(cells.get(column.paper, ()) if column.paper else ()):
                lines.append(
                    {
                        "notice": PUBLISHED,
                        "origin": "published",
                        "table": table.number,
                        "block": key[0],
                        "method": table.names.get(key[1], key[1]),
                        "column": ", ".join(head for head in column.heads if head),
                        "part": part + 1,
                        "printed": text,
                    }
                )
    return frame_to_csv(pd.DataFrame.from_records(lines, columns=list(COLUMNS)).astype(object))
