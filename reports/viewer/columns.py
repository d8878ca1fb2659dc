"""The data of a face viewer as columns, so that ten thousand probes under twelve runs take about a megabyte."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.restoration.figures import QUALITIES
from bench.results import ItemRow, ProbeRow, yaw_deg
from bench.results.kinds import EXPRESSION, RESTORATION
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.text.numbers import plain

FAILED, ABSENT = 0, -1  # in place of a rank
_MOST_CHANGED = 4
_STEP = (5**0.5 - 1) / 2  # any number of its multiples, modulo 1, is spread evenly
_PSNR = QUALITIES["psnr_db"][0]
_Row = ProbeRow | ItemRow


@dataclass(frozen=True, slots=True)
class Columns:
    """The probes (or faces) of a section, each under every run.

    Attributes:
        measure: the result that is shown: ``rank``, ``psnr`` or ``label``.
        keys: of the probes: those of the first run in its order, then those that only later runs have.
        identities: of the probes.
        yaws: degrees, NaN where unknown.
        places: (probes, runs) index of the row in the run, which names its images; -1 where the run lacks the probe.
        values: (probes, runs) rank (`FAILED`, `ABSENT`), PSNR in dB (NaN for both), or index of the predicted label in
            ``labels`` plus 1 (`FAILED`, `ABSENT`).
        gains: (probes, runs) improvement on the baseline of the run, in reciprocal rank, dB or hits; NaN where there
            is nothing to compare.
        labels: expressions; the true one of each probe is ``truths``.
        truths: index in ``labels`` plus 1; empty for other measures.
        reasons: why a probe failed, by run and probe.
    """

    measure: str
    keys: tuple[str, ...]
    identities: tuple[str, ...]
    yaws: NDArray[np.float64]
    places: NDArray[np.int32]
    values: NDArray[np.float64]
    gains: NDArray[np.float64]
    labels: tuple[str, ...]
    truths: NDArray[np.int32]
    reasons: Mapping[tuple[int, int], str]


def columns_of(group: Group) -> Columns | None:
    """The columns of a group; None for kinds whose rows are no single images (pairs, timed passes)."""
    measure = "rank" if group.first.searched else {RESTORATION: "psnr", EXPRESSION: "label"}.get(group.kind)
    if measure is None:
        return None
    rows = [_rows(run) for run in group.runs]
    keys = tuple(dict.fromkeys(key for run_rows in rows for key in run_rows))
    at = {key: place for place, key in enumerate(keys)}
    first: list[_Row | None] = [None] * len(keys)
    labels = tuple(group.first.record.protocol.get("labels", ())) if measure == "label" else ()
    places = np.full((len(keys), len(rows)), ABSENT, np.int32)
    values = np.full(places.shape, np.nan if measure == "psnr" else ABSENT)
    reasons = {}
    for column, run_rows in enumerate(rows):
        for key, (place, row) in run_rows.items():
            probe = at[key]
            first[probe] = first[probe] or row
            places[probe, column] = place
            values[probe, column] = _value(row, measure, labels)
            if row.status == "failed":
                reasons[column, probe] = f"{row.stage}: {row.reason}"
    first_rows = [row for row in first if row is not None]
    truths = [
        labels.index(str(row.values["expression"])) + 1 for row in first_rows if isinstance(row, ItemRow) and labels
    ]
    ends = np.array(truths, np.int32)
    return Columns(
        measure,
        tuple(key[0] for key in keys),
        tuple(row.identity for row in first_rows),
        np.array([math.nan if (yaw := yaw_deg(row)) is None else yaw for row in first_rows]),
        places,
        values,
        _gains(values, group.baselines, measure, ends),
        labels,
        ends,
        reasons,
    )


def to_data(columns: Columns, names: Sequence[str], baselines: Sequence[int]) -> dict[str, object]:
    """The columns as JSON: numbers as little-endian arrays in base64, texts as indices into lists of distinct texts."""
    people = list(dict.fromkeys(columns.identities))
    person = {identity: place for place, identity in enumerate(people)}
    reasons = list(dict.fromkeys(columns.reasons.values()))
    kind = "f8" if columns.measure == "psnr" else "i4"
    failed = [[run, probe, reasons.index(reason)] for (run, probe), reason in sorted(columns.reasons.items())]
    return {
        "measure": columns.measure,
        "runs": [plain(name) for name in names],
        "bases": list(baselines),
        "keys": [plain(key) for key in columns.keys],
        "people": [plain(identity) for identity in people],
        "person": packed(np.array([person[identity] for identity in columns.identities]), "i4"),
        "yaws": packed(columns.yaws, "f8") if np.isfinite(columns.yaws).any() else None,
        "values": [packed(columns.values[:, run], kind) for run in range(len(names))],
        "labels": [plain(label) for label in columns.labels],
        "truths": packed(columns.truths, "i4") if len(columns.truths) else None,
        "reasons": [plain(reason) for reason in reasons],
        "failed": failed,
    }


def in_order_of_interest(columns: Columns) -> list[int]:
    """All probes by interest: those that each run helped and hurt most, in turns, then the others, spread evenly."""
    first: list[int] = []
    for rank in range(_MOST_CHANGED):
        for gains in columns.gains.T:
            order = np.argsort(-np.nan_to_num(gains), kind="stable")
            for probe in (order[rank : rank + 1], order[::-1][rank : rank + 1]):
                first += [int(at) for at in probe if np.nan_to_num(gains)[at] != 0]
    spread = np.argsort((np.arange(len(columns.keys)) * _STEP) % 1.0, kind="stable")
    return list(dict.fromkeys([*first, *map(int, spread)]))


def packed(values: NDArray[np.generic], kind: str) -> str:
    """Numbers as a little-endian array (``i4``, ``f8``, ``u1``...) in base64."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=f"<{kind}").tobytes()).decode("ascii")


def _rows(run: Run) -> dict[tuple[str, str], tuple[int, _Row]]:
    rows: Sequence[tuple[int, _Row]] = run.head if run.searched else list(enumerate(run.items))
    return {(row.key, row.identity): (place, row) for place, row in rows}


def _value(row: _Row, measure: str, labels: Sequence[str]) -> float:
    if isinstance(row, ProbeRow):
        return FAILED if row.rank is None else row.rank
    if measure == "label":
        label = row.values.get("predicted")
        return labels.index(str(label)) + 1 if row.status != "failed" and label in labels else FAILED
    psnr = row.values.get(_PSNR)
    return math.nan if psnr is None or row.status == "failed" else float(psnr)


def _gains(
    values: NDArray[np.float64], baselines: Sequence[int], measure: str, truths: NDArray[np.int32]
) -> NDArray[np.float64]:
    """See `Columns.gains`."""
    if measure == "psnr":
        scores = values
    else:
        with np.errstate(divide="ignore"):
            scores = np.where(values > 0, 1 / values, 0.0) if measure == "rank" else values == truths[:, None]
        scores = np.where(values == ABSENT, np.nan, scores)
    with np.errstate(invalid="ignore"):
        return np.asarray(scores - scores[:, list(baselines)], np.float64)
