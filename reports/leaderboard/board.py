"""Leaderboards: runs measured alike, in the order of one figure, with the best and those that are not told from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import UsageError
from bench.metrics.significance import holm, sign_flip_test
from bench.results import Figure
from reports.leaderboard.submissions import Submitted
from reports.runs.figure_names import headlines, in_order
from reports.runs.groups import comparable, ruler
from reports.runs.items import EFFICIENCY
from reports.runs.run import Run
from reports.statistics.values import Direction, direction, values_of
from reports.text.numbers import GAP, arguments

LEVEL = 0.05
"""A run whose corrected p-value against the best is below it is told from the best."""


@dataclass(frozen=True, slots=True)
class Line:
    """One run on a board.

    Attributes:
        submitted: the run.
        figure: the one that the board is ordered by; None where the run lacks it.
        place: 1-based, equal figures alike; None where it is not ranked.
        tied: whether it is the best, or not told from the best.
        how: what that rests on: ``best``, ``paired test, p = ...``, ``intervals``, ``values``; empty where not ranked.
        marks: what must stand beside it: ``SMOKE``, ``SAMPLE``, ``NOT CONFIRMED``.
    """

    submitted: Submitted
    figure: Figure | None
    place: int | None
    tied: bool
    how: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Runs of one protocol on the same data, told by the same recogniser on faces aligned alike.

    Attributes:
        protocol: with its arguments.
        run: any of its runs: protocol, data and ruler are the same for all.
        name: of the figure that orders it.
        unit: of that.
        better: which way; None where nothing is ranked.
        note: why nothing is ranked, or empty.
        lines: ranked ones in order, then the others.
    """

    protocol: str
    run: Run
    name: str
    unit: str
    better: Direction | None
    note: str
    lines: tuple[Line, ...]

    @property
    def standing(self) -> str:
        """What the data are: ``official``, ``no set is published``, ``NOT the official set``, ``SAMPLE DATA``."""
        return _STANDING[_order(self.run)]


_STANDING = ("official", "no set is published", "NOT the official set", "SAMPLE DATA")


def make_boards(found: Sequence[Submitted], figure: str | None = None) -> list[Board]:
    """Put runs on boards: official data first, samples last, each in the order in which they come.

    Args:
        found: at least one.
        figure: the figure to order by; None takes the first of each board.

    Raises:
        UsageError: no run has that figure.
    """
    known = in_order(item.run.record.metrics for item in found)
    if figure is not None and figure not in known:
        raise UsageError(f"No run has a figure {figure!r}. They have: {', '.join(map(ascii, known))}.")
    parts: dict[str, list[Submitted]] = {}
    for item in found:
        key = [comparable(item.run), ruler(item.run), item.run.record.data.get("official")]
        parts.setdefault(json.dumps(key, sort_keys=True), []).append(item)
    boards = [_board(part, figure) for part in parts.values()]
    return sorted(boards, key=lambda board: (_order(board.run), board.protocol, _ruler_words(board.run)))


def method(run: Run) -> str:
    """The hallucinator as the user wrote it, with the side where it is not that of the probes."""
    return run.record.label if run.side in ("", "probe") else f"{run.record.label} (on {run.side})"


def _board(found: Sequence[Submitted], figure: str | None) -> Board:
    run = found[0].run
    name = figure or headlines(in_order(item.run.record.metrics for item in found))[0][0]
    unit = next((f.unit for item in found if (f := item.run.record.metrics.get(name))), "fraction")
    better, note = direction(name, unit), ""
    if run.kind == EFFICIENCY:
        better, note = None, "Times and memory are of the machine that measured them: not ranked."
    elif better is None:
        note = f"Neither more nor less of {name} is better: not ranked."
    own, values = run.record.protocol, run.record.protocol.get("arguments", {})
    protocol = f"{own['name']}:{arguments(values).replace(', ', ',')}" if values else str(own["name"])
    return Board(protocol, run, name, unit, better, note, _lines(found, name, unit, better))


def _lines(found: Sequence[Submitted], name: str, unit: str, better: Direction | None) -> tuple[Line, ...]:
    """Smoke runs and changed ones are not ranked, nor is what lacks the figure or has it in another unit."""
    ranked: list[Submitted] = []
    others: list[Submitted] = []
    for item in found:
        figure = item.run.record.metrics.get(name)
        fits = (
            figure is not None
            and figure.unit == unit
            and better is not None
            and not item.run.record.smoke
            and not item.run.changed
        )
        (ranked if fits else others).append(item)
    sign = -1 if better == "higher" else 1
    ranked.sort(key=lambda item: (sign * item.run.record.metrics[name].value, item.name))
    values = [item.run.record.metrics[name].value for item in ranked]
    how = _ties(ranked, name)
    lines = [
        Line(item, item.run.record.metrics[name], values.index(values[i]) + 1, *how[i], _marks(item.run))
        for i, item in enumerate(ranked)
    ]
    lines += [Line(item, item.run.record.metrics.get(name), None, False, "", _marks(item.run)) for item in others]
    return tuple(lines)


def _ties(ranked: Sequence[Submitted], name: str) -> list[tuple[bool, str]]:
    """Whether each is told from the first, and by what.

    Where both come with rows: sign flips by identity, Holm-corrected over all such tests of the board. Where one has
    none: whether the two 95 % intervals overlap, which tells fewer runs apart. Where there are no intervals: whether
    the values are equal.
    """
    if not ranked:
        return []
    tests = {i: p for i in range(1, len(ranked)) if (p := _p_value(ranked[0], ranked[i], name)) is not None}
    corrected = dict(zip(tests, holm(list(tests.values())), strict=True)) if tests else {}
    best = ranked[0].run.record.metrics[name]
    found = [(True, "best")]
    for i, item in enumerate(ranked[1:], 1):
        figure = item.run.record.metrics[name]
        if i in corrected:
            found.append((corrected[i] >= LEVEL, f"paired test, p = {corrected[i]:.3g}"))
        elif None not in (best.low, best.high, figure.low, figure.high):
            found.append((_overlap(best, figure), "intervals"))
        else:
            found.append((figure.value == best.value, "values"))
    return found


def _p_value(first: Submitted, second: Submitted, name: str) -> float | None:
    """Of sign flips by identity; None where not both have the same rows."""
    one, other = (values_of(item.run, name) if item.checked else None for item in (first, second))
    if not one or not other:
        return None
    values = {value.key: value for value in other}
    pairs = [(v, values[v.key]) for v in one if v.key in values and values[v.key].person == v.person]
    if len(pairs) != len(one) or len(pairs) != len(other):
        return None
    people = [v.person for v, _ in pairs]
    return sign_flip_test([v.value for v, _ in pairs], [v.value for _, v in pairs], people, seed=0).p_value


def _overlap(one: Figure, other: Figure) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


def _marks(run: Run) -> tuple[str, ...]:
    marks = (("SMOKE", run.record.smoke), ("SAMPLE", run.record.sample), ("NOT CONFIRMED", bool(run.doubts)))
    return tuple(mark for mark, there in marks if there)


def _order(run: Run) -> int:
    if run.record.sample:
        return 3
    official = run.record.data.get("official")
    return 0 if official is True else 1 if official is None else 2


def _ruler_words(run: Run) -> str:
    return f"{run.recogniser or GAP} {run.aligner}"
