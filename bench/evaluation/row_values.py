"""Per-row values whose plain mean is a figure, so that two runs can be compared in pairs."""

from __future__ import annotations

from dataclasses import dataclass

from bench.results import ItemRow


@dataclass(frozen=True, slots=True)
class RowValue:
    """The contribution of one row to a figure that is a mean.

    Attributes:
        key: identifies the same row in another run.
        person: the cluster for resampling: the identity, or the fold of a verification run.
        value: hit 0 or 1, average precision, dB...
    """

    key: str
    person: str
    value: float


def item_value(item: ItemRow, value: float) -> RowValue:
    """The value of an item; one without an identity is a cluster of its own."""
    return RowValue(item.key, item.identity or item.key, value)
