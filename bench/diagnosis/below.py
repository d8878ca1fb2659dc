"""Is a run worse than the LR face itself, on the same probes, beyond the interval of the difference?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.diagnosis.headline import Finished, Headline, headline_of
from bench.metrics.bootstrap import difference_interval
from bench.results import RunRecord, StageRecord

BELOW = "Below the LR face"
"""How every sentence on such a run begins."""
LEAST_PEOPLE = 6
"""People (or folds) that differences are over; with fewer no test at the 5 % level can tell anything."""
_LR_FACE = "none"
F = TypeVar("F", bound=Finished)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """By how much a run is below the LR face.

    Attributes:
        name: of the figure.
        unit: of its values.
        rows: what it is paired over, in the plural.
        value: of the run, over the rows that both have.
        lr_value: of the LR face, over the same.
        low: lower end of the 95 % interval of the difference, by bootstrap over people (or folds).
        high: upper end; below 0.
        paired: how many rows.
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
    """Compare a run with the LR face; None where it is not below it beyond the interval, or nothing can be said.

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
    own, base = [run.values[key][1] for key in shared], [lr.values[key][1] for key in shared]
    interval = difference_interval(own, base, people, seed=seed)
    if interval.high is None or interval.low is None or interval.high >= 0:
        return None
    count = len(shared)
    return Shortfall(
        run.name, run.unit, run.rows, sum(own) / count, sum(base) / count, interval.low, interval.high, count
    )


def below_lr_face(run: Finished, lr: Finished) -> str | None:
    """The sentence on a finished run that is below a finished run of the LR face; None where it is not.

    The two must be measured alike (`measured_alike`). What the run says of itself already is not said again.
    """
    from bench.diagnosis.causes import causes_in_record

    if any(warning.startswith(BELOW) for warning in run.record.warnings):
        return None
    found = shortfall(headline_of(run), headline_of(lr), seed=lr.record.seed)
    return found.sentence(causes_in_record(run.record)) if found else None


def lr_run_of(run: Finished, others: Iterable[F]) -> F | None:
    """The first of some finished runs that is of the LR face and measured as a run is; None where there is none."""
    if is_lr_face(run.record):
        return None
    return next((o for o in others if is_lr_face(o.record) and measured_alike(run.record, o.record)), None)


def is_lr_face(record: RunRecord) -> bool:
    """Whether a run passes the LR face on as it is."""
    return record.label == _LR_FACE


def measured_alike(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs are of the same data, rules, recogniser and alignment as asked, and of the same limit."""
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
    """Aligners as asked: the runner may align hallucinated faces by their frame where the user left it open."""
    asked = getattr(record, "choices", {}).get("asked", record.config)
    return [asked.get("align"), asked.get("align_gallery")]
