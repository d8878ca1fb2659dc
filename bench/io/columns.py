"""Rows of cells as lines of text in columns, also for characters of double width; no colour, no frame."""

from __future__ import annotations

from collections.abc import Sequence

from bench.io.printing import printable


def align_columns(rows: Sequence[Sequence[object]], *, right: Sequence[int] = (), indent: int = 2) -> list[str]:
    """Lines of a table whose columns are as wide as their widest cell, two blanks apart.

    Widths are those of a terminal, by `rich.cells`: its `rich.table` would do the same, but takes 0.1 s to import.

    Args:
        rows: all of the same length; control characters of cells are replaced by `printable`.
        right: indices of right-aligned columns, from 0.
        indent: blanks before each line.
    """
    from rich.cells import cell_len

    table = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        gaps = [" " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)]
        cells = [gap + text if i in right else text + gap for i, (text, gap) in enumerate(zip(row, gaps, strict=True))]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return lines
