"""What faces of each expression were taken for: counts, and the share of the faces that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.metrics.confusion import row_rates
from bench.results import ItemRow
from reports.runs.items import answers, confusion_of


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix of one run.

    Attributes:
        name: of the run in the report.
        of: whose faces were asked about: empty for the method's own, else ``frontal HR`` or ``bicubic``.
        labels: the expressions, in the order of rows and columns.
        rows: one for each true expression.
    """

    name: str
    of: str
    labels: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What it is of."""
        return f"{self.name}, {self.of} faces" if self.of else self.name


@dataclass(frozen=True, slots=True)
class Row:
    """Faces of one true expression.

    Attributes:
        label: the expression.
        cells: count and share by predicted expression; the share is None where no face shows the expression.
        unpredicted: faces without a prediction: they failed.
        total: all faces.
    """

    label: str
    cells: tuple[tuple[int, float | None], ...]
    unpredicted: int
    total: int


def matrices(name: str, items: Sequence[ItemRow], labels: Sequence[str]) -> list[Matrix]:
    """The matrices of a run, that of the method's own faces first."""
    found = []
    for of in answers(items):
        table = confusion_of(items, labels, of)
        rows = tuple(
            Row(
                label,
                tuple((int(n), rates[at] if rates else None) for at, n in enumerate(counts)),
                int(unpredicted),
                int(total),
            )
            for label, counts, rates, unpredicted, total in zip(
                table.labels, table.counts, row_rates(table), table.unpredicted, table.totals, strict=True
            )
        )
        found.append(Matrix(name, of, table.labels, rows))
    return found
