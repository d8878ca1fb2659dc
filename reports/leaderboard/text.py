"""Leaderboards as lines of a terminal, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.comparison.text import figure_object
from reports.leaderboard.board import Board, Line, method
from reports.page.to_markdown import escape
from reports.runs.run import Skipped
from reports.text.numbers import GAP
from reports.text.tables import aligned, cell, interval, number

_HEAD = ("", "method", "value", "95 % interval", "n", "tied best", "rows", "submission", "notice")
_RIGHT = (0, 2, 4)


def to_lines(boards: Sequence[Board], skipped: Sequence[Skipped]) -> list[str]:
    """What is printed."""
    lines: list[str] = []
    for board in boards:
        lines += [f"{cell(_title(board), 200)}"]
        rows = [_HEAD, *(_row(board, line) for line in board.lines)]
        lines += aligned([[cell(text) for text in row] for row in rows], right=_RIGHT)
        lines += [f"  {cell(note, 200)}" for note in _notes(board)]
        lines.append("")
    return [*lines, *(f"left out: {cell(item.folder_name)}: {cell(item.reason, 400)}" for item in skipped)]


def to_markdown(boards: Sequence[Board], skipped: Sequence[Skipped]) -> str:
    """Tables of Markdown; names of others are escaped."""
    lines = ["# Leaderboard", ""]
    for board in boards:
        lines += [f"## {escape(_title(board))}", ""]
        for row in (_HEAD, *(_row(board, line) for line in board.lines)):
            lines.append(f"| {' | '.join(escape(text) for text in row)} |")
            if row is _HEAD:
                lines.append(f"|{'|'.join('---:' if i in _RIGHT else '---' for i in range(len(_HEAD)))}|")
        lines += ["", *(f"{escape(note)}\n" for note in _notes(board))]
    if skipped:
        lines += ["## Left out", ""]
        lines += [f"- {escape(item.folder_name)}: {escape(item.reason)}" for item in skipped]
    return "\n".join(lines).rstrip("\n") + "\n"


def to_object(boards: Sequence[Board], skipped: Sequence[Skipped]) -> dict[str, object]:
    """The same as JSON, at full precision."""
    return {
        "format": "face-hallucination-bench leaderboard",
        "version": 1,
        "boards": [_board(board) for board in boards],
        "left_out": [{"submission": item.folder_name, "reason": item.reason} for item in skipped],
    }


def _title(board: Board) -> str:
    data = board.run.record.data
    found = [board.protocol, f"{data.get('name') or 'data'} {data['digest'][:12]} ({board.standing})"]
    if board.run.recognises:
        found.append(f"recogniser {board.run.recogniser or GAP}, alignment {board.run.aligner or GAP}")
    return " · ".join((*found, f"by {board.name}"))


def _row(board: Board, line: Line) -> tuple[str, ...]:
    figure = line.figure
    return (
        GAP if line.place is None else str(line.place),
        method(line.submitted.run),
        number(figure.value, figure.unit) if figure else GAP,
        interval(figure.low, figure.high, figure.unit) if figure else "",
        f"{figure.n:,}" if figure else "",
        f"yes ({line.how})" if line.tied else line.how and f"no ({line.how})",
        "yes" if line.submitted.checked else "no",
        line.submitted.name,
        " ".join(line.marks),
    )


def _notes(board: Board) -> Iterable[str]:
    if board.note:
        yield board.note
    if board.run.record.sample:
        yield f"{board.run.sample_banner}: its figures say nothing about the published set."
    if any(line.submitted.run.record.smoke for line in board.lines):
        yield "Smoke runs measure a part of the probes and are no results: not ranked."
    for line in board.lines:
        for doubt in line.submitted.run.doubts:
            yield f"{line.submitted.name} is not confirmed: {doubt}{'. Not ranked' * line.submitted.run.changed}."
    if any(line.how == "intervals" for line in board.lines):
        yield "Where a submission has no rows, it is tied with the best where their 95 % intervals overlap."


def _board(board: Board) -> dict[str, object]:
    record = board.run.record
    return {
        "protocol": board.protocol,
        "protocol_version": record.protocol.get("version"),
        "data": record.data.get("name"),
        "data_digest": record.data["digest"],
        "official": record.data.get("official"),
        "sample": record.sample,
        "recogniser": board.run.recogniser,
        "alignment": board.run.aligner,
        "figure": board.name,
        "unit": board.unit,
        "better": board.better,
        "lines": [
            {
                "place": line.place,
                "method": line.submitted.run.record.label,
                "hallucinated_side": line.submitted.run.side,
                "submission": line.submitted.name,
                "figure": figure_object(line.figure),
                "tied_best": line.tied,
                "tie_rests_on": line.how,
                "checked_by_rows": line.submitted.checked,
                "smoke": line.submitted.run.record.smoke,
                "not_confirmed": list(line.submitted.run.doubts),
                "config_digest": line.submitted.run.record.config_digest,
                "bench_version": line.submitted.run.record.bench_version,
            }
            for line in board.lines
        ],
    }
