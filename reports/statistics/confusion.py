"""Confusion matrices of expressions: counts, and shares of the faces that show the true expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.evaluation.expression.figures import confusion_of, references_of
from bench.metrics.confusion import row_rates
from bench.results import ItemRow


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """A confusion matrix of one run.

    Attributes:
        name: of the run in the report.
        faces: which faces were classified: empty for the outputs of the method, else ``frontal HR`` or ``bicubic``.
        labels: the expressions, in the order of rows and columns.
        rows: one for each true expression.
    """

    name: str
    faces: str
    labels: tuple[str, ...]
    rows: tuple[ConfusionRow, ...]

    @property
    def title(self) -> str:
        """The run, and which faces were classified where these are not its outputs."""
        return f"{self.name}, {self.faces} faces" if self.faces else self.name


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """Faces of one true expression.

    Attributes:
        label: the expression.
        cells: count and share by predicted expression; the share is None where no face shows the expression.
        unpredicted: faces without a prediction, because they failed.
        total: all faces.
    """

    label: str
    cells: tuple[tuple[int, float | None], ...]
    unpredicted: int
    total: int


def confusion_matrices(name: str, items: Sequence[ItemRow], labels: Sequence[str]) -> list[ConfusionMatrix]:
    """The confusion matrices of a run, that of its own outputs first.

    Args:
        name: of the run in the report.
        items: rows of the run.
        labels: the expressions.
    """
    matrices = []
    for faces in references_of(items):
        table = confusion_of(items, labels, faces)
        rows = tuple(
            ConfusionRow(
                label,
                tuple((int(n), rates[at] if rates else None) for at, n in enumerate(counts)),
                int(unpredicted),
                int(total),
            )
            for label, counts, rates, unpredicted, total in zip(
                table.labels, table.counts, row_rates(table), table.unpredicted, table.totals, strict=True
            )
        )
        matrices.append(ConfusionMatrix(name, faces, table.labels, rows))
    return matrices
