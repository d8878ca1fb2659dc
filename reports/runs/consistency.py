"""Where ``run.json`` and the rows of a run disagree: a table cut short must not pass for a smaller run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.errors import DataError
from bench.results import Figure, ItemRow, RunResult
from reports.runs import items as of_items
from reports.runs import searches
from reports.runs.searches import Expected

IDENTIFICATION = "identification"
_TOLERANCE = 1e-9


def kind_of(rules: Mapping[str, Any]) -> str:
    """Name of the kind of run; runs made before there were several have none."""
    return str(rules.get("kind", IDENTIFICATION))


def contradictions(result: RunResult) -> Iterable[str]:
    """Every contradiction, in words; a kind that is not known here is only searched for keys that come twice."""
    rules = result.record.protocol
    kind = kind_of(rules)
    for file, rows in (("per_probe.csv", result.probes), ("per_item.csv", result.items)):
        if len({row.key for row in rows}) != len(rows):
            yield f"{file} has a key twice"
    if kind == IDENTIFICATION:
        rates = rules.get("false_positive_rates", [])
        yield from _compare(
            result.record.metrics,
            lambda name: searches.expected(name, result.probes, rates),
            "probes",
            "per_probe.csv",
        )
    elif kind in (of_items.VERIFICATION, of_items.RESTORATION, of_items.EXPRESSION, of_items.EFFICIENCY):
        if not result.items:
            yield "per_item.csv has no rows"
            return
        try:
            yield from _compare(
                result.record.metrics,
                lambda name: of_items.expected(kind, name, result.items),
                str(rules.get("items", "items")),
                "per_item.csv",
            )
            yield from _wrong_arrays(kind, result)
        except (KeyError, ValueError, TypeError, DataError) as error:
            yield f"per_item.csv is not of a run of {kind} ({type(error).__name__}: {error})"


def _compare(
    metrics: Mapping[str, Figure], expected: Callable[[str], Expected | None], noun: str, file: str
) -> Iterable[str]:
    for name, figure in metrics.items():
        again = expected(name)
        if again is None:
            continue
        if (figure.n, figure.n_without_failures) != (again.n, again.scored):
            yield (
                f"{name} is over {figure.n} {noun} ({figure.n_without_failures} scored), but {file} has "
                f"{again.n} ({again.scored} scored)"
            )
        elif again.value is not None and not _equal(again.value, figure.value):
            yield f"{name} is {figure.value:.6f} in run.json, {again.value:.6f} from {file}"


def _equal(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def _wrong_arrays(kind: str, result: RunResult) -> Iterable[str]:
    """Scores of pairs must be as many as folds and figures say, confusion matrices those of the items."""
    if kind == of_items.VERIFICATION:
        yield from _wrong_pairs(result.arrays, result.items, result.record.metrics)
    if kind == of_items.EXPRESSION:
        for of in of_items.answers(result.items):
            table = of_items.confusion_of(result.items, result.record.protocol.get("labels", []), of)
            stored = result.arrays.get(f"confusion ({of})" if of else "confusion")
            if stored is not None and not np.array_equal(stored, table.counts):
                yield f"arrays.npz has another confusion matrix{f' ({of})' if of else ''} than per_item.csv"


def _wrong_pairs(arrays: Mapping[str, Any], items: Sequence[ItemRow], metrics: Mapping[str, Figure]) -> Iterable[str]:
    if "scores" not in arrays or "same" not in arrays:
        yield "arrays.npz lacks the scores of the pairs"
        return
    scores, same = np.asarray(arrays["scores"]), np.asarray(arrays["same"])
    if scores.ndim != 1 or scores.shape != same.shape or scores.dtype.kind != "f" or same.dtype.kind not in "biu":
        yield "arrays.npz has other scores than labels"
        return
    if np.isinf(scores).any():
        yield "arrays.npz has scores that are infinite"
    for name in ("fold", "person"):
        array = np.asarray(arrays.get(name, ()))
        if array.shape != scores.shape or array.dtype.kind not in "iu":
            yield f"arrays.npz has no {name} of each pair, or none in whole numbers"
    alive, mated = ~np.isnan(scores), same.astype(bool)
    have = len(scores), len(scores) - int(alive.sum())
    if have != of_items.pairs_of(items):
        told = of_items.pairs_of(items)
        yield f"arrays.npz has {have[0]} pairs ({have[1]} failed), per_item.csv {told[0]} ({told[1]} failed)"
    own = int(mated.sum()), int((mated & alive).sum())
    for name, figure in metrics.items():
        if name.startswith("tar@far=") and (figure.n, figure.n_without_failures) != own:
            yield f"{name} is over {figure.n} pairs of one person, but arrays.npz has {own[0]} ({own[1]} scored)"
