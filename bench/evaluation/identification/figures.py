"""Figures of an identification run, from its per-probe rows alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bench.errors import DataError
from bench.evaluation.identification.galleries import gallery_names, mated_rows
from bench.evaluation.identification.open_set import open_set_figures
from bench.evaluation.row_values import RowValue
from bench.io.textfiles import finite_number
from bench.metrics.bootstrap import NOT_COMPUTED, Interval, bootstrap_intervals
from bench.metrics.identification import average_precision_trapezoid, is_hit
from bench.results import Figure, ItemRow, ProbeRow, RunResult, rank_of, split_name, yaw_deg


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a finished run from its rows; see `figures_of`."""
    rules = result.record.protocol
    return figures_of(
        result.probes,
        ranks=rules["ranks"],
        mean_average_precision=rules["mean_average_precision"],
        false_positive_rates=rules.get("false_positive_rates", ()),
        groups=rules.get("groups", ()),
        seed=result.record.seed if intervals else None,
    )


def figures_of(
    rows: Sequence[ProbeRow],
    *,
    ranks: Sequence[int],
    mean_average_precision: bool,
    seed: int | None,
    false_positive_rates: Sequence[float] = (),
    groups: Sequence[str] = (),
) -> dict[str, Figure]:
    """Compute every figure of an identification run.

    Args:
        rows: the probes; a row without a rank is a miss with average precision 0 and stays in the denominator, unless
            its probe has no mate.
        ranks: the k of the rank-k rates.
        mean_average_precision: whether to add ``map`` (trapezoid rule).
        seed: seed of the bootstrap, which resamples identities, not probes; None computes no intervals.
        false_positive_rates: FPIR of the open-set rates; empty for a closed-set run.
        groups: attributes of the probes by which closed-set figures are broken down; see `part_of`.

    Returns:
        ``rank-k`` for each k, then ``map``, over mated probes (`galleries.mated_rows`); where several galleries were
        searched, the same for each as ``rank-k (NAME)``; for each value of a group as ``rank-k (NAME VALUE)`` over the
        probes that have it. Open-set rates as ``tpir@fpir=0.01``, for each gallery too; over several galleries it is
        the mean of those that have probes without a mate.

    Raises:
        DataError: there are no rows, or none of a probe with a mate.
    """
    if not rows:
        raise DataError("A run without probes has no figures.")
    names = [f"rank-{k}" for k in ranks] + ["map"] * mean_average_precision
    figures = _mean_figures(mated_rows(rows), names, seed)
    galleries = gallery_names(rows)
    for gallery in galleries if len(galleries) > 1 else ():
        of_gallery = mated_rows(rows, gallery)
        if of_gallery:
            figures |= {
                f"{name} ({gallery})": figure for name, figure in _mean_figures(of_gallery, names, seed).items()
            }
    for group in groups:
        parts: dict[str, list[ProbeRow]] = {}
        for row in mated_rows(rows):
            parts.setdefault(part_of(row, group), []).append(row)
        for part in sorted(parts.keys() - {""}, key=_order):
            of_part = _mean_figures(parts[part], names, seed)
            figures |= {f"{name} ({part})": figure for name, figure in of_part.items()}
    if false_positive_rates:
        figures |= open_set_figures(rows, false_positive_rates, seed=seed, ranks=ranks)
    return figures


def row_values(rows: Sequence[ProbeRow], name: str) -> list[RowValue]:
    """Return the values that a figure is the plain mean of; none for a figure that is not a mean over rows.

    Args:
        rows: all of the run.
        name: of the figure: ``rank-1``, ``map``, ``rank-5 (NAME)``...
    """
    base, part = split_name(name)
    if not (base == "map" or rank_of(base)):
        return []
    of_gallery = mated_rows(rows, part if part in gallery_names(rows) and part else None)
    if part and part not in gallery_names(rows):
        of_gallery = [row for row in of_gallery if part in {part_of(row, group) for group in row.attributes}]
    return [
        RowValue(row.key, row.identity, value) for row, value in zip(of_gallery, _values(of_gallery, base), strict=True)
    ]


def part_of(row: ProbeRow, group: str) -> str:
    """Name of the part of a probe in a group; empty if the probe has no value.

    ``camera door`` for the value ``door`` of ``camera``; ``yaw 30`` for 30 degrees to either side of ``yaw_deg``.
    """
    if group == "yaw_deg":
        yaw = yaw_deg(row)
        return "" if yaw is None else f"yaw {abs(yaw):g}"
    return f"{group} {row.attributes[group]}" if group in row.attributes else ""


def flat_figures(result: RunResult) -> dict[str, object]:
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


def _order(part: str) -> tuple[str, float, str]:
    """Sorts the parts of a group: numbers by their value, then text."""
    name, _, value = part.rpartition(" ")
    number = finite_number(value)
    return name, math.inf if number is None else number, value


def _mean_figures(rows: Sequence[ProbeRow], names: Sequence[str], seed: int | None) -> dict[str, Figure]:
    """``rank-k`` rates and ``map`` over these rows."""
    if not rows:
        raise DataError("No probe has a mate, so there is no rank to report.")
    columns = {name: _values(rows, name) for name in names}
    intervals: Sequence[Interval] = [NOT_COMPUTED] * len(names)
    if seed is not None:
        people = [row.identity for row in rows]
        intervals = bootstrap_intervals(list(zip(*columns.values(), strict=True)), people, seed=seed)
    scored = [i for i, row in enumerate(rows) if row.status != "failed"]
    return {
        name: _mean_figure(column, interval, scored)
        for (name, column), interval in zip(columns.items(), intervals, strict=True)
    }


def _values(rows: Sequence[ProbeRow], name: str) -> list[float]:
    """Hits of a ``rank-k``, or average precisions: one value per row."""
    k = rank_of(name)
    if k is not None:
        return [float(is_hit(row.rank, k)) for row in rows]
    return [average_precision_trapezoid(row.mated_ranks, mates=row.mates) for row in rows]


def _mean_figure(column: Sequence[float], interval: Interval, scored: Sequence[int]) -> Figure:
    return Figure(
        value=sum(column) / len(column),
        n=len(column),
        low=interval.low,
        high=interval.high,
        interval=interval.method,
        without_failures=sum(column[i] for i in scored) / len(scored) if scored else None,
        n_without_failures=len(scored),
    )
