"""Compares two runs of one protocol on the same data: all figures, paired differences, limits on losses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError, UsageError
from bench.metrics.bootstrap import Interval, difference_interval
from bench.metrics.significance import PairedTest, mcnemar, sign_flip_test
from bench.results import Figure
from reports.runs.differences import Difference, list_differences
from reports.runs.figure_names import in_order
from reports.runs.groups import comparable
from reports.runs.load import load
from reports.runs.run import Run
from reports.statistics.values import direction, shared_rows
from reports.text.numbers import plain

_SLACK = 1e-9  # of points: a loss of exactly the allowed points passes


@dataclass(frozen=True, slots=True)
class FigureComparison:
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
        by_identity: sign-flip test over identities; None without rows.
        mcnemar: exact McNemar test, only where the rows are hits and misses.
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
        """Points per unit: 100 for fractions, whose differences are in percentage points."""
        return 100.0 if self.unit == "fraction" else 1.0


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on the loss of one figure.

    Attributes:
        name: of the figure.
        points: the allowed loss, in percentage points of a fraction, else in the unit of the figure.
        change: improvement from the first to the second value in ``run.json``, in the same unit; negative where the
            second run is worse.
    """

    name: str
    points: float
    change: float

    @property
    def failed(self) -> bool:
        """Whether the second run is worse by more than the points."""
        return -self.change > self.points + _SLACK


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs and how they differ.

    Attributes:
        first: the reference run.
        second: the run that is judged.
        figures: every figure that a run has.
        differs: differences of their configurations.
    """

    first: Run
    second: Run
    figures: tuple[FigureComparison, ...]
    differs: tuple[Difference, ...]


def compare_runs(first: Path, second: Path, given_names: Mapping[Path, str] | None = None) -> RunComparison:
    """Compare two finished run folders.

    Args:
        first: folder of the reference.
        second: folder of the run that is compared with it.
        given_names: names that the user gave to them, by folder.

    Raises:
        UsageError: they are one folder, smoke runs on other probes, or of different protocols or data: all that
            forbids the comparison is named.
        MissingError: one does not exist.
        DataError: one is damaged or of another schema version.
    """
    runs, damaged = load([first, second], given_names)
    if damaged:
        raise DataError(plain(f"{damaged[0].folder_name} cannot be compared. {damaged[0].reason}"))
    if len(runs) != 2:
        raise UsageError(f"{first} and {second} are one run. Give two run folders.")
    one, other = runs
    _refuse(one, other)
    names = in_order((one.record.metrics, other.record.metrics))
    return RunComparison(
        one, other, tuple(compare_figure(one, other, name) for name in names), tuple(list_differences(one, other))
    )


def compare_figure(first: Run, second: Run, name: str) -> FigureComparison:
    """Compare one figure of two comparable runs; at least one of them must have it."""
    one, other = first.record.metrics.get(name), second.record.metrics.get(name)
    unit = (one or other or next(iter(first.record.metrics.values()))).unit
    if one is None or other is None or one.unit != other.unit:
        return FigureComparison(name, unit, one, other, None)
    rows = shared_rows(second, first, name)
    if not rows.values:
        return FigureComparison(name, unit, one, other, other.value - one.value)
    seed = first.record.seed
    are_hits = all(value in (0.0, 1.0) for value in (*rows.values, *rows.other_values))
    by_identity = sign_flip_test(rows.values, rows.other_values, rows.people, seed=seed)
    return FigureComparison(
        name,
        unit,
        one,
        other,
        by_identity.difference,
        len(rows.values),
        rows.unshared,
        difference_interval(rows.values, rows.other_values, rows.people, seed=seed),
        by_identity,
        mcnemar([value == 1.0 for value in rows.values], [value == 1.0 for value in rows.other_values])
        if are_hits
        else None,
    )


def parse_gates(texts: Sequence[str]) -> dict[str, float]:
    """Parse ``FIGURE=POINTS``, split at the last ``=`` because names such as ``tar@far=0.001`` contain one.

    Raises:
        UsageError: a text has another form, or the points are negative or no number.
    """
    limits: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            points = float(number)
        except ValueError:
            points = math.nan
        if not name or not math.isfinite(points) or points < 0:
            raise UsageError(f"--fail-below is FIGURE=POINTS with points of 0 or more (rank-1=0.5); got {text!r}.")
        limits[name] = points
    return limits


def judge_gates(comparison: RunComparison, wanted: dict[str, float]) -> list[Gate]:
    """Judge the second run by the limits of the user.

    The values of ``run.json`` are compared, not their intervals: equal images and equal code give equal figures, so any
    loss comes from the code or the weights. A figure that is better when lower (``ms@batch=1``, ``landmark_error``)
    is worse when it rises.

    Raises:
        UsageError: a run lacks a figure, or neither higher nor lower values of it are better.
    """
    by_name = {figure.name: figure for figure in comparison.figures}
    judged = []
    for name, points in wanted.items():
        figure = by_name.get(name)
        if figure is None or figure.first is None or figure.second is None or figure.difference is None:
            both = plain(", ".join(c.name for c in comparison.figures if c.difference is not None))
            raise UsageError(f"--fail-below {name!r}: not both runs have this figure. Figures of both runs: {both}.")
        better = direction(name, figure.unit)
        if better is None:
            raise UsageError(
                f"--fail-below {name!r}: neither higher nor lower values are better, so it cannot get worse."
            )
        change = (figure.second.value - figure.first.value) * figure.scale
        judged.append(Gate(name, points, change if better == "higher" else 0.0 - change))
    return judged


def _refuse(first: Run, second: Run) -> None:
    one, other = comparable(first), comparable(second)
    unequal = [key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]
    if unequal:
        listed = "; ".join(f"{key}: {_short(one.get(key))} and {_short(other.get(key))}" for key in unequal[:8])
        raise UsageError(
            f"{first.folder_name!r} and {second.folder_name!r} were not measured in the same way, so their figures "
            f"cannot be compared. They differ in {listed}. Run one of them again; `bench report` shows both, in "
            "separate sections."
        )


def _short(value: object) -> str:
    text = json.dumps(value, sort_keys=True)  # ASCII, so no control character reaches a terminal
    return text if len(text) <= 80 else f"{text[:77]}..."
