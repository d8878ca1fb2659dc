"""The per-row values whose mean is a figure, for pairing two runs; and whether higher or lower is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bench.evaluation.expression import figures as expression
from bench.evaluation.identification import figures as identification
from bench.evaluation.restoration import figures as restoration
from bench.evaluation.row_values import RowValue
from bench.evaluation.verification import figures as verification
from bench.results.kinds import EXPRESSION, RESTORATION, VERIFICATION
from reports.runs.figure_names import split
from reports.runs.run import Run

Direction = Literal["higher", "lower"]
_TOLERANCE = 1e-9
_LOWER = (
    "eer", "landmark_error", "lpips", "failed_faces", "parameters", "parameters-used", "accuracy std", "accuracy se",
)  # fmt: skip
_HIGHER_UNITS = ("fraction", "dB", "ssim", "cosine")
_LOWER_UNITS = ("ms", "MiB", "px")
_OF_ITEMS = {
    VERIFICATION: verification.row_values,
    RESTORATION: restoration.row_values,
    EXPRESSION: expression.row_values,
}


@dataclass(frozen=True, slots=True)
class SharedRows:
    """A figure in the rows that two runs share.

    Attributes:
        values: of the one run.
        other_values: of the other run, in the same rows.
        people: the identities of the rows.
        unshared: number of rows that only one of the runs has.
    """

    values: list[float]
    other_values: list[float]
    people: list[str]
    unshared: int


def direction(name: str, unit: str) -> Direction | None:
    """Whether higher or lower values of a figure are better; None where neither is, or the figure is unknown."""
    if split(name)[0] in _LOWER or name in _LOWER or unit in _LOWER_UNITS:
        return "lower"
    return "higher" if unit in _HIGHER_UNITS else None


def row_values(run: Run, name: str) -> list[RowValue] | None:
    """The values whose plain mean is a figure.

    Args:
        run: with its rows.
        name: of one of its figures.

    Returns:
        At least one value; their mean equals the figure in ``run.json`` to 1e-9. None where the figure is no mean over
        rows (a threshold, a curve, a time), where the kind of the run is unknown, or where the run has no rows.
    """
    of_items = _OF_ITEMS.get(run.kind)
    if run.searched:
        values = identification.row_values(run.probes, name)
    else:
        values = of_items(run.items, name) if of_items else []
    if not values:
        return None
    mean = math.fsum(value.value for value in values) / len(values)
    equal = math.isclose(mean, run.record.metrics[name].value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return values if equal else None


def shared_rows(run: Run, other: Run, name: str) -> SharedRows:
    """The values of a figure in the rows that two runs share, matched by key and person, in the order of ``run``."""
    values, other_values = row_values(run, name) or [], row_values(other, name) or []
    by_key = {value.key: value for value in other_values}
    pairs = [
        (value, by_key[value.key])
        for value in values
        if value.key in by_key and by_key[value.key].person == value.person
    ]
    unshared = len(values) + len(other_values) - 2 * len(pairs)
    return SharedRows(
        [value.value for value, _ in pairs],
        [value.value for _, value in pairs],
        [value.person for value, _ in pairs],
        unshared,
    )
