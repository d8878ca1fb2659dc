"""Whether a run is worse than the LR face on the same probes, by the interval of the paired difference."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.diagnosis.causes import causes_in_record
from bench.diagnosis.headline import Finished, Headline, headline_of
from bench.errors import BenchError
from bench.metrics.bootstrap import difference_interval
from bench.results import RunRecord, RunResult, StageRecord
from bench.results.folder import RUN_FILE, read_record, read_run

BELOW = "Below the LR face"
"""Beginning of every sentence on such a run."""
LEAST_PEOPLE = 6
"""Fewest people (or folds) that are compared; with fewer, no test at the 5 % level can be significant."""
_LR_FACE = "none"
_MAX_FOLDERS = 500
F = TypeVar("F", bound=Finished)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """By how much a run is below the LR face.

    Attributes:
        name: of the figure.
        unit: of its values.
        rows: name of the paired rows, in the plural.
        value: of the run, over the rows of both.
        lr_value: of the LR face, over the same.
        low: lower end of the 95 % interval of the difference, by bootstrap over people (or folds).
        high: upper end; below 0.
        paired: number of rows.
    """

    name: str
    unit: str
    rows: str
    value: float
    lr_value: float
    low: float
    high: float
    paired: int

    @property
    def finding(self) -> str:
        """Both values, the difference and its interval in one sentence."""
        points = self.unit == "fraction"
        scale, unit = (100.0, " points") if points else (1.0, f" {self.unit}")
        one, other = (f"{v:.2%}" if points else f"{v:.2f} {self.unit}" for v in (self.value, self.lr_value))
        change = (self.value - self.lr_value) * scale
        return (
            f"{BELOW}: {self.name} {one}, the LR face {other} on the same {self.paired:,} {self.rows} (difference "
            f"{change:.2f}{unit}, 95 % interval {self.low * scale:.2f} to {self.high * scale:.2f})."
        )

    def sentence(self, causes: Sequence[str] = ()) -> str:
        """The finding with its likely causes."""
        return f"{self.finding} {likely(causes)}"


def shortfall(run: Headline | None, lr: Headline | None, *, seed: int) -> Shortfall | None:
    """Compare a run with the LR face; None where it is not significantly below it, or cannot be compared.

    Args:
        run: its headline figure.
        lr: that of the LR face.
        seed: of the bootstrap.
    """
    if run is None or lr is None or run.name != lr.name:
        return None
    shared = [key for key, (person, _) in run.values.items() if key in lr.values and lr.values[key][0] == person]
    people = [run.values[key][0] for key in shared]
    if len(set(people)) < LEAST_PEOPLE:
        return None
    values, lr_values = [run.values[key][1] for key in shared], [lr.values[key][1] for key in shared]
    interval = difference_interval(values, lr_values, people, seed=seed)
    if interval.high is None or interval.low is None or interval.high >= 0:
        return None
    count = len(shared)
    return Shortfall(
        run.name, run.unit, run.rows, sum(values) / count, sum(lr_values) / count, interval.low, interval.high, count
    )


def below_lr_face(run: Finished, lr: Finished) -> str | None:
    """The sentence on a finished run that is below a finished run of the LR face; None where it is not.

    The two must be measured alike (`measured_alike`). A run whose warnings say it already gives None.
    """
    if any(warning.startswith(BELOW) for warning in run.record.warnings):
        return None
    below = shortfall(headline_of(run), headline_of(lr), seed=lr.record.seed)
    return below.sentence(causes_in_record(run.record)) if below else None


def below_beside(result: RunResult, folder: Path) -> str | None:
    """The sentence on a run that is below a finished run of the LR face in a folder beside it.

    Args:
        result: the run.
        folder: its folder; the folders beside it are read, in the order of their names.

    Returns:
        None where it is not below, where its warnings say so, or where no run beside it is of the LR face and measured
        alike. Folders that cannot be read are skipped.
    """
    if is_lr_face(result.record):
        return None
    try:
        beside = sorted(path.parent for path in folder.absolute().parent.glob(f"*/{RUN_FILE}"))[:_MAX_FOLDERS]
    except OSError:
        return None
    for other in beside:
        try:
            record = read_record(other)
            if is_lr_face(record) and measured_alike(result.record, record):
                return below_lr_face(result, read_run(other))
        except BenchError:
            continue
    return None


def lr_run_of(run: Finished, others: Iterable[F]) -> F | None:
    """The first of some finished runs that is of the LR face and measured as a run is; None where there is none."""
    if is_lr_face(run.record):
        return None
    return next((o for o in others if is_lr_face(o.record) and measured_alike(run.record, o.record)), None)


def is_lr_face(record: RunRecord) -> bool:
    """Whether a run recognises the LR face itself."""
    return record.label == _LR_FACE


def measured_alike(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs have the same data, rules, recogniser, requested alignment and limit."""
    return all(facts(one) == facts(other) for facts in (_of_data, _of_rules, _recogniser, _alignment))


def likely(causes: Sequence[str]) -> str:
    """Causes as one sentence."""
    if not causes:
        return (
            "No cause was seen in frame, side, colour order, scaling and alignment: look at the faces (bench report)."
        )
    return f"Likely causes: {'; '.join(cause.rstrip('. ') for cause in causes)}."


def _of_data(record: RunRecord) -> object:
    return record.data.get("digest"), record.data.get("name"), record.limit


def _of_rules(record: RunRecord) -> str:
    names = ("name", "arguments", "kind", "similarity", "unit_length", "flip", "fusion", "version")
    return json.dumps([record.protocol.get(name) for name in names], sort_keys=True, default=str)


def _recogniser(record: RunRecord) -> str:
    stages = [stage for stage in record.stages if stage.stage == "embed" and stage.side == "probe"]
    return json.dumps([_identity(stage) for stage in stages], sort_keys=True, default=str)


def _identity(stage: StageRecord) -> list[object]:
    arguments = {key: value for key, value in stage.arguments.items() if key not in ("threads", "device")}
    return [stage.name, stage.version, arguments, [dict(file) for file in stage.weights]]


def _alignment(record: RunRecord) -> list[object]:
    """The requested aligners: where none was requested, hallucinated faces may be aligned by their frame."""
    requested = getattr(record, "choices", {}).get("asked", record.config)
    return [requested.get("align"), requested.get("align_gallery")]
