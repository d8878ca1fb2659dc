"""Figures of an efficiency run, from its measurements alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from bench.errors import DataError
from bench.metrics.bootstrap import NOT_COMPUTED, median_interval
from bench.results import Figure, ItemRow, RunResult

TIME, MEMORY, PARAMETERS, USED = "ms", "mib", "parameters", "parameters_used"
"""What items measure: the names of their values."""


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a finished run from its measurements; see `figures_of`."""
    return figures_of(result.items, seed=result.record.seed if intervals else None)


def figures_of(items: Sequence[ItemRow], *, seed: int | None) -> dict[str, Figure]:
    """Compute every figure: ``parameters``, ``parameters-used``, then of each batch time and memory.

    Args:
        items: one row a timed pass; one for what was counted, one a batch for memory; failed batches have one row.
        seed: of the bootstrap of the median; None computes no intervals.

    Returns:
        ``ms@batch=B`` is the median of milliseconds a face; its ``n`` counts timed passes. ``peak-mib@batch=B`` is the
        most memory. What could not be measured is absent.

    Raises:
        DataError: nothing was measured.
    """
    found: dict[str, Figure] = {}
    for name in (PARAMETERS, USED):
        for item in items:
            if name in item.values:
                found[name.replace("_", "-")] = _single(float(item.values[name]), "count", "none: counted")
    for batch in dict.fromkeys(int(item.values["batch"]) for item in items if "batch" in item.values):
        own = [item.values for item in items if item.values.get("batch") == batch]
        spent = [float(values[TIME]) for values in own if TIME in values]
        if spent:
            interval = NOT_COMPUTED if seed is None else median_interval(spent, seed=seed)
            middle, count = statistics.median(spent), len(spent)
            found[f"ms@batch={batch}"] = Figure(
                middle, count, interval.low, interval.high, interval.method, middle, count, "ms"
            )
        for values in own:
            if MEMORY in values:
                found[f"peak-mib@batch={batch}"] = _single(float(values[MEMORY]), "MiB", "none: one process")
    if not found:
        raise DataError("A run without measurements has no figures.")
    return found


def timed_passes(items: Sequence[ItemRow]) -> int:
    """Timed passes of a run by its rows."""
    return sum(TIME in item.values for item in items)


def _single(value: float, unit: str, why: str) -> Figure:
    return Figure(value, 1, None, None, why, value, 1, unit)
