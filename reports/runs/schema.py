"""Whether ``run.json`` is of the types that runs have: what follows can then trust it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from bench.results import Figure, RunRecord
from reports.runs.figure_names import split

_MOST_RANK = 10**9
_MOST_FIGURES = 10_000
_UNBOUNDED = ("landmark_error",)  # a fraction of a distance, which points may miss by more


def wrong_types(record: RunRecord) -> Iterable[str]:
    """What in ``run.json`` is of a type that no run has."""
    texts = (record.label, record.created, record.bench_version, record.config_digest)
    flags = (record.smoke, record.sample)
    mappings = (record.config, record.protocol, record.data, record.timings, record.environment)
    if not all(isinstance(value, str) for value in (*texts, *record.warnings)):
        yield "label, created, versions, digests or warnings are not text"
    if not all(isinstance(value, bool) for value in flags) or not _whole(record.seed):
        yield "smoke, sample or seed is of a wrong type"
    if not all(value is None or _whole(value) for value in (record.limit, record.limit_gallery)):
        yield "limit or limit_gallery is neither a whole number nor null"
    if not all(isinstance(value, Mapping) for value in mappings):
        yield "config, protocol, data, timings or environment is no table"
        return
    yield from _wrong_choices(record.choices)
    yield from _wrong_rules(record.protocol)
    if not isinstance(record.data.get("digest"), str):
        yield "the name of the protocol or the digest of the data is missing"
    counts, notes = record.data.get("counts", {}), record.data.get("notes", [])
    if not isinstance(counts, Mapping) or not all(map(_whole, counts.values())):
        yield "the counts of the data are not whole numbers"
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        yield "the notes on the data are not text"
    for stage in record.stages:
        words = (stage.stage, stage.side, stage.name, stage.version, stage.source, stage.licence)
        if not all(isinstance(word, str) for word in words) or not all(
            isinstance(table, Mapping) for table in (stage.arguments, stage.execution)
        ):
            yield f"stage {stage.stage!r} has fields of a wrong type"
        elif not all(isinstance(file, Mapping) for file in stage.weights):
            yield f"stage {stage.stage!r} has weights of a wrong type"
    for role, ledger in record.ledger.items():
        numbers = (ledger.total, ledger.ok, ledger.fallback, ledger.failed)
        if not all(map(_whole, numbers)) or ledger.total != sum(numbers[1:]):
            yield f"the ledger of role {role!r} does not add up"
        elif not isinstance(ledger.reasons, Mapping) or not all(map(_whole, ledger.reasons.values())):
            yield f"the ledger of role {role!r} has reasons without counts"
    for stage_name, entry in record.timings.items():
        if not isinstance(entry, Mapping) or not all(_number(value) for value in entry.values()):
            yield f"the timing {stage_name!r} is not in numbers"
    for name, figure in record.metrics.items():
        yield from _wrong_figure(name, figure)
    if not 0 < len(record.metrics) <= _MOST_FIGURES:
        yield f"there are {len(record.metrics) or 'no'} figures"


def _wrong_rules(rules: Mapping[str, object]) -> Iterable[str]:
    if not isinstance(rules.get("name"), str):
        yield "the name of the protocol or the digest of the data is missing"
    if not isinstance(rules.get("arguments", {}), Mapping):
        yield "the arguments of the protocol are no table"
    if not all(isinstance(rules.get(word, ""), str) for word in ("kind", "items")):
        yield "the kind of the protocol or what it calls its items is not text"
    rates, labels = rules.get("false_positive_rates", []), rules.get("labels", [])
    ranks = rules.get("ranks", [])
    if not isinstance(ranks, list) or not all(_whole(k) and 0 < k <= _MOST_RANK for k in ranks):
        yield "the ranks of the protocol are no whole numbers from 1"
    if not isinstance(rates, list) or not all(_number(rate) and 0 < rate <= 1 for rate in rates):
        yield "the false positive rates of the protocol are no fractions"
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        yield "the labels of the protocol are not text"


def _wrong_choices(choices: object) -> Iterable[str]:
    if not isinstance(choices, Mapping):
        yield "the choices are no table"
        return
    notes, options = choices.get("notes", []), choices.get("asked", {})
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        yield "the notes on choices are not text"
    if not isinstance(options, Mapping):
        yield "the options of the choices are no table"


def _wrong_figure(name: str, figure: Figure) -> Iterable[str]:
    numbers = [figure.value, *(f for f in (figure.low, figure.high, figure.without_failures) if f is not None)]
    if not isinstance(figure.unit, str) or not figure.unit:
        yield f"{name} has no unit"
    if figure.unit == "fraction":
        top = math.inf if split(name)[0] in _UNBOUNDED else 1
        if not all(_number(value) and 0 <= value <= top for value in numbers):
            yield f"{name} is not a fraction between 0 and 1"
    elif not all(map(_number, numbers)):
        yield f"{name} is not a number"
    if not (_whole(figure.n) and _whole(figure.n_without_failures) and isinstance(figure.interval, str)):
        yield f"{name} has no denominators"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
