"""The values whose mean a figure is, one a row: what two runs can be paired by; and which way a figure is better."""

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
class Value:
    """What a figure is the mean of, in one row.

    Attributes:
        key: pairs it with the same row of another run.
        person: who is resampled together: the identity, or the fold of a verification run.
        value: hit 0 or 1, average precision, dB...
    """

    key: str
    person: str
    value: float


def direction(name: str, unit: str) -> Direction | None:
    """Whether more of a figure is better; None where nothing is known, or neither is better."""
    if split(name)[0] in _LOWER or name in _LOWER or unit in _LOWER_UNITS:
        return "lower"
    return "higher" if unit in _HIGHER_UNITS else None


def values_of(run: Run, name: str) -> list[Value] | None:
    """The rows that a figure is the plain mean of.

    Args:
        run: with its rows.
        name: of one of its figures.

    Returns:
        At least one; None where the figure is no mean over rows (a threshold, a curve, a time), is of a kind not known
        here, or where the run comes without rows. Their mean equals the figure in ``run.json`` to 1e-9.
    """
    found = _of_probes(run.probes, name) if run.searched else _of_items(run.kind, run.items, name)
    if not found:
        return None
    mean = math.fsum(value.value for value in found) / len(found)
    return found if math.isclose(mean, run.record.metrics[name].value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) else None


def _of_probes(rows: Sequence[ProbeRow], name: str) -> list[Value]:
    names = galleries(rows)
    base, part = (name, "") if names == [""] else split(name)
    if part and part not in names:
        return []
    own = [row for row in rows if row.mates and row.gallery == part] if part else [row for _, row in head(rows)]
    k = rank_of(base)
    if k is not None:
        return [Value(row.key, row.identity, float(row.rank is not None and row.rank <= k)) for row in own]
    if base == "map":
        return [
            Value(row.key, row.identity, average_precision_trapezoid(row.mated_ranks, mates=row.mates)) for row in own
        ]
    return []


def _of_items(kind: str, items: Sequence[ItemRow], name: str) -> list[Value]:
    base, part = split(name)
    if kind == of_items.VERIFICATION and name == "accuracy":
        return [Value(item.key, item.key, float(item.values["accuracy"])) for item in items]
    if kind == of_items.EXPRESSION:
        return _told(items, name, base, part)
    if kind == of_items.RESTORATION:
        own = [item for item in items if not part or _yaw(item) == part]
        if base in of_items.QUALITIES:
            found = ((item, of_items.quality(item, of_items.QUALITIES[base])) for item in own)
            return [Value(item.key, item.identity or item.key, value) for item, value in found if value is not None]
        if base == "landmarks_found":
            asked = [item for item in own if base in item.values or item.status == "failed"]
            return [Value(i.key, i.identity or i.key, float(i.values.get(base, 0.0))) for i in asked]
    return []


def _told(items: Sequence[ItemRow], name: str, base: str, part: str) -> list[Value]:
    answer, own = "predicted", list(items)
    if base == "recall" and part:
        own = [item for item in items if item.values["expression"] == part]
    elif base == "accuracy" and part:
        answer = f"predicted ({part})"
    elif name != "accuracy":
        return []  # means of recalls, and of folds: rows do not count alike
    return [
        Value(item.key, item.identity or item.key, float(item.values.get(answer) == item.values["expression"]))
        for item in own
    ]


def _yaw(item: ItemRow) -> str:
    yaw = item.attributes.get("yaw_deg")
    return f"yaw {abs(yaw):g}" if isinstance(yaw, int | float) and math.isfinite(yaw) else ""
