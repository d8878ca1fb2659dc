"""A table of the paper without markup: cells with the source of each number, gaps, and the best values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

from bench.results import Figure
from reports.paper.tables.methods import Method, block_order, method_of
from reports.paper.tables.published import Published
from reports.runs.run import Run
from reports.text.numbers import GAP

PUBLISHED = "Published by Zhang et al. 2021, on other data, splits and networks: not comparable"
"""Heading of the published numbers."""


@dataclass(frozen=True, slots=True)
class Value:
    """One number of ours.

    Attributes:
        value: as the run has it.
        unit: see `bench.results.Figure`.
        figure: its name in the run.
        source: name of the run's folder.
        label: of the run.
        low: lower end of the 95 % interval, or None.
        high: upper end, likewise.
        n: denominator, or None.
        notices: banners of the run.
    """

    value: float
    unit: str
    figure: str
    source: str
    label: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    notices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As the paper writes it: dB and SSIM with three decimals, percent and ms with two."""
        if self.unit == "fraction":
            return f"{100 * self.value:.2f}%"
        if self.unit == "count":
            return f"{self.value:,.0f}"
        return f"{self.value:.{3 if self.unit in ('dB', 'ssim') else 2}f}"


Cell = tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: its name within the table.
        heads: its headings from top to bottom; equal adjacent headings are merged.
        better: for each part of a cell 1 where more is better, -1 where less is, 0 where neither.
        paper: the corresponding column of the published table; empty for none.
    """

    key: str
    heads: tuple[str, ...]
    better: tuple[int, ...]
    paper: str = ""


@dataclass
class Row:
    """One row of our numbers; ``competes`` is False for ground-truth faces, which are never the best."""

    block: str
    name: str
    cells: dict[str, Cell] = field(default_factory=dict)
    competes: bool = True


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        number: as the paper has it: ``I``.
        stem: of its files.
        title: what it shows.
        columns: in order.
        rows: in order, those of a block together.
        notes: sentences below it.
        published: rows of the paper; empty if they are not wanted.
        names: other names for rows of the paper.
        extra: banners besides those of values.
    """

    number: str
    stem: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    published: Published = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    @property
    def banners(self) -> tuple[str, ...]:
        """To show above the table: the banners of all its runs."""
        values = (v for row in self.rows for cell in row.cells.values() for v in cell if v)
        return tuple(dict.fromkeys([*self.extra, *(notice for value in values for notice in value.notices)]))

    @property
    def empty(self) -> bool:
        """Whether no run has any of its numbers."""
        return not any(value for row in self.rows for cell in row.cells.values() for value in cell)

    @property
    def printed_rows(self) -> list[tuple[str, str]]:
        """Rows of the paper, those of a block together."""
        return sorted(self.published, key=lambda key: block_order(key[0]))

    def cell(self, row: Row, column: Column) -> Cell:
        """A cell of our numbers; None for missing parts."""
        return row.cells.get(column.key, (None,) * len(column.better))

    def printed(self, key: tuple[str, str], column: Column) -> str:
        """A cell of the paper; a dash where it has none."""
        parts = self.published[key].get(column.paper) if column.paper else None
        return "/".join(parts) if parts else GAP

    def best(self) -> set[tuple[int, str, int]]:
        """Places (row, column, part) of the best values; none in a column of a single value."""
        places: set[tuple[int, str, int]] = set()
        for column in self.columns:
            for part, sign in enumerate(column.better):
                values = {
                    at: sign * value.value
                    for at, row in enumerate(self.rows)
                    if row.competes and sign and (value := self.cell(row, column)[part]) is not None
                }
                if len(set(values.values())) > 1:
                    places |= {(at, column.key, part) for at, value in values.items() if value == max(values.values())}
        return places

    def ran(self) -> list[str]:
        """For each row the labels and folders of its runs."""
        lines = []
        for row in self.rows:
            runs = dict.fromkeys(f"{v.label} ({v.source})" for cell in row.cells.values() for v in cell if v)
            if runs:
                lines.append(f"{row.name}{f', {row.block}' if row.block else ''}: {'; '.join(runs)}")
        return lines


def value_of(run: Run, name: str) -> Value | None:
    """A figure of a run; None where it has none."""
    figure: Figure | None = run.record.metrics.get(name)
    if figure is None:
        return None
    return Value(
        figure.value,
        figure.unit,
        name,
        run.folder_name,
        run.record.label,
        figure.low,
        figure.high,
        figure.n,
        run.banners,
    )


def assemble(
    columns: Iterable[tuple[Column, Sequence[Run], Callable[[Run], Cell]]], fixed: Sequence[Method]
) -> tuple[Row, ...]:
    """Rows of methods: those of the paper, whether run or not, then other methods.

    If several runs belong to one row and column, the later ones get separate rows with their label.

    Args:
        columns: each with its runs, and a function that gives the cell of a run.
        fixed: the rows of the paper.
    """
    rows = {(method.block, method.name): Row(method.block, method.name) for method in fixed}
    for column, runs, cell_of in columns:
        for run in runs:
            cell = cell_of(run)
            if not any(cell):
                continue
            method = method_of(run)
            long = f"{method.name} · {run.record.label}"
            names = chain([method.name, long], (f"{long} · {run.folder_name} {n}".removesuffix(" 1") for n in count(1)))
            name = next(n for n in names if column.key not in rows.get((method.block, n), Row("", "")).cells)
            rows.setdefault((method.block, name), Row(method.block, name)).cells[column.key] = cell
    return tuple(sorted(rows.values(), key=lambda row: block_order(row.block)))
