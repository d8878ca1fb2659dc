"""A chart of the page: a drawing, its caption, and its numbers as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from reports.text.numbers import GAP, count, measured


@dataclass(frozen=True, slots=True)
class Number:
    """A cell of a chart's table.

    Attributes:
        value: exact; None for a gap.
        text: as shown.
    """

    value: float | None
    text: str

    @classmethod
    def measured(cls, value: float | None, unit: str) -> Self:
        """A value of a figure in its unit; a gap for None."""
        return cls(value, measured(value, unit))

    @classmethod
    def count(cls, number: int) -> Self:
        """A whole number."""
        return cls(number, count(number))

    @classmethod
    def gap(cls) -> Self:
        """A missing value."""
        return cls(None, GAP)


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its caption and numbers.

    Attributes:
        slug: its name in the page's addresses: letters and digits.
        title: heading.
        svg: an ``<svg>`` element.
        caption: what is shown, with its denominators.
        columns: headings of its table; the first is of text.
        rows: of the table.
    """

    slug: str
    title: str
    svg: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Number, ...], ...]
