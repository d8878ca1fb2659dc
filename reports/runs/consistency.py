"""Contradictions between ``run.json`` and the rows of a run, so that a truncated table is detected."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np

from bench import evaluation
from bench.errors import BenchError
from bench.evaluation.expression.figures import confusion_of, references_of
from bench.evaluation.identification.galleries import gallery_names
from bench.evaluation.restoration.figures import FAILED_FACES, INFINITE_PSNR, LANDMARKS_FOUND, QUALITIES
from bench.evaluation.verification.figures import pair_counts
from bench.results import RunResult, split_name
from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION, recorded_kind

_TOLERANCE = 1e-9
_NAMES = {
    IDENTIFICATION: r"rank-[1-9]\d*|map|tpir@fpir=.+",
    VERIFICATION: r"accuracy( std| se)?|auc|eer|tar@far=.+",
    RESTORATION: "|".join((*QUALITIES, LANDMARKS_FOUND, INFINITE_PSNR, FAILED_FACES)),
    EXPRESSION: "accuracy|uar|recall",
    EFFICIENCY: r"parameters|parameters-used|(ms|peak-mib)@batch=\d+",
}
"""Figures that are computed from the rows of a kind, without their parts. Other figures are not checked."""


def contradictions(result: RunResult) -> Iterable[str]:
    """Every contradiction as a sentence; of an unknown kind only duplicate keys are checked."""
    kind = recorded_kind(result.record.protocol)
    for file, rows in (("per_probe.csv", result.probes), ("per_item.csv", result.items)):
        if len({row.key for row in rows}) != len(rows):
            yield f"{file} has a key twice"
    if kind not in evaluation.KNOWN:
        return
    file = "per_probe.csv" if kind == IDENTIFICATION else "per_item.csv"
    if not (result.probes or result.items):
        yield f"{file} has no rows"
        return
    try:
        faults = list(_wrong_pairs(result)) if kind == VERIFICATION else []
        yield from faults or _wrong_figures(kind, file, result)
        if kind == EXPRESSION:
            yield from _wrong_confusions(result)
    except (LookupError, TypeError, ValueError, ArithmeticError, BenchError) as error:
        yield f"{file} is not of a run of {kind} ({type(error).__name__}: {error})"


def _wrong_figures(kind: str, file: str, result: RunResult) -> Iterable[str]:
    """Figures in ``run.json`` that differ from those of the rows."""
    recomputed = evaluation.figures(result, intervals=False)
    for name, figure in result.record.metrics.items():
        again = recomputed.get(name)
        if again is None:
            if _is_of_rows(kind, name, result):
                yield f"{name} is in run.json, but the rows in {file} give no such figure"
        elif (figure.n, figure.n_without_failures) != (again.n, again.n_without_failures):
            yield (
                f"{name} is over {figure.n} {_noun(name, result)} ({figure.n_without_failures} scored), but "
                f"{'arrays.npz' if kind == VERIFICATION else file} has {again.n} ({again.n_without_failures} scored)"
            )
        elif not math.isclose(again.value, figure.value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            yield f"{name} is {figure.value:.6f} in run.json, {again.value:.6f} from {file}"


def _is_of_rows(kind: str, name: str, result: RunResult) -> bool:
    """Whether the figure is computed from the rows; in a search, its gallery must be in them."""
    base, part = split_name(name)
    if kind == IDENTIFICATION and part and part not in gallery_names(result.probes):
        return False
    return re.fullmatch(_NAMES[kind], base) is not None


def _noun(name: str, result: RunResult) -> str:
    items = str(result.record.protocol.get("items", "probes"))
    return f"{items} of one person" if name.startswith("tar@far=") else items


def _wrong_confusions(result: RunResult) -> Iterable[str]:
    """Stored confusion matrices that differ from those of the rows."""
    for reference in references_of(result.items):
        table = confusion_of(result.items, result.record.protocol.get("labels", []), reference)
        suffix = f" ({reference})" if reference else ""
        stored = result.arrays.get(f"confusion{suffix}")
        if stored is not None and not np.array_equal(stored, table.counts):
            yield f"arrays.npz has another confusion matrix{suffix} than per_item.csv"


def _wrong_pairs(result: RunResult) -> Iterable[str]:
    """Scores of pairs that differ in number from the rows, and an accuracy that differs from that of the folds."""
    arrays, items = result.arrays, result.items
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
    stored, listed = (len(scores), int(np.isnan(scores).sum())), pair_counts(items)
    if stored != listed:
        yield f"arrays.npz has {stored[0]} pairs ({stored[1]} failed), per_item.csv {listed[0]} ({listed[1]} failed)"
    accuracy = result.record.metrics.get("accuracy")
    if accuracy is not None:
        mean = math.fsum(float(item.values["accuracy"]) for item in items) / len(items)
        if not math.isclose(mean, accuracy.value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            yield f"accuracy is {accuracy.value:.6f} in run.json, {mean:.6f} from per_item.csv"
