"""The figures of a run, from its per-probe rows alone: what `bench run` reports and `bench score` computes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.errors import DataError
from bench.evaluation.identification.open_set import JOINED, open_set_figures
from bench.metrics.bootstrap import Interval, bootstrap_intervals
from bench.metrics.identification import average_precision_trapezoid
from bench.results import Figure, ItemRow, ProbeRow, RunResult


def figures(
    rows: Sequence[ProbeRow],
    *,
    ranks: Sequence[int],
    mean_average_precision: bool,
    seed: int,
    false_positive_rates: Sequence[float] = (),
) -> dict[str, Figure]:
    """Compute every figure of an identification run.

    Args:
        rows: the probes; a row without a rank is a miss, with average precision 0, and stays in the denominator,
            unless its probe has no mate.
        ranks: the k of the rank-k rates.
        mean_average_precision: whether to add ``map`` (trapezoid rule).
        seed: seed of the bootstrap; the interval resamples identities, not probes.
        false_positive_rates: FPIR of the open-set rates; empty for a closed-set run.

    Returns:
        ``rank-k`` for each k, then ``map``, over mated probes; where several galleries were searched, the same for
        each as ``rank-k (NAME)``. Open-set rates as ``tpir@fpir=0.01``, likewise; over several galleries it is the
        mean of those that have probes without a mate.

    Raises:
        DataError: there are no rows.
    """
    if not rows:
        raise DataError("A run without probes has no figures.")
    galleries = list(dict.fromkeys(row.gallery for row in rows))
    found = _closed(rows, galleries, ranks=ranks, mean_average_precision=mean_average_precision, seed=seed)
    if false_positive_rates:
        found |= open_set_figures(rows, false_positive_rates, seed=seed, ranks=ranks)
    return found


def _closed(
    rows: Sequence[ProbeRow], galleries: Sequence[str], *, ranks: Sequence[int], mean_average_precision: bool, seed: int
) -> dict[str, Figure]:
    """Figures over mated probes: of the joined gallery where there is one, else pooled; then of each gallery."""
    mated = [row for row in rows if row.mates]
    head = [row for row in mated if row.gallery == JOINED] if JOINED in galleries else mated
    found = _rates(head, ranks, mean_average_precision, seed)
    if len(galleries) > 1:
        for name in galleries:
            own = [row for row in mated if row.gallery == name]
            if own:
                part = _rates(own, ranks, mean_average_precision, seed)
                found |= {f"{figure} ({name})": value for figure, value in part.items()}
    return found


def _rates(
    rows: Sequence[ProbeRow], ranks: Sequence[int], mean_average_precision: bool, seed: int
) -> dict[str, Figure]:
    if not rows:
        raise DataError("No probe has a mate, so there is no rank to report.")
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
    items: Sequence[ProbeRow | ItemRow] = result.probes or result.items
    statuses: Mapping[str, int] = {
        "probes": len(items),
        "probes.failed": sum(row.status == "failed" for row in items),
        "probes.fallback": sum(row.status == "fallback" for row in items),
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
