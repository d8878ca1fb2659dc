"""Leaderboards: runs measured in the same way, ranked by one figure, with their ties to the best."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import UsageError
from bench.metrics.significance import holm, sign_flip_test
from bench.results import Figure
from bench.results.kinds import EFFICIENCY
from reports.leaderboard.submissions import Submission
from reports.runs.figure_names import headlines, in_order
from reports.runs.groups import comparable, measurement
from reports.runs.run import Run
from reports.statistics.values import Direction, direction, shared_rows
from reports.text.numbers import GAP, arguments

LEVEL = 0.05
"""Runs with a Holm-corrected p-value below it are significantly different from the best."""


@dataclass(frozen=True, slots=True)
class Line:
    """One run on a board.

    Attributes:
        submission: the run.
        figure: the figure that the board is ordered by; None where the run lacks it.
        place: 1-based, the same for equal values; None where the run is not ranked.
        tied: whether it is the best, or not significantly different from the best.
        basis: of ``tied``: ``best``, ``paired test, p = ...``, ``intervals``, ``values``; empty where not ranked.
        marks: to show beside it: ``SMOKE``, ``SAMPLE``, ``NOT CONFIRMED``.
    """

    submission: Submission
    figure: Figure | None
    place: int | None
    tied: bool
    basis: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Runs of one protocol on the same data, with the same recogniser and the same alignment.

    Attributes:
        protocol: with its arguments.
        run: any of its runs: protocol, data, recogniser and alignment are the same for all.
        name: of the figure that orders it.
        unit: of the figure.
        better: ``higher`` or ``lower``; None where nothing is ranked.
        note: why nothing is ranked, or empty.
        lines: ranked runs in order, then the others.
    """

    protocol: str
    run: Run
    name: str
    unit: str
    better: Direction | None
    note: str
    lines: tuple[Line, ...]

    @property
    def data_status(self) -> str:
        """Status of the data: ``official``, ``no set is published``, ``NOT the official set``, ``SAMPLE DATA``."""
        return _DATA_STATUS[_order(self.run)]


_DATA_STATUS = ("official", "no set is published", "NOT the official set", "SAMPLE DATA")


def make_boards(submissions: Sequence[Submission], figure: str | None = None) -> list[Board]:
    """Sort runs into boards: official data first, samples last.

    Args:
        submissions: at least one.
        figure: the figure to order by; None takes the first of each board.

    Raises:
        UsageError: no run has that figure.
    """
    known = in_order(item.run.record.metrics for item in submissions)
    if figure is not None and figure not in known:
        raise UsageError(f"No run has a figure {figure!r}. They have: {', '.join(map(ascii, known))}.")
    parts: dict[str, list[Submission]] = {}
    for item in submissions:
        key = [comparable(item.run), measurement(item.run), item.run.record.data.get("official")]
        parts.setdefault(json.dumps(key, sort_keys=True), []).append(item)
    boards = [_board(part, figure) for part in parts.values()]
    return sorted(boards, key=lambda board: (_order(board.run), board.protocol, _measurement(board.run)))


def describe_method(run: Run) -> str:
    """The hallucinator as the user wrote it, with the hallucinated side unless it is the probes."""
    return run.record.label if run.side in ("", "probe") else f"{run.record.label} (on {run.side})"


def _board(submissions: Sequence[Submission], figure: str | None) -> Board:
    run = submissions[0].run
    name = figure or headlines(in_order(item.run.record.metrics for item in submissions))[0][0]
    unit = next((f.unit for item in submissions if (f := item.run.record.metrics.get(name))), "fraction")
    better, note = direction(name, unit), ""
    if run.kind == EFFICIENCY:
        better, note = None, "Times and memory depend on the machine, so they are not ranked."
    elif better is None:
        note = f"Neither higher nor lower values of {name} are better, so it is not ranked."
    rules, values = run.record.protocol, run.record.protocol.get("arguments", {})
    protocol = f"{rules['name']}:{arguments(values).replace(', ', ',')}" if values else str(rules["name"])
    return Board(protocol, run, name, unit, better, note, _lines(submissions, name, unit, better))


def _lines(submissions: Sequence[Submission], name: str, unit: str, better: Direction | None) -> tuple[Line, ...]:
    """Rank the runs. Not ranked: smoke runs, changed runs, and runs without the figure in that unit."""
    ranked: list[Submission] = []
    others: list[Submission] = []
    for item in submissions:
        figure = item.run.record.metrics.get(name)
        is_ranked = (
            figure is not None
            and figure.unit == unit
            and better is not None
            and not item.run.record.smoke
            and not item.run.changed
        )
        (ranked if is_ranked else others).append(item)
    sign = -1 if better == "higher" else 1
    ranked.sort(key=lambda item: (sign * item.run.record.metrics[name].value, item.name))
    values = [item.run.record.metrics[name].value for item in ranked]
    ties = _ties(ranked, name)
    lines = [
        Line(item, item.run.record.metrics[name], values.index(values[i]) + 1, *ties[i], _marks(item.run))
        for i, item in enumerate(ranked)
    ]
    lines += [Line(item, item.run.record.metrics.get(name), None, False, "", _marks(item.run)) for item in others]
    return tuple(lines)


def _ties(ranked: Sequence[Submission], name: str) -> list[tuple[bool, str]]:
    """Whether each run is tied with the first, and the basis of that.

    If both runs have rows: the sign-flip test by identity, Holm-corrected over all tests of the board. If one has no
    rows: whether the two 95 % intervals overlap, which finds fewer differences. Without intervals: whether the values
    are equal.
    """
    if not ranked:
        return []
    tests = {i: p for i in range(1, len(ranked)) if (p := _p_value(ranked[0], ranked[i], name)) is not None}
    corrected = dict(zip(tests, holm(list(tests.values())), strict=True)) if tests else {}
    best = ranked[0].run.record.metrics[name]
    ties = [(True, "best")]
    for i, item in enumerate(ranked[1:], 1):
        figure = item.run.record.metrics[name]
        if i in corrected:
            ties.append((corrected[i] >= LEVEL, f"paired test, p = {corrected[i]:.3g}"))
        elif None not in (best.low, best.high, figure.low, figure.high):
            ties.append((_overlap(best, figure), "intervals"))
        else:
            ties.append((figure.value == best.value, "values"))
    return ties


def _p_value(first: Submission, second: Submission, name: str) -> float | None:
    """Of the sign-flip test by identity; None where not both runs have the same rows."""
    if not first.checked or not second.checked:
        return None
    rows = shared_rows(first.run, second.run, name)
    if not rows.values or rows.unshared:
        return None
    return sign_flip_test(rows.values, rows.other_values, rows.people, seed=0).p_value


def _overlap(one: Figure, other: Figure) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


def _marks(run: Run) -> tuple[str, ...]:
    marks = (("SMOKE", run.record.smoke), ("SAMPLE", run.record.sample), ("NOT CONFIRMED", bool(run.doubts)))
    return tuple(mark for mark, applies in marks if applies)


def _order(run: Run) -> int:
    if run.record.sample:
        return 3
    official = run.record.data.get("official")
    return 0 if official is True else 1 if official is None else 2


def _measurement(run: Run) -> str:
    return f"{run.recogniser or GAP} {run.aligner}"
