"""The types of ``run.json``, narrower than those of `RunRecord`, so that other code can trust them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Required

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic takes that of typing from Python 3.12 on

from bench.io.typed import as_type
from bench.results import Figure, RoleLedger, RunRecord, StageRecord
from reports.runs.figure_names import split

_UNBOUNDED = ("landmark_error",)  # a fraction of a distance that errors may exceed

Count = Annotated[int, Field(ge=0)]
_CLOSED, _OPEN = (with_config(ConfigDict(extra=extra)) for extra in ("forbid", "allow"))


@_OPEN
class Rules(TypedDict, total=False):
    """The rules of the protocol, as far as reports use them."""

    name: Required[str]
    arguments: Mapping[str, Any]
    kind: str
    items: str
    ranks: list[Annotated[int, Field(ge=1, le=10**9)]]
    false_positive_rates: list[Annotated[float, Field(gt=0, le=1)]]
    labels: list[str]


@_OPEN
class Data(TypedDict, total=False):
    """The data of a run, likewise."""

    digest: Required[str]
    counts: Mapping[str, Count]
    notes: list[str]


@_OPEN
class Choices(TypedDict, total=False):
    """Settings that the suite chose because the user named none."""

    asked: Mapping[str, Any]
    notes: list[str]


@_CLOSED
@dataclass(frozen=True)
class CheckedFigure(Figure):
    """A figure with its denominators."""

    n: Count
    n_without_failures: Count
    unit: Annotated[str, Field(min_length=1)]


@_CLOSED
@dataclass(frozen=True)
class CheckedLedger(RoleLedger):
    """Outcomes of the images of one role."""

    total: Count
    ok: Count
    fallback: Count
    failed: Count
    reasons: Mapping[str, Count]


@_CLOSED
@dataclass(frozen=True)
class CheckedStage(StageRecord):
    """A stage; metadata of weight files may have any type."""

    weights: tuple[Mapping[str, Any], ...]


@_CLOSED
@dataclass(frozen=True)
class CheckedRecord(RunRecord):
    """``run.json``."""

    limit: Count | None
    protocol: Rules
    data: Data
    stages: tuple[CheckedStage, ...]
    metrics: Annotated[Mapping[str, CheckedFigure], Field(min_length=1, max_length=10_000)]
    ledger: Mapping[str, CheckedLedger]
    seed: Count
    choices: Choices = Field(default_factory=Choices)
    schema_version: Literal[1] = 1
    limit_gallery: Count | None = None


def record_faults(record: RunRecord) -> list[str]:
    """Faults of a record: fields of a wrong type, or that contradict each other; one text each."""
    try:
        as_type(CheckedRecord, asdict(record))
    except ValueError as error:
        return [str(error)]
    return list(_contradictions(record))


def _contradictions(record: RunRecord) -> Iterable[str]:
    for role, ledger in record.ledger.items():
        if ledger.total != ledger.ok + ledger.fallback + ledger.failed:
            yield f"the ledger of role {role!r} does not add up"
    for name, figure in record.metrics.items():
        top = math.inf if split(name)[0] in _UNBOUNDED else 1
        numbers = (figure.value, figure.low, figure.high, figure.without_failures)
        if figure.unit == "fraction" and not all(value is None or 0 <= value <= top for value in numbers):
            yield f"{name} is not a fraction between 0 and 1"
