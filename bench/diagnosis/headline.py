"""The headline figure of a run and the per-row values that it is the mean of, by which two runs are paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench.evaluation.expression import figures as expression
from bench.evaluation.identification import figures as identification
from bench.evaluation.restoration import figures as restoration
from bench.evaluation.row_values import RowValue
from bench.evaluation.verification import figures as verification
from bench.metrics.chance import pairs_below
from bench.results import ItemRow, ProbeRow, RunRecord
from bench.results.kinds import EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION, recorded_kind


class Finished(Protocol):
    """A finished run: `bench.results.RunResult`, or the reading of one by the reports."""

    @property
    def record(self) -> RunRecord:
        """The content of run.json."""

    @property
    def probes(self) -> tuple[ProbeRow, ...]:
        """The rows of searched probes."""

    @property
    def items(self) -> tuple[ItemRow, ...]:
        """The rows of any other run."""

    @property
    def arrays(self) -> Mapping[str, Any]:
        """Arrays that are too large for rows."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The first figure of a kind of run, row by row.

    Attributes:
        name: of the figure.
        unit: of its values.
        rows: name of the rows, in the plural.
        values: person (or fold) and value by key of the row. Rows of a person are resampled together.
    """

    name: str
    unit: str
    rows: str
    values: Mapping[str, tuple[str, float]]


def headline(
    kind: str, probes: Sequence[ProbeRow], items: Sequence[ItemRow], arrays: Mapping[str, Any]
) -> Headline | None:
    """The headline figure of a run; None where its kind has none that rows can be paired by.

    Args:
        kind: of its study.
        probes: rows of searched probes.
        items: rows of any other run.
        arrays: arrays that are too large for rows.
    """
    if kind == IDENTIFICATION:
        hits = identification.row_values(probes, "rank-1")
        return _mean_of("rank-1", "fraction", "probes", hits) if hits else None
    if kind == VERIFICATION:
        return _of_pairs(items, arrays)
    if kind == RESTORATION:
        return _mean_of("psnr_db", "dB", "faces", restoration.row_values(items, "psnr_db"))
    if kind == EXPRESSION:
        return _mean_of("accuracy", "fraction", "faces", expression.row_values(items, "accuracy"))
    return None


def headline_of(run: Finished) -> Headline | None:
    """The same of a finished run."""
    return headline(recorded_kind(run.record.protocol), run.probes, run.items, run.arrays)


def bicubic_answers(items: Sequence[ItemRow]) -> Headline | None:
    """Accuracy of the classifier of an expression run that was trained and tested on enlarged LR faces."""
    if not any(expression.predicted_name(expression.BICUBIC) in item.values for item in items):
        return None
    return _mean_of("accuracy", "fraction", "faces", expression.row_values(items, f"accuracy ({expression.BICUBIC})"))


def _mean_of(name: str, unit: str, rows: str, values: Sequence[RowValue]) -> Headline:
    return Headline(name, unit, rows, {value.key: (value.person, value.value) for value in values})


def _of_pairs(items: Sequence[ItemRow], arrays: Mapping[str, Any]) -> Headline | None:
    """Accuracy by fold; where pairs are in no folds, the AUC by its same pairs."""
    folds = verification.row_values(items, "accuracy")
    if folds:
        return _mean_of("accuracy", "fraction", "folds", folds)
    if not {"scores", "same", "person"} <= set(arrays):
        return None
    shares, places = pairs_below(arrays["scores"], arrays["same"])
    people = arrays["person"]
    pairs = {
        str(place): (str(people[place]), float(share))
        for place, share in zip(places.tolist(), shares.tolist(), strict=True)
    }
    return Headline("auc", "fraction", "same pairs", pairs) if pairs else None
