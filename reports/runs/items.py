"""What the figures of runs that search no gallery must be, from their items: a table cut short is no smaller run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from bench.metrics.bootstrap import mean_of_groups
from bench.metrics.confusion import Confusion, confusion
from bench.metrics.verification import spread
from bench.results import ItemRow
from reports.runs.figure_names import split
from reports.runs.searches import Expected

VERIFICATION, RESTORATION, EXPRESSION, EFFICIENCY = "verification", "restoration", "expression", "efficiency"

QUALITIES = {
    "psnr_db": "psnr_rgb_db",
    "psnr_y_db": "psnr_y_db",
    "ssim": "ssim_rgb_wang",
    "ssim_y": "ssim_y",
    "identity_similarity": "identity_similarity",
    "landmark_error": "landmark_error",
    "lpips": "lpips",
}
"""Means of a restoration run, and the values of items that they are of."""

_PREDICTED = "predicted"


def expected(kind: str, name: str, items: Sequence[ItemRow]) -> Expected | None:
    """What a figure must be; None for one that items do not hold.

    Args:
        kind: of the run.
        name: of the figure.
        items: all of the run.

    Raises:
        KeyError, ValueError: an item lacks what all of its kind have.
    """
    if kind == VERIFICATION:
        return _verification(name, items)
    if kind == RESTORATION:
        return _restoration(name, items)
    if kind == EXPRESSION:
        return _expression(name, items)
    return _efficiency(name, items) if kind == EFFICIENCY else None


def pairs_of(items: Sequence[ItemRow]) -> tuple[int, int]:
    """Pairs of a verification run, and those with a failed template."""
    return sum(int(item.values["pairs"]) for item in items), sum(int(item.values["failed"]) for item in items)


def passes_of(items: Sequence[ItemRow]) -> int:
    """Timed passes of an efficiency run."""
    return sum("ms" in item.values for item in items)


def _verification(name: str, items: Sequence[ItemRow]) -> Expected | None:
    pairs, failed = pairs_of(items)
    if name in ("auc", "eer"):
        return Expected(pairs, pairs - failed, None)
    if not name.startswith("accuracy"):
        return None  # over the pairs of one person, which folds do not count
    folds = [float(item.values["accuracy"]) for item in items]
    value = None
    if name == "accuracy":
        value = math.fsum(folds) / len(folds)
    elif name in ("accuracy std", "accuracy se"):
        value = spread(folds)[name.endswith("se")]
    return Expected(pairs, pairs - failed, value)


def _restoration(name: str, items: Sequence[ItemRow]) -> Expected | None:
    base, part = split(name)
    own = [item for item in items if _yaw_name(item) == part] if part else list(items)
    if base in QUALITIES:
        found = [number for item in own if (number := quality(item, QUALITIES[base])) is not None]
        return Expected(len(found), len(found), math.fsum(found) / len(found) if found else None)
    if base == "landmarks_found":
        asked = [item for item in own if base in item.values or item.status == "failed"]
        hits = [float(item.values.get(base, 0.0)) for item in asked]
        scored = sum(item.status != "failed" for item in asked)
        return Expected(len(asked), scored, sum(hits) / len(hits) if hits else None)
    if base == "infinite_psnr":
        return Expected(len(own), len(own), float(sum(item.values.get("psnr_rgb_db") == "inf" for item in own)))
    if base == "failed_faces":
        return Expected(len(own), len(own), float(sum(item.status == "failed" for item in own)))
    return None


def quality(item: ItemRow, name: str) -> float | None:
    """A finite value of a restored face; None where it failed or has none."""
    value = item.values.get(name)
    if value is None or item.status == "failed":
        return None
    return float(value) if math.isfinite(float(value)) else None


def _yaw_name(item: ItemRow) -> str:
    yaw = item.attributes.get("yaw_deg")
    return f"yaw {abs(yaw):g}" if isinstance(yaw, int | float) and math.isfinite(yaw) else ""


def _expression(name: str, items: Sequence[ItemRow]) -> Expected | None:
    base, part = split(name)
    truths = [str(item.values["expression"]) for item in items]
    alike: list[str | int] = [0] * len(items)
    if name == "accuracy":
        return _rate(items, "predicted", alike)
    if name == "accuracy (mean of folds)":
        return _rate(items, "predicted", [int(item.values["fold"]) for item in items])
    if name == "uar":
        return _rate(items, "predicted", truths)
    if base == "recall" and part:
        own = [item for item, truth in zip(items, truths, strict=True) if truth == part]
        return _rate(own, "predicted", [0] * len(own))
    if base in ("accuracy", "uar") and part:
        answer = f"predicted ({part})"
        found = _rate(items, answer, alike if base == "accuracy" else truths)
        return Expected(found.n, sum(answer in item.values for item in items), found.value)
    return None


def _rate(items: Sequence[ItemRow], answer: str, groups: Sequence[str | int]) -> Expected:
    """Share of right answers, groups counting alike."""
    hits = [float(item.values.get(answer) == item.values["expression"]) for item in items]
    scored = sum(item.status != "failed" for item in items)
    return Expected(len(items), scored, mean_of_groups(hits, groups) if hits else None)


def _efficiency(name: str, items: Sequence[ItemRow]) -> Expected | None:
    base, _, batch = name.partition("@batch=")
    key = {"parameters": "parameters", "parameters-used": "parameters_used", "ms": "ms", "peak-mib": "mib"}.get(base)
    if key is None or (key in ("ms", "mib") and not batch.isdigit()):
        return None
    own = [
        float(item.values[key])
        for item in items
        if key in item.values and (not batch or float(item.values["batch"]) == float(batch))
    ]
    if key == "ms":
        return Expected(len(own), len(own), statistics.median(own) if own else None)
    once = min(1, len(own))
    return Expected(once, once, own[-1] if own else None)


def answers(items: Sequence[ItemRow]) -> list[str]:
    """Whose faces were asked about: "" for the method's own, then what stands in brackets after ``predicted``."""
    found = dict.fromkeys(name for item in items for name in item.values if name.startswith(f"{_PREDICTED} ("))
    return ["", *(name[len(_PREDICTED) + 2 : -1] for name in found)]


def confusion_of(items: Sequence[ItemRow], labels: Sequence[str], of: str) -> Confusion:
    """Count what was taken for what.

    Raises:
        KeyError: an item has no expression.
        DataError: there are no items, or an expression is none of the labels.
    """
    name = f"{_PREDICTED} ({of})" if of else _PREDICTED
    predicted = [str(item.values[name]) if name in item.values else None for item in items]
    return confusion([str(item.values["expression"]) for item in items], predicted, labels)
