"""Two runs of one protocol on the same data: every figure of both, paired differences, what must not get worse."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError, UsageError
from bench.metrics.bootstrap import Interval, difference_interval
from bench.metrics.significance import PairedTest, mcnemar, sign_flip_test
from bench.results import Figure
from reports.runs.differences import Difference, settings
from reports.runs.figure_names import in_order
from reports.runs.groups import comparable
from reports.runs.load import load
from reports.runs.run import Run
from reports.statistics.values import direction, values_of
from reports.text.numbers import plain

_SLACK = 1e-9  # of points: a fall of exactly the points allowed is allowed


@dataclass(frozen=True, slots=True)
class Contrast:
    """One figure of two runs.

    Attributes:
        name: of the figure.
        unit: of both values.
        first: in the first run; None where it has none.
        second: in the second.
        difference: second - first over the rows that both have, or of the two values where there are no such rows;
            None where a run lacks the figure.
        paired: rows that the difference is over; 0 where it is of two values.
        unshared: rows of the figure that only one of the runs has.
        interval: 95 % interval of the difference, by bootstrap over identities; None without rows.
        by_identity: sign flips of all differences of an identity together; None without rows.
        mcnemar: exact McNemar test, where the rows are hits and misses.
    """

    name: str
    unit: str
    first: Figure | None
    second: Figure | None
    difference: float | None
    paired: int = 0
    unshared: int = 0
    interval: Interval | None = None
    by_identity: PairedTest | None = None
    mcnemar: PairedTest | None = None

    @property
    def scale(self) -> float:
        """Points in one of the unit: 100 for fractions, which are told in percentage points."""
        return 100.0 if self.unit == "fraction" else 1.0


@dataclass(frozen=True, slots=True)
class Gate:
    """What must not get worse.

    Attributes:
        name: of the figure.
        points: it may be worse by, in percentage points of a fraction, else in the unit of the figure.
        change: for the better, of the values in ``run.json``, in the same; negative where the second run is worse.
    """

    name: str
    points: float
    change: float

    @property
    def failed(self) -> bool:
        """Whether the second run is worse by more than the points."""
        return -self.change > self.points + _SLACK


@dataclass(frozen=True, slots=True)
class Comparison:
    """All about two runs.

    Attributes:
        first: the run compared with.
        second: the run judged.
        figures: every figure that a run has.
        differs: what is not the same in their configurations.
    """

    first: Run
    second: Run
    figures: tuple[Contrast, ...]
    differs: tuple[Difference, ...]


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare two finished run folders.

    Raises:
        UsageError: they are one folder, smoke runs on other probes, or of different protocols or data: all that
            forbids the comparison is named.
        MissingError: one does not exist.
        DataError: one is damaged or of another schema version.
    """
    runs, damaged = load([first, second])
    if damaged:
        raise DataError(plain(f"{damaged[0].folder_name} cannot be compared. {damaged[0].reason}"))
    if len(runs) != 2:
        raise UsageError(f"{first} and {second} are one run. Give two run folders.")
    one, other = runs
    _refuse(one, other)
    names = in_order((one.record.metrics, other.record.metrics))
    return Comparison(one, other, tuple(contrast(one, other, name) for name in names), tuple(settings(one, other)))


def contrast(first: Run, second: Run, name: str) -> Contrast:
    """One figure of two runs that may be compared; at least one of them has it."""
    one, other = first.record.metrics.get(name), second.record.metrics.get(name)
    unit = (one or other or next(iter(first.record.metrics.values()))).unit
    if one is None or other is None or one.unit != other.unit:
        return Contrast(name, unit, one, other, None)
    before, after = values_of(first, name), values_of(second, name)
    known = {value.key: value for value in before or ()}
    shared = [(v, known[v.key]) for v in after or () if v.key in known and known[v.key].person == v.person]
    if before is None or after is None or not shared:
        return Contrast(name, unit, one, other, other.value - one.value)
    new, old = [v.value for v, _ in shared], [v.value for _, v in shared]
    people, seed = [v.person for v, _ in shared], first.record.seed
    hits = all(value in (0.0, 1.0) for value in (*new, *old))
    flips = sign_flip_test(new, old, people, seed=seed)
    return Contrast(
        name,
        unit,
        one,
        other,
        flips.difference,
        len(shared),
        len(before) + len(after) - 2 * len(shared),
        difference_interval(new, old, people, seed=seed),
        flips,
        mcnemar([v == 1.0 for v in new], [v == 1.0 for v in old]) if hits else None,
    )


def parse_gates(texts: Sequence[str]) -> dict[str, float]:
    """``FIGURE=POINTS`` as a mapping; the last ``=`` parts them, since names such as ``tar@far=0.001`` hold one.

    Raises:
        UsageError: a text is not of that kind, or the points are negative or no number.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            points = float(number)
        except ValueError:
            points = math.nan
        if not name or not math.isfinite(points) or points < 0:
            raise UsageError(f"--fail-below is FIGURE=POINTS with points of 0 or more (rank-1=0.5); got {text!r}.")
        found[name] = points
    return found


def gates(comparison: Comparison, wanted: dict[str, float]) -> list[Gate]:
    """Judge the second run.

    The values of ``run.json`` count, not their interval: equal images on equal code give equal figures, so a fall is of
    the code or the weights however few probes show it. What is better lower (``ms@batch=1``, ``landmark_error``) is
    worse when it rises.

    Raises:
        UsageError: a run lacks a figure, or neither more nor less of it is better.
    """
    by_name = {found.name: found for found in comparison.figures}
    judged = []
    for name, points in wanted.items():
        found = by_name.get(name)
        if found is None or found.first is None or found.second is None or found.difference is None:
            both = plain(", ".join(c.name for c in comparison.figures if c.difference is not None))
            raise UsageError(f"--fail-below {name!r}: not both runs have this figure. Both have: {both}.")
        better = direction(name, found.unit)
        if better is None:
            raise UsageError(f"--fail-below {name!r}: neither more nor less of it is better, so it cannot get worse.")
        change = (found.second.value - found.first.value) * found.scale
        judged.append(Gate(name, points, change if better == "higher" else 0.0 - change))
    return judged


def _refuse(first: Run, second: Run) -> None:
    one, other = comparable(first), comparable(second)
    unequal = [key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]
    if unequal:
        listed = "; ".join(f"{key}: {_short(one.get(key))} and {_short(other.get(key))}" for key in unequal[:8])
        raise UsageError(
            f"{first.folder_name!r} and {second.folder_name!r} were not measured alike, so their figures cannot be "
            f"compared. They differ in {listed}. Run one of them again; `bench report` shows both, in sections apart."
        )


def _short(value: object) -> str:
    text = json.dumps(value, sort_keys=True)  # ASCII: no control character of a name reaches a terminal
    return text if len(text) <= 80 else f"{text[:77]}..."
