"""Leaderboards as lines of a terminal, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.io.columns import align_columns
from reports.comparison.text import figure_object
from reports.leaderboard.board import Board, Line, describe_method
from reports.page.to_markdown import escape
from reports.runs.run import Skipped
from reports.text.numbers import GAP
from reports.text.tables import cell, interval, number

_HEAD = ("", "method", "value", "95 % interval", "n", "tied best", "rows", "submission", "notice")
_RIGHT = (0, 2, 4)


def to_lines(boards: Sequence[Board], skipped: Sequence[Skipped]) -> list[str]:
    """The printed lines."""
    lines: list[str] = []
    for board in boards:
        lines += [f"{cell(_title(board), 200)}"]
        rows = [_HEAD, *(_row(board, line) for line in board.lines)]
        lines += align_columns([[cell(text) for text in row] for row in rows], right=_RIGHT)
        lines += [f"  {cell(note, 200)}" for note in _notes(board)]
        lines.append("")
    return [*lines, *(f"left out: {cell(item.folder_name)}: {cell(item.reason, 400)}" for item in skipped)]


def to_markdown(boards: Sequence[Board], skipped: Sequence[Skipped]) -> str:
    """Markdown tables; names are escaped."""
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
    parts = [board.protocol, f"{data.get('name') or 'data'} {data['digest'][:12]} ({board.data_status})"]
    if board.run.recognises:
        parts.append(f"recogniser {board.run.recogniser or GAP}, alignment {board.run.aligner or GAP}")
    return " · ".join((*parts, f"by {board.name}"))


def _row(board: Board, line: Line) -> tuple[str, ...]:
    figure = line.figure
    return (
        GAP if line.place is None else str(line.place),
        describe_method(line.submission.run),
        number(figure.value, figure.unit) if figure else GAP,
        interval(figure.low, figure.high, figure.unit) if figure else "",
        f"{figure.n:,}" if figure else "",
        f"yes ({line.basis})" if line.tied else line.basis and f"no ({line.basis})",
        "yes" if line.submission.checked else "no",
        line.submission.name,
        " ".join(line.marks),
    )


def _notes(board: Board) -> Iterable[str]:
    if board.note:
        yield board.note
    if any(line.tied and line.basis != "best" for line in board.lines):
        yield "Tied with the best: not significantly different from it."
    if board.run.record.sample:
        yield f"{board.run.sample_banner}: its figures say nothing about the published set."
    if any(line.submission.run.record.smoke for line in board.lines):
        yield "Smoke runs measure only some of the probes and are no results, so they are not ranked."
    for submission in (line.submission for line in board.lines):
        for doubt in submission.run.doubts:
            yield f"{submission.name} is not confirmed: {doubt}{', so it is not ranked' * submission.run.changed}."
    if any(line.basis == "intervals" for line in board.lines):
        yield "A submission without rows is tied with the best if their 95 % intervals overlap."


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
                "method": line.submission.run.record.label,
                "hallucinated_side": line.submission.run.side,
                "submission": line.submission.name,
                "figure": figure_object(line.figure),
                "tied_best": line.tied,
                "tie_rests_on": line.basis,
                "checked_by_rows": line.submission.checked,
                "smoke": line.submission.run.record.smoke,
                "not_confirmed": list(line.submission.run.doubts),
                "config_digest": line.submission.run.record.config_digest,
                "bench_version": line.submission.run.record.bench_version,
            }
            for line in board.lines
        ],
    }
