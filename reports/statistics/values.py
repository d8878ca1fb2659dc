"""The per-row values whose mean is a figure, for pairing two runs; and whether higher or lower is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.metrics.identification import average_precision_trapezoid
from bench.results import ItemRow, ProbeRow
from reports.runs import items as of_items
from reports.runs.figure_names import rank_of, split
from reports.runs.run import Run
from reports.runs.searches import galleries, head

Direction = Literal["higher", "lower"]
_TOLERANCE = 1e-9
_LOWER = (
    "eer", "landmark_error", "lpips", "failed_faces", "parameters", "parameters-used", "accuracy std", "accuracy se",
)  # fmt: skip
_HIGHER_UNITS = ("fraction", "dB", "ssim", "cosine")
_LOWER_UNITS = ("ms", "MiB", "px")


@dataclass(frozen=True, slots=True)
class RowValue:
    """The value of one row; a figure is the mean of such values.

    Attributes:
        key: pairs the row with the same row of another run.
        person: rows with the same value are resampled together: the identity, or the fold of a verification run.
        value: hit 0 or 1, average precision, dB...
    """

    key: str
    person: str
    value: float


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
    values = _probe_values(run.probes, name) if run.searched else _item_values(run.kind, run.items, name)
    if not values:
        return None
    mean = math.fsum(value.value for value in values) / len(values)
    return (
        values if math.isclose(mean, run.record.metrics[name].value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) else None
    )


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


def _probe_values(rows: Sequence[ProbeRow], name: str) -> list[RowValue]:
    names = galleries(rows)
    base, part = (name, "") if names == [""] else split(name)
    if part and part not in names:
        return []
    own = [row for row in rows if row.mates and row.gallery == part] if part else [row for _, row in head(rows)]
    k = rank_of(base)
    if k is not None:
        return [RowValue(row.key, row.identity, float(row.rank is not None and row.rank <= k)) for row in own]
    if base == "map":
        return [
            RowValue(row.key, row.identity, average_precision_trapezoid(row.mated_ranks, mates=row.mates))
            for row in own
        ]
    return []


def _item_values(kind: str, items: Sequence[ItemRow], name: str) -> list[RowValue]:
    base, part = split(name)
    if kind == of_items.VERIFICATION and name == "accuracy":
        return [RowValue(item.key, item.key, float(item.values["accuracy"])) for item in items]
    if kind == of_items.EXPRESSION:
        return _expression_values(items, name, base, part)
    if kind == of_items.RESTORATION:
        own = [item for item in items if not part or _yaw(item) == part]
        if base in of_items.QUALITIES:
            found = ((item, of_items.quality(item, of_items.QUALITIES[base])) for item in own)
            return [RowValue(item.key, item.identity or item.key, value) for item, value in found if value is not None]
        if base == "landmarks_found":
            asked = [item for item in own if base in item.values or item.status == "failed"]
            return [RowValue(i.key, i.identity or i.key, float(i.values.get(base, 0.0))) for i in asked]
    return []


def _expression_values(items: Sequence[ItemRow], name: str, base: str, part: str) -> list[RowValue]:
    answer, own = "predicted", list(items)
    if base == "recall" and part:
        own = [item for item in items if item.values["expression"] == part]
    elif base == "accuracy" and part:
        answer = f"predicted ({part})"
    elif name != "accuracy":
        return []  # means of recalls, and of folds: rows do not count alike
    return [
        RowValue(item.key, item.identity or item.key, float(item.values.get(answer) == item.values["expression"]))
        for item in own
    ]


def _yaw(item: ItemRow) -> str:
    yaw = item.attributes.get("yaw_deg")
    return f"yaw {abs(yaw):g}" if isinstance(yaw, int | float) and math.isfinite(yaw) else ""
