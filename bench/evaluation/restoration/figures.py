"""Figures of a restoration run, from its items alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.errors import DataError
from bench.evaluation.row_values import RowValue, item_value
from bench.metrics.bootstrap import NOT_COMPUTED, Interval, bootstrap_interval
from bench.results import Figure, ItemRow, RunResult, split_name, yaw_deg

QUALITIES = {
    "psnr_db": ("psnr_rgb_db", "dB"),
    "psnr_y_db": ("psnr_y_db", "dB"),
    "ssim": ("ssim_rgb_wang", "ssim"),
    "ssim_y": ("ssim_y", "ssim"),
    "identity_similarity": ("identity_similarity", "cosine"),
    "landmark_error": ("landmark_error", "fraction"),
    "lpips": ("lpips", "lpips"),
}
"""Means by name: the name of the items' value, and its unit."""
LANDMARKS_FOUND, INFINITE_PSNR, FAILED_FACES = "landmarks_found", "infinite_psnr", "failed_faces"


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a finished run from its items; see `figures_of`."""
    return figures_of(result.items, seed=result.record.seed if intervals else None)


def figures_of(items: Sequence[ItemRow], *, seed: int | None) -> dict[str, Figure]:
    """Compute every figure over all faces and, as ``psnr_db (yaw 22)``, over the faces of each absolute yaw.

    A mean is over the faces with a finite value: failed faces are excluded, and from the mean PSNR also faces equal to
    their truth; ``failed_faces`` and ``infinite_psnr`` count them. ``landmarks_found`` is a rate; a failed face is a
    miss. Quantities that were measured on no face are absent.

    Args:
        items: one per face.
        seed: of the bootstrap, which resamples identities; None computes no intervals.

    Raises:
        DataError: there are no items.
    """
    if not items:
        raise DataError("A run without faces has no figures.")
    figures = _means(items, seed)
    infinite = sum(item.values.get("psnr_rgb_db") == "inf" for item in items)
    figures[INFINITE_PSNR] = _count(infinite, len(items))
    figures[FAILED_FACES] = _count(sum(item.status == "failed" for item in items), len(items))
    yaws = {yaw_part(item): abs(yaw) for item in items if (yaw := yaw_deg(item)) is not None}
    for part in sorted(yaws, key=yaws.__getitem__):
        of_yaw = [item for item in items if yaw_part(item) == part]
        figures |= {f"{name} ({part})": figure for name, figure in _means(of_yaw, seed).items()}
    return figures


def row_values(items: Sequence[ItemRow], name: str) -> list[RowValue]:
    """Return the values that a figure is the plain mean of; none for a figure that is not a mean over items.

    Args:
        items: all of the run.
        name: of the figure: ``psnr_db``, ``ssim (yaw 22)``, ``landmarks_found``...
    """
    base, part = split_name(name)
    of_part = [item for item in items if not part or yaw_part(item) == part]
    return [item_value(item, value) for item, value in _values(of_part, base)]


def finite_quality(item: ItemRow, name: str) -> float | None:
    """The value of one of the `QUALITIES` of a face; None where the face failed or the value is not finite."""
    value = item.values.get(QUALITIES[name][0])
    if value is None or item.status == "failed":
        return None
    return float(value) if math.isfinite(float(value)) else None


def yaw_part(item: ItemRow) -> str:
    """Name of the part of a face by its yaw: ``yaw 22`` for 22 degrees to either side; empty if unknown."""
    yaw = yaw_deg(item)
    return "" if yaw is None else f"yaw {abs(yaw):g}"


def _values(items: Sequence[ItemRow], base: str) -> list[tuple[ItemRow, float]]:
    """The values of a mean or a rate; a failed face is a miss of ``landmarks_found`` and has no quality."""
    if base in QUALITIES:
        qualities = ((item, finite_quality(item, base)) for item in items)
        return [(item, value) for item, value in qualities if value is not None]
    if base == LANDMARKS_FOUND:
        searched = [item for item in items if base in item.values or item.status == "failed"]
        return [(item, float(item.values.get(base, 0.0))) for item in searched]
    return []


def _means(items: Sequence[ItemRow], seed: int | None) -> dict[str, Figure]:
    """Means of the qualities that some face has, and the rate of faces with detected landmarks."""
    figures = {}
    for name, (_, unit) in QUALITIES.items():
        values = _values(items, name)
        if values:
            figures[name] = _mean(values, unit, seed)
    if any(LANDMARKS_FOUND in item.values for item in items):
        figures[LANDMARKS_FOUND] = _rate(_values(items, LANDMARKS_FOUND), seed)
    return figures


def _mean(values: Sequence[tuple[ItemRow, float]], unit: str, seed: int | None) -> Figure:
    numbers = [number for _, number in values]
    interval = _interval(values, seed)
    if seed is not None and min(numbers) == max(
        numbers
    ):  # bootstrap_interval treats values that are all 0 or all 1 as a rate
        interval = Interval(None, None, "none: all values are equal", interval.identities)
    mean = math.fsum(numbers) / len(numbers)
    return Figure(mean, len(numbers), interval.low, interval.high, interval.method, mean, len(numbers), unit)


def _rate(values: Sequence[tuple[ItemRow, float]], seed: int | None) -> Figure:
    hits = [hit for _, hit in values]
    scored = [hit for item, hit in values if item.status != "failed"]
    interval = _interval(values, seed)
    without_failures = sum(scored) / len(scored)
    return Figure(
        sum(hits) / len(hits), len(hits), interval.low, interval.high, interval.method, without_failures, len(scored)
    )


def _interval(values: Sequence[tuple[ItemRow, float]], seed: int | None) -> Interval:
    if seed is None:
        return NOT_COMPUTED
    return bootstrap_interval([value for _, value in values], [item.identity for item, _ in values], seed=seed)


def _count(value: int, faces: int) -> Figure:
    return Figure(float(value), faces, None, None, "none: a count", float(value), faces, "count")
