"""Per-row values: what a figure is the plain mean of, row by row, so that two runs can be paired."""

from __future__ import annotations

from dataclasses import dataclass

from bench.results import ItemRow


@dataclass(frozen=True, slots=True)
class RowValue:
    """What a figure is the mean of, in one row.

    Attributes:
        key: pairs the row with the same row of another run.
        person: who is resampled together: the identity, or the fold of a verification run.
        value: hit 0 or 1, average precision, dB...
    """

    key: str
    person: str
    value: float


def item_value(item: ItemRow, value: float) -> RowValue:
    """The value of an item; one without an identity is a cluster of its own."""
    return RowValue(item.key, item.identity or item.key, value)
