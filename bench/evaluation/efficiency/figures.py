"""Figures of an efficiency run, from its measurements alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from bench.errors import DataError
from bench.metrics.bootstrap import NOT_COMPUTED, median_interval
from bench.results import Figure, ItemRow, RunResult

TIME, MEMORY, PARAMETERS, USED = "ms", "mib", "parameters", "parameters_used"
"""Names of the values of items."""


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a finished run from its measurements; see `figures_of`."""
    return figures_of(result.items, seed=result.record.seed if intervals else None)


def figures_of(items: Sequence[ItemRow], *, seed: int | None) -> dict[str, Figure]:
    """Compute every figure: ``parameters``, ``parameters-used``, then of each batch time and memory.

    Args:
        items: one row per timed pass, one for the parameter counts, one per batch size for memory; a failed batch has
            one row.
        seed: of the bootstrap of the median; None computes no intervals.

    Returns:
        ``ms@batch=B`` is the median of milliseconds per face; its ``n`` counts timed passes. ``peak-mib@batch=B`` is
        the peak memory. Quantities that could not be measured are absent.

    Raises:
        DataError: nothing was measured.
    """
    figures: dict[str, Figure] = {}
    for name in (PARAMETERS, USED):
        for item in items:
            if name in item.values:
                figures[name.replace("_", "-")] = _single(float(item.values[name]), "count", "none: counted")
    for batch in dict.fromkeys(int(item.values["batch"]) for item in items if "batch" in item.values):
        of_batch = [item.values for item in items if item.values.get("batch") == batch]
        times_ms = [float(values[TIME]) for values in of_batch if TIME in values]
        if times_ms:
            interval = NOT_COMPUTED if seed is None else median_interval(times_ms, seed=seed)
            median, count = statistics.median(times_ms), len(times_ms)
            figures[f"ms@batch={batch}"] = Figure(
                median, count, interval.low, interval.high, interval.method, median, count, "ms"
            )
        for values in of_batch:
            if MEMORY in values:
                figures[f"peak-mib@batch={batch}"] = _single(float(values[MEMORY]), "MiB", "none: one process")
    if not figures:
        raise DataError("A run without measurements has no figures.")
    return figures


def timed_passes(items: Sequence[ItemRow]) -> int:
    """Number of timed passes of a run."""
    return sum(TIME in item.values for item in items)


def _single(value: float, unit: str, method: str) -> Figure:
    return Figure(value, 1, None, None, method, value, 1, unit)
