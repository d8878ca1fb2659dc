"""Figures of a restoration run from its items alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.errors import DataError
from bench.metrics.bootstrap import Interval, bootstrap_interval
from bench.results import Figure, ItemRow

_QUALITIES = {
    "psnr_db": ("psnr_rgb_db", "dB"),
    "psnr_y_db": ("psnr_y_db", "dB"),
    "ssim": ("ssim_rgb_wang", "ssim"),
    "ssim_y": ("ssim_y", "ssim"),
    "identity_similarity": ("identity_similarity", "cosine"),
    "landmark_error": ("landmark_error", "fraction"),
    "lpips": ("lpips", "lpips"),
}
_FOUND = "landmarks_found"


def figures_of(items: Sequence[ItemRow], *, seed: int) -> dict[str, Figure]:
    """Every figure, over all faces and, as ``psnr_db (yaw 22)``, over those turned so far to either side.

    A mean is over the faces that have a finite value: a failed face has no part in it, one equal to its truth none in
    the mean of the PSNR; ``failed_faces`` and ``infinite_psnr`` count them. ``landmarks_found`` is a rate, of which a
    failed face is a miss. What was measured of no face is absent.

    Args:
        items: one a face.
        seed: of the bootstrap, which draws identities.

    Raises:
        DataError: there are no items.
    """
    if not items:
        raise DataError("A run without faces has no figures.")
    found = _group(items, seed)
    infinite = sum(item.values.get("psnr_rgb_db") == "inf" for item in items)
    found["infinite_psnr"] = _count(infinite, len(items))
    found["failed_faces"] = _count(sum(item.status == "failed" for item in items), len(items))
    yaws = sorted({yaw for item in items if (yaw := _yaw(item)) is not None})
    for yaw in yaws:
        part = _group([item for item in items if _yaw(item) == yaw], seed)
        found |= {f"{name} (yaw {yaw:g})": figure for name, figure in part.items()}
    return found


def _group(items: Sequence[ItemRow], seed: int) -> dict[str, Figure]:
    figures = {}
    for name, (value, unit) in _QUALITIES.items():
        figure = _mean(items, value, unit, seed)
        if figure is not None:
            figures[name] = figure
    rate = _rate(items, seed)
    if rate is not None:
        figures[_FOUND] = rate
    return figures


def _mean(items: Sequence[ItemRow], name: str, unit: str, seed: int) -> Figure | None:
    """The mean of what is finite; None where nothing is."""
    pairs = [
        (float(value), item.identity)
        for item in items
        if item.status != "failed" and (value := item.values.get(name)) is not None and math.isfinite(float(value))
    ]
    if not pairs:
        return None
    numbers = [number for number, _ in pairs]
    interval = bootstrap_interval(numbers, [person for _, person in pairs], seed=seed)
    if min(numbers) == max(numbers):  # 0 or 1 alone would be taken for a rate there
        interval = Interval(None, None, "none: all values are equal", interval.identities)
    mean = math.fsum(numbers) / len(numbers)
    return Figure(mean, len(pairs), interval.low, interval.high, interval.method, mean, len(pairs), unit)


def _rate(items: Sequence[ItemRow], seed: int) -> Figure | None:
    """Share of faces in which landmarks are found; None where they were looked for in none."""
    if not any(_FOUND in item.values for item in items):
        return None
    asked = [item for item in items if _FOUND in item.values or item.status == "failed"]
    hits = [float(item.values.get(_FOUND, 0.0)) for item in asked]
    scored = [hit for hit, item in zip(hits, asked, strict=True) if item.status != "failed"]
    interval = bootstrap_interval(hits, [item.identity for item in asked], seed=seed)
    without = sum(scored) / len(scored)
    return Figure(sum(hits) / len(hits), len(hits), interval.low, interval.high, interval.method, without, len(scored))


def _count(value: int, faces: int) -> Figure:
    return Figure(float(value), faces, None, None, "none: a count", float(value), faces, "count")


def _yaw(item: ItemRow) -> float | None:
    yaw = item.attributes.get("yaw_deg")
    return abs(yaw) if isinstance(yaw, (int, float)) and math.isfinite(yaw) else None
