"""A chart as the page shows it: a drawing, what it is of, and its numbers for who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A cell of a chart's table.

    Attributes:
        value: exact; None for a gap.
        text: as shown.
    """

    value: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its words and numbers.

    Attributes:
        slug: its name in the page's addresses: letters and digits.
        title: heading.
        svg: an ``<svg>`` element.
        caption: what it is over, and what to know; says its denominators.
        columns: headings of its table; the first is of text.
        rows: of the table.
    """

    slug: str
    title: str
    svg: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Number, ...], ...]
