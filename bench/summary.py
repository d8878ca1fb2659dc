"""The figures of a run, from its per-probe rows alone: what `bench run` reports and `bench score` computes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.errors import DataError
from bench.metrics.identification import average_precision_trapezoid
from bench.metrics.intervals import Interval, bootstrap_intervals
from bench.results import Figure, ProbeRow, RunResult


def figures(
    rows: Sequence[ProbeRow], *, ranks: Sequence[int], mean_average_precision: bool, seed: int
) -> dict[str, Figure]:
    """Compute every figure of an identification run.

    Args:
        rows: the probes; a row without a rank is a miss, with average precision 0, and stays in the denominator.
        ranks: the k of the rank-k rates.
        mean_average_precision: whether to add ``map`` (trapezoid rule).
        seed: seed of the bootstrap; the interval resamples identities, not probes.

    Returns:
        ``rank-k`` for each k, then ``map``.

    Raises:
        DataError: there are no rows.
    """
    if not rows:
        raise DataError("A run without probes has no figures.")
    values = {f"rank-{k}": [float(row.rank is not None and row.rank <= k) for row in rows] for k in ranks}
    if mean_average_precision:
        values["map"] = [average_precision_trapezoid(row.mated_ranks, mates=row.mates) for row in rows]
    people = [row.identity for row in rows]
    scored = [i for i, row in enumerate(rows) if row.status != "failed"]
    intervals = bootstrap_intervals(list(zip(*values.values(), strict=True)), people, seed=seed)
    return {
        name: _figure(column, interval, scored)
        for (name, column), interval in zip(values.items(), intervals, strict=True)
    }


def rescore(result: RunResult) -> RunResult:
    """The same run with its figures computed again from its rows."""
    rules = result.record.protocol
    again = figures(
        result.probes,
        ranks=rules["ranks"],
        mean_average_precision=rules["mean_average_precision"],
        seed=result.record.seed,
    )
    return replace(result, record=replace(result.record, metrics=again))


def flat(result: RunResult) -> dict[str, object]:
    """The figures as one flat mapping, ready for JSON: ``rank-1``, ``rank-1.low``, ``probes``, ``smoke``..."""
    record = result.record
    values: dict[str, object] = {}
    for name, figure in record.metrics.items():
        values |= {
            name: figure.value,
            f"{name}.low": figure.low,
            f"{name}.high": figure.high,
            f"{name}.without_failures": figure.without_failures,
        }
    statuses: Mapping[str, int] = {
        "probes": len(result.probes),
        "probes.failed": sum(row.status == "failed" for row in result.probes),
        "probes.fallback": sum(row.status == "fallback" for row in result.probes),
    }
    return {**values, **statuses, "smoke": record.smoke, "sample": record.sample, "official": record.data["official"]}


def _figure(column: Sequence[float], interval: Interval, scored: Sequence[int]) -> Figure:
    return Figure(
        value=sum(column) / len(column),
        n=len(column),
        low=interval.low,
        high=interval.high,
        interval=interval.method,
        without_failures=sum(column[i] for i in scored) / len(scored) if scored else None,
        n_without_failures=len(scored),
    )
