"""Run folders to runs: what cannot be read or contradicts itself is refused here, so all that follows can trust it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, DataError, MissingError, UsageError
from bench.metrics.identification import mean_average_precision, rank_k_rate
from bench.results import Figure, ProbeRow, RunRecord, RunResult, StageRecord
from bench.runfolder import read_run

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a report.

    Attributes:
        folder: where it was read from.
        record: its ``run.json``.
        probes: its rows.
    """

    folder: Path
    record: RunRecord
    probes: tuple[ProbeRow, ...]

    @property
    def folder_name(self) -> str:
        """Last part of the folder: reports never show where on a machine a run was."""
        return self.folder.resolve().name

    @property
    def identities(self) -> int:
        """Persons among the probes."""
        return len({row.identity for row in self.probes})

    def stage(self, stage: str, side: str) -> StageRecord | None:
        """The first stage of that kind on that side, or None."""
        return next((s for s in self.record.stages if s.stage == stage and s.side == side), None)

    def asked(self, key: str) -> str:
        """An entry of the configuration as text; empty where there is none."""
        value = self.record.config.get(key)
        return "" if value is None else str(value)

    @property
    def recogniser(self) -> str:
        """The recogniser as the user wrote it."""
        return self.asked("recogniser") or _name(self.stage("embed", "probe"))

    @property
    def aligner(self) -> str:
        """The aligner of the probes as the user wrote it, and that of the gallery where it is another."""
        probe = self.asked("align") or _name(self.stage("align", "probe"))
        gallery = self.asked("align_gallery") or self.asked("align") or _name(self.stage("align", "gallery"))
        return probe if gallery in ("", probe) else f"{probe} (gallery: {gallery})"

    @property
    def side(self) -> str:
        """What went through the hallucinator: probe, gallery or both."""
        return self.asked("hallucinate")

    @property
    def banners(self) -> tuple[str, ...]:
        """What must stand above every figure of this run."""
        smoke = ("SMOKE RUN - not a result",) if self.record.smoke else ()
        name = self.record.data.get("name") or "a published data set"
        return (*smoke, f"SAMPLE DATA, not {name}") if self.record.sample else smoke


@dataclass(frozen=True, slots=True)
class Skipped:
    """A run folder that could not be used, and why."""

    folder_name: str
    reason: str


def load(folders: Sequence[Path]) -> tuple[list[Run], list[Skipped]]:
    """Read run folders in the order given; one given twice is read once.

    Returns:
        The runs, and the folders that are damaged.

    Raises:
        UsageError: no folders, or a smoke run beside other folders.
        MissingError: a folder does not exist.
        DataError: all are damaged.
    """
    if not folders:
        raise UsageError("No runs to report on. Give the folders that `bench run --out` named.")
    distinct = list({folder.resolve(): folder for folder in reversed(folders)}.values())[::-1]
    absent = [folder for folder in distinct if not folder.is_dir()]
    if absent:
        raise MissingError(
            f"No such run folder: {', '.join(map(str, absent))}. Give the folders that `bench run --out` named."
        )
    runs: list[Run] = []
    skipped: list[Skipped] = []
    for folder in distinct:
        try:
            runs.append(_read(folder))
        except BenchError as error:
            reason = str(error).replace(str(folder), folder.resolve().name)
            skipped.append(Skipped(folder.resolve().name, reason))
    if not runs:
        listed = "; ".join(f"{item.folder_name}: {item.reason}" for item in skipped)
        raise DataError(f"None of {len(skipped)} run folders can be read. {listed}")
    smoke = [str(run.folder) for run in runs if run.record.smoke]
    if smoke and len(distinct) > 1:
        raise UsageError(
            f"Smoke runs test the machinery and are no results, so they are not compared: {', '.join(smoke)}. Leave "
            "them out, report on one alone, or run again without --limit."
        )
    return runs, skipped


def metric_order(name: str) -> tuple[int, int, str]:
    """Sort key of figures: rank-k by k, then the others by name."""
    found = re.fullmatch(r"rank-(\d+)", name)
    return (0, int(found[1]), name) if found else (1, 0, name)


def _read(folder: Path) -> Run:
    result = read_run(folder)
    faults = list(_wrong_types(result.record))
    if not faults:
        faults = list(_contradictions(result))
    if faults:
        raise DataError(f"{folder} is damaged: {'; '.join(faults[:5])}. Run it again.")
    return Run(folder, result.record, result.probes)


def _wrong_types(record: RunRecord) -> Iterable[str]:
    """What in ``run.json`` is of a type that no run has."""
    texts = (record.label, record.created, record.bench_version, record.config_digest)
    flags = (record.smoke, record.sample)
    mappings = (record.config, record.protocol, record.data, record.timings, record.environment)
    if not all(isinstance(value, str) for value in (*texts, *record.warnings)):
        yield "label, created, versions, digests or warnings are not text"
    if not all(isinstance(value, bool) for value in flags) or not _whole(record.seed):
        yield "smoke, sample or seed is of a wrong type"
    if not all(isinstance(value, Mapping) for value in mappings):
        yield "config, protocol, data, timings or environment is no table"
        return
    if not isinstance(record.protocol.get("name"), str) or not isinstance(record.data.get("digest"), str):
        yield "the name of the protocol or the digest of the data is missing"
    if not isinstance(record.protocol.get("arguments", {}), Mapping):
        yield "the arguments of the protocol are no table"
    counts, notes = record.data.get("counts", {}), record.data.get("notes", [])
    if not isinstance(counts, Mapping) or not all(map(_whole, counts.values())):
        yield "the counts of the data are not whole numbers"
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        yield "the notes on the data are not text"
    for stage in record.stages:
        words = (stage.stage, stage.side, stage.name, stage.version, stage.source, stage.licence)
        if not all(isinstance(word, str) for word in words) or not isinstance(stage.arguments, Mapping):
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
    if not record.metrics:
        yield "there are no figures"


def _wrong_figure(name: str, figure: Figure) -> Iterable[str]:
    fractions = [figure.value, *(f for f in (figure.low, figure.high, figure.without_failures) if f is not None)]
    if not all(_number(value) and 0 <= value <= 1 for value in fractions):
        yield f"{name} is not a fraction between 0 and 1"
    if not (_whole(figure.n) and _whole(figure.n_without_failures) and isinstance(figure.interval, str)):
        yield f"{name} has no denominators"


def _contradictions(result: RunResult) -> Iterable[str]:
    """Where ``run.json`` and the rows disagree: a table cut short must not pass for a smaller run."""
    rows, metrics = result.probes, result.record.metrics
    scored = sum(row.status != "failed" for row in rows)
    if len({row.key for row in rows}) != len(rows):
        yield "per_probe.csv has a key twice"
    for name, figure in metrics.items():
        if (figure.n, figure.n_without_failures) != (len(rows), scored):
            yield (
                f"{name} is over {figure.n} probes ({figure.n_without_failures} scored), but per_probe.csv has "
                f"{len(rows)} ({scored} scored)"
            )
            continue
        again = _recomputed(name, rows)
        if again is not None and abs(again - figure.value) > _TOLERANCE:
            yield f"{name} is {figure.value:.6f} in run.json, {again:.6f} from per_probe.csv"


def _recomputed(name: str, rows: Sequence[ProbeRow]) -> float | None:
    """A figure from the rows; None for one that they do not hold."""
    kind, k, _ = metric_order(name)
    if kind == 0 and k > 0:
        return rank_k_rate([row.rank for row in rows], k)
    if name == "map":
        return mean_average_precision([row.mated_ranks for row in rows], [row.mates for row in rows])
    return None


def _name(stage: StageRecord | None) -> str:
    return stage.name if stage else ""


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
