"""Figures of an expression run, from its items alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.evaluation.row_values import RowValue, item_value
from bench.metrics.bootstrap import (
    NOT_COMPUTED,
    bootstrap_interval,
    mean_of_groups,
    mean_of_groups_interval,
)
from bench.metrics.confusion import Confusion, confusion
from bench.results import Figure, ItemRow, RunResult, split_name

FRONTAL_HR, BICUBIC = "frontal HR", "bicubic"
REFERENCES = (FRONTAL_HR, BICUBIC)
"""References in brackets after ``predicted`` and ``accuracy``: an upper and a lower bound of the accuracy."""


def predicted_name(reference: str = "") -> str:
    """Name of a prediction among the values of an item."""
    return f"predicted ({reference})" if reference else "predicted"


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a finished run from its items; see `figures_of`."""
    seed = result.record.seed if intervals else None
    return figures_of(result.items, result.record.protocol["labels"], seed=seed)


def figures_of(items: Sequence[ItemRow], labels: Sequence[str], *, seed: int | None) -> dict[str, Figure]:
    """Compute every figure.

    Args:
        items: the tested faces; one without a prediction failed and is a miss.
        labels: the expressions.
        seed: of the bootstrap, which resamples people; None computes no intervals.

    Returns:
        ``accuracy`` over faces; ``accuracy (mean of folds)`` with equal weights; ``uar``, the mean recall over
        expressions that occur; ``recall (NAME)`` of each that occurs (there is no figure of one that does not); and
        ``accuracy (frontal HR)``, ``accuracy (bicubic)`` with their ``uar`` where those were classified.

    Raises:
        DataError: there are no items, or an item has no expression or no fold.
    """
    if not items:
        raise DataError("A run without faces has no figures.")
    try:
        truths = [str(item.values["expression"]) for item in items]
        folds = [int(item.values["fold"]) for item in items]
    except KeyError as error:
        raise DataError(f"An item of the run has no {error}; per_item.csv is not of an expression run") from None
    people = [item.identity for item in items]
    hits = _hits(items, "")
    scored = np.array([item.status != "failed" for item in items])
    everything = [0] * len(items)
    figures = {
        "accuracy": _figure(hits, scored, everything, people, seed),
        "accuracy (mean of folds)": _figure(hits, scored, folds, people, seed),
        "uar": _figure(hits, scored, truths, people, seed),
    }
    for label in labels:
        of_label = np.array([truth == label for truth in truths])
        if of_label.any():
            faces = [person for person, matches in zip(people, of_label, strict=True) if matches]
            figures[f"recall ({label})"] = _figure(
                hits[of_label], scored[of_label], [0] * int(of_label.sum()), faces, seed
            )
    for reference in REFERENCES:
        if any(predicted_name(reference) in item.values for item in items):
            reference_hits = _hits(items, reference)
            predicted = np.array([predicted_name(reference) in item.values for item in items])
            figures[f"accuracy ({reference})"] = _figure(reference_hits, predicted, everything, people, seed)
            figures[f"uar ({reference})"] = _figure(reference_hits, predicted, truths, people, seed)
    return figures


def row_values(items: Sequence[ItemRow], name: str) -> list[RowValue]:
    """Return the values that a figure is the plain mean of; none for means over groups (folds, recalls).

    Args:
        items: all of the run.
        name: of the figure: ``accuracy``, ``accuracy (bicubic)``, ``recall (NAME)``...
    """
    base, part = split_name(name)
    of_part, reference = list(items), ""
    if base == "recall" and part:
        of_part = [item for item in items if item.values["expression"] == part]
    elif base == "accuracy" and part:
        reference = part
    elif name != "accuracy":
        return []
    return [item_value(item, hit) for item, hit in zip(of_part, _hits(of_part, reference).tolist(), strict=True)]


def references_of(items: Sequence[ItemRow]) -> list[str]:
    """Names of the classified sources: "" for hallucinated faces, then the references."""
    names = dict.fromkeys(name for item in items for name in item.values if name.startswith("predicted ("))
    return ["", *(split_name(name)[1] for name in names)]


def confusion_of(items: Sequence[ItemRow], labels: Sequence[str], reference: str = "") -> Confusion:
    """Confusion matrix of the hallucinated test faces, or of those of a reference."""
    name = predicted_name(reference)
    predicted = [str(item.values[name]) if name in item.values else None for item in items]
    return confusion([str(item.values["expression"]) for item in items], predicted, labels)


def _hits(items: Sequence[ItemRow], reference: str) -> NDArray[np.float64]:
    name = predicted_name(reference)
    return np.array([float(item.values.get(name) == item.values["expression"]) for item in items])


def _figure(
    hits: NDArray[np.float64],
    scored: NDArray[np.bool_],
    groups: Sequence[str | int],
    people: Sequence[str],
    seed: int | None,
) -> Figure:
    """A mean over groups of equal weight; one group for a plain mean."""
    scored_groups = [group for group, is_scored in zip(groups, scored, strict=True) if is_scored]
    interval = NOT_COMPUTED
    if seed is not None and len(set(groups)) == 1:
        interval = bootstrap_interval(hits, people, seed=seed)
    elif seed is not None:
        interval = mean_of_groups_interval(hits, groups, people, seed=seed)
    return Figure(
        value=mean_of_groups(hits, groups),
        n=len(hits),
        low=interval.low,
        high=interval.high,
        interval=interval.method,
        without_failures=mean_of_groups(hits[scored], scored_groups) if scored_groups else None,
        n_without_failures=len(scored_groups),
    )
