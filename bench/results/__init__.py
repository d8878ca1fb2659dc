"""The result of a run in memory: the record, one row per probe, the images whose outcome is not ok."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.types import Role, Status

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One reported figure.

    Attributes:
        value: over all items; a failed probe is a miss of a rate and is excluded from a quality.
        n: items in the denominator of ``value``.
        low: lower end of the 95 % interval; None without an interval.
        high: upper end; None likewise.
        interval: how the interval was computed, or why there is none.
        without_failures: the same figure over the probes that did not fail; None when all failed.
        n_without_failures: probes in the denominator of ``without_failures``.
        unit: ``fraction`` in [0, 1], ``dB``, ``ssim``, ``px``, ``cosine``, ``ms``, ``MiB``, ``count``...
    """

    value: float
    n: int
    low: float | None
    high: float | None
    interval: str
    without_failures: float | None
    n_without_failures: int
    unit: str = "fraction"


def split_name(name: str) -> tuple[str, str]:
    """The base name of a figure and its part: ``rank-1 (yaw 22)`` gives ``rank-1`` and ``yaw 22``; no part is ""."""
    base, bracket, rest = name.partition(" (")
    return (base, rest[:-1]) if bracket and base and rest.endswith(")") else (name, "")


def rank_of(name: str) -> int | None:
    """The k of a ``rank-k``; None for any other figure."""
    match = re.fullmatch(r"rank-(\d+)", name)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One executed stage of the chain: component, side, arguments and weights.

    ``execution`` holds the values used, not the requested ones: device, batches, scaling, colour; empty in runs of
    older versions.
    """

    stage: str
    side: str
    name: str
    version: str
    arguments: Mapping[str, object]
    weights: tuple[Mapping[str, str], ...]
    source: str = ""
    licence: str = ""
    execution: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleLedger:
    """Outcomes of the images of one role; ``reasons`` counts ``stage: reason`` for those that are not ok."""

    total: int
    ok: int
    fallback: int
    failed: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One probe of an identification run.

    Attributes:
        key: the probe's key; identifies the same probe in another run.
        identity: the person.
        status: ok, fallback or failed.
        stage: the stage that decided the status; empty when ok.
        reason: why; empty when ok.
        mates: gallery templates of the same identity, failed ones included; 0 in an open-set search without mates.
        rank: 1-based rank of the best mate, ties against the system; None when the probe or all its mates failed.
        rank_optimistic: the same with ties in the system's favour.
        mated_ranks: ranks of all scored mates in the sorted gallery, ascending, ties against the system.
        best_mated_score: similarity to the best mate, or None.
        best_mated_key: key of that gallery media, or empty.
        best_nonmated_score: similarity to the best other identity, or None.
        best_nonmated_key: key of that gallery media, or empty.
        attributes: facts about the probe from the protocol (``yaw_deg``...).
        gallery: name of the searched gallery, where there are several.
        template: the probe's template; ``key`` without the gallery.
    """

    key: str
    identity: str
    status: Status
    stage: str
    reason: str
    mates: int
    rank: int | None
    rank_optimistic: int | None
    mated_ranks: tuple[int, ...]
    best_mated_score: float | None
    best_mated_key: str
    best_nonmated_score: float | None
    best_nonmated_key: str
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    gallery: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of a run that searches no gallery: a restored face, a classified one, a fold, a template of pairs.

    Attributes:
        key: identifies the same item in another run.
        identity: the person, or empty.
        status: ok, fallback or failed.
        stage: the stage that decided the status; empty when ok.
        reason: why; empty when ok.
        values: measured values by name; a missing measurement is absent, an infinite one the text ``inf``.
        attributes: facts about the item from the protocol (``yaw_deg``...).
    """

    key: str
    identity: str
    status: Status
    stage: str
    reason: str
    values: Mapping[str, str | float] = field(default_factory=dict)
    attributes: Mapping[str, str | float] = field(default_factory=dict)


def yaw_deg(row: ProbeRow | ItemRow) -> float | None:
    """Yaw of the face in degrees from the attributes; None without a finite number."""
    yaw = row.attributes.get("yaw_deg")
    return float(yaw) if isinstance(yaw, int | float) and math.isfinite(yaw) else None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One image whose outcome is not ok."""

    key: str
    role: Role
    status: Status
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything about a run except its per-probe rows; the content of ``run.json``.

    Attributes:
        schema_version: version of this layout.
        bench_version: version of the suite.
        label: the hallucinator chain as the user wrote it; ``config["label"]`` is the name that the user gave to the
            run.
        created: time of completion, ISO 8601, UTC.
        smoke: True when ``--limit`` or ``--limit-gallery`` reduced the run: its figures are not a result.
        limit: value of ``--limit``, or None.
        sample: True when the data are drawn samples and not photographs of the named data set.
        config: the resolved configuration; paths as the user gave them.
        config_digest: SHA-256 of the request: stages with their weights, protocol, options, limit, seed; the code
            and the data have separate digests.
        protocol: name, arguments, similarity, flip, ranks and the like.
        data: digest (of the media and the bytes of their files), files_digest (of the bytes alone) and stat_digest (of
            the media and sizes and times of files), counts by role, official (bool), notes, root.
        stages: the executed chain.
        metrics: figures by name, for instance ``rank-1``, ``map``.
        ledger: by role.
        warnings: sentences to show beside the figures.
        timings: by stage: ``{"seconds": ..., "images": ...}``; cached images are not counted.
        environment: versions, commit, device, threads, platform.
        seed: seed of the bootstrap.
        code: by name, the first digits of the SHA-256 of every module of this suite and of plugins that affects
            figures; empty in runs of older versions.
        limit_gallery: value of ``--limit-gallery``, or None.
        choices: values chosen for options that the user did not give: ``asked`` (options as given), ``frames`` by side,
            ``notes`` with the reasons. Empty in runs of older versions.
    """

    bench_version: str
    label: str
    created: str
    smoke: bool
    limit: int | None
    sample: bool
    config: Mapping[str, Any]
    config_digest: str
    protocol: Mapping[str, Any]
    data: Mapping[str, Any]
    stages: tuple[StageRecord, ...]
    metrics: Mapping[str, Figure]
    ledger: Mapping[str, RoleLedger]
    warnings: tuple[str, ...]
    timings: Mapping[str, Mapping[str, float]]
    environment: Mapping[str, Any]
    seed: int
    choices: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION
    code: Mapping[str, str] = field(default_factory=dict)
    limit_gallery: int | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run.

    Attributes:
        record: the content of ``run.json``.
        probes: one row per probe in protocol order; empty where no gallery is searched.
        ledger: the images whose outcome is not ok.
        items: one row per item of any other kind of run.
        arrays: data too large for rows (the scores of pairs), by name.
    """

    record: RunRecord
    probes: tuple[ProbeRow, ...]
    ledger: tuple[LedgerRow, ...]
    items: tuple[ItemRow, ...] = ()
    arrays: Mapping[str, Any] = field(default_factory=dict)
