"""The run folders below a folder, one line each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.errors import BenchError, MissingError
from bench.execution.text import figure_name, interval_text, worded
from bench.io.columns import align_columns
from bench.results.folder import RUN_FILE
from reports.runs.load import read_one
from reports.runs.run import Run

_COLUMNS = ("run", "protocol", "hallucinator", "recogniser", "figure", "value", "95 % interval", "n", "data", "created")
_RIGHT = [_COLUMNS.index(name) for name in ("value", "n")]
_DATA = {True: "official", False: "not official", None: "none published"}


@dataclass(frozen=True, slots=True)
class UnreadableRun:
    """A run folder that cannot be read, relative to the folder that was searched, and the reason."""

    folder: str
    reason: str


def find_runs(folder: Path) -> tuple[list[tuple[str, Run]], list[UnreadableRun]]:
    """Read every run folder in a folder and below it; links to folders are not followed, nor run folders entered.

    Returns:
        The runs with their paths relative to ``folder``, the oldest first; and those that are damaged.

    Raises:
        MissingError: the folder does not exist, or there is no run in it.
    """
    if not folder.is_dir():
        raise MissingError(f"There is no folder {folder}. Give the folder that holds the run folders.")
    runs: list[tuple[str, Run]] = []
    skipped = []
    for path in _run_folders(folder):
        name = path.relative_to(folder).as_posix()
        try:
            runs.append((folder.name if name == "." else name, read_one(path)))
        except BenchError as error:
            skipped.append(UnreadableRun(name, str(error)))
    if not runs and not skipped:
        raise MissingError(f"No run in {folder}: no folder in it has a {RUN_FILE}.")
    return sorted(runs, key=lambda item: (item[1].record.created, item[0])), skipped


def to_lines(runs: Sequence[tuple[str, Run]], skipped: Sequence[UnreadableRun]) -> list[str]:
    """A table of runs as text, then the damaged ones."""
    rows = [_COLUMNS, *(_row(name, run) for name, run in runs)]
    lines = align_columns(rows, right=_RIGHT, indent=0) if runs else []
    return [*lines, *(f"damaged: {item.folder}: {item.reason}" for item in skipped)]


def to_objects(runs: Sequence[tuple[str, Run]], skipped: Sequence[UnreadableRun]) -> dict[str, object]:
    """The same for JSON, with all figures, unrounded."""
    return {
        "format": "face-hallucination-bench runs",
        "version": 1,
        "runs": [
            {
                "folder": name,
                "protocol": run.record.protocol["name"],
                "hallucinator": run.record.label,
                "recogniser": run.recogniser or None,
                "created": run.record.created,
                "smoke": run.record.smoke,
                "sample": run.record.sample,
                "official": run.record.data["official"],
                "not_confirmed": list(run.doubts),
                "figures": {name: asdict(figure) for name, figure in run.record.metrics.items()},
            }
            for name, run in runs
        ],
        "damaged": [asdict(item) for item in skipped],
    }


def _row(name: str, run: Run) -> tuple[str, ...]:
    record = run.record
    first = next(iter(record.metrics.items()), None)
    marks = [word for word, holds in (("SMOKE", record.smoke), ("SAMPLE", record.sample)) if holds]
    marks += ["NOT CONFIRMED"] if run.doubts else []
    figure = ("none", "", "", "")
    if first is not None:
        values = first[1]
        figure = (figure_name(first[0]), worded(values.value, values.unit), interval_text(values), f"{values.n:,}")
    head = (name, record.protocol["name"], record.label, run.recogniser or "(none)")
    return (*head, *figure, " ".join(marks) or _DATA[record.data["official"]], record.created)


def _run_folders(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        if RUN_FILE in files:
            folders.clear()
            yield Path(path)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
