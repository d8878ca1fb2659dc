"""The values, row by row, of which the headline figure of a run is the mean: what two runs are paired by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench.evaluation.identification.open_set import JOINED
from bench.metrics.chance import pairs_below
from bench.results import ItemRow, ProbeRow, RunRecord

_IDENTIFICATION = "identification"


class Finished(Protocol):
    """A finished run: `bench.results.RunResult`, or what the reports read of one."""

    @property
    def record(self) -> RunRecord:
        """What run.json says."""

    @property
    def probes(self) -> tuple[ProbeRow, ...]:
        """The rows of searched probes."""

    @property
    def items(self) -> tuple[ItemRow, ...]:
        """The rows of any other run."""

    @property
    def arrays(self) -> Mapping[str, Any]:
        """What is too large for rows."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The first figure of a kind of run, row by row.

    Attributes:
        name: of the figure.
        unit: of its values.
        rows: what the rows are, in the plural.
        values: person (or fold) and value by key of the row. The person is who is resampled together.
    """

    name: str
    unit: str
    rows: str
    values: Mapping[str, tuple[str, float]]


def kind_of(record: RunRecord) -> str:
    """Kind of study of a run; runs that say none are searches."""
    return str(record.protocol.get("kind", _IDENTIFICATION))


def headline(
    kind: str, probes: Sequence[ProbeRow], items: Sequence[ItemRow], arrays: Mapping[str, Any]
) -> Headline | None:
    """The headline figure of a run; None where its kind has none that rows can be paired by.

    Args:
        kind: of its study.
        probes: rows of searched probes.
        items: rows of any other run.
        arrays: what is too large for rows.
    """
    if kind == _IDENTIFICATION:
        hits = {row.key: (row.identity, float(row.rank == 1)) for row in mated_rows(probes)}
        return Headline("rank-1", "fraction", "probes", hits) if hits else None
    if kind == "verification":
        return _verification(items, arrays)
    if kind == "restoration":
        return Headline("psnr_db", "dB", "faces", psnr_values(items))
    return _answers(items, "predicted") if kind == "expression" else None


def headline_of(run: Finished) -> Headline | None:
    """The same of a finished run."""
    return headline(kind_of(run.record), run.probes, run.items, run.arrays)


def bicubic_answers(items: Sequence[ItemRow]) -> Headline | None:
    """Accuracy of the classifier of an expression run that was trained and tested on enlarged LR faces."""
    name = "predicted (bicubic)"
    return _answers(items, name) if any(name in item.values for item in items) else None


def mated_rows(rows: Sequence[ProbeRow]) -> list[ProbeRow]:
    """The rows that rank-1 is over: those with a mate, of the joined gallery where it was searched."""
    joined = any(row.gallery == JOINED for row in rows)
    return [row for row in rows if row.mates and (row.gallery == JOINED or not joined)]


def psnr_values(items: Sequence[ItemRow]) -> dict[str, tuple[str, float]]:
    """Person and PSNR of each restored face that has a finite one."""
    found = {}
    for item in items:
        value = item.values.get("psnr_rgb_db")
        if value is not None and item.status != "failed" and math.isfinite(float(value)):
            found[item.key] = (item.identity or item.key, float(value))
    return found


def _verification(items: Sequence[ItemRow], arrays: Mapping[str, Any]) -> Headline | None:
    """Accuracy by fold; where pairs are in no folds, the AUC by its same pairs."""
    if items and all("accuracy" in item.values for item in items):
        folds = {item.key: (item.key, float(item.values["accuracy"])) for item in items}
        return Headline("accuracy", "fraction", "folds", folds)
    if not {"scores", "same", "person"} <= set(arrays):
        return None
    shares, places = pairs_below(arrays["scores"], arrays["same"])
    people = arrays["person"]
    pairs = {
        str(place): (str(people[place]), float(share))
        for place, share in zip(places.tolist(), shares.tolist(), strict=True)
    }
    return Headline("auc", "fraction", "same pairs", pairs) if pairs else None


def _answers(items: Sequence[ItemRow], name: str) -> Headline:
    hits = {i.key: (i.identity or i.key, float(i.values.get(name) == i.values.get("expression"))) for i in items}
    return Headline("accuracy", "fraction", "faces", hits)
