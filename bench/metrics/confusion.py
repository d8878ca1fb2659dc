"""Confusion matrices: counts and rates by row. Rows are the true classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError


@dataclass(frozen=True)
class Confusion:
    """Predicted classes of items by true class.

    Attributes:
        labels: the K classes.
        counts: int64 (K, K): row the true class, column the predicted one.
        unpredicted: int64 (K,), failed items of each true class, without a prediction: misses.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    unpredicted: NDArray[np.int64]

    @property
    def totals(self) -> NDArray[np.int64]:
        """Items of each true class, those without a prediction included: int64 (K,)."""
        total: NDArray[np.int64] = self.counts.sum(1) + self.unpredicted
        return total


def confusion(truth: Sequence[str], predicted: Sequence[str | None], labels: Sequence[str]) -> Confusion:
    """Count predictions by true class.

    Args:
        truth: class of each of N items, N >= 1.
        predicted: predicted class of each, or None without a prediction.
        labels: the classes, each once, in the order of rows and columns.

    Raises:
        DataError: no items, other numbers of truths and predictions, a class that is no label, a label twice.
    """
    index_of = {label: index for index, label in enumerate(labels)}
    if len(index_of) != len(labels):
        raise DataError(f"A class occurs twice in {', '.join(labels)}")
    if len(truth) != len(predicted) or not len(truth):
        raise DataError(
            f"{len(truth)} true classes and {len(predicted)} predictions; the numbers must be equal and at least 1"
        )
    unknown = sorted(({*truth} | {p for p in predicted if p is not None}) - set(labels))
    if unknown:
        raise DataError(f"Unknown classes {', '.join(unknown[:5])}; the classes are {', '.join(labels)}")
    counts = np.zeros((len(labels), len(labels) + 1), np.int64)
    columns = [len(labels) if p is None else index_of[p] for p in predicted]
    np.add.at(counts, ([index_of[t] for t in truth], columns), 1)
    return Confusion(tuple(labels), counts[:, :-1].copy(), counts[:, -1].copy())


def row_rates(table: Confusion) -> list[tuple[float, ...] | None]:
    """Each row of counts divided by the items of its class: K rates in [0, 1], or None for a class without items.

    A row sums to 1 less the share of its items without a prediction.
    """
    return [
        tuple(float(count / total) for count in row) if total else None
        for row, total in zip(table.counts, table.totals, strict=True)
    ]
