"""The table printed at the end of an experiment: every cell with its first figure, or its error."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from bench.execution.text import figure_name, worded
from bench.io.columns import align_columns
from bench.matrix.state import CellState, ExperimentState
from bench.results.text import print_line

_COLUMNS = ("protocol", "hallucinator", "recogniser", "figure", "value", "95 % interval", "data", "seconds")
_RIGHT = [_COLUMNS.index(name) for name in ("value", "seconds")]
_OFFICIAL = {True: "official", False: "not official", None: "none published"}
"""Whether data are the published set."""


def print_experiment(state: ExperimentState, out: Path) -> None:
    """Print the table of an experiment."""
    for banner in dict.fromkeys(banner for cell in state.cells for banner in cell.banners):
        print_line(f"*** {banner} ***")
    done = sum(cell.state == "done" for cell in state.cells)
    print_line(f"\nexperiment {state.name}: {done} of {len(state.cells)} cells finished ({out})")
    for line in align_columns([_COLUMNS, *(_row(cell) for cell in state.cells)], right=_RIGHT):
        print_line(line)
    warned: dict[str, list[str]] = {}
    for cell in state.cells:
        for warning in cell.warnings:
            warned.setdefault(warning, []).append(_name(cell))
    for warning, names in warned.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print_line(f"  warning: {warning} ({names[0]}{more})")
    failed = [cell for cell in state.cells if cell.state == "failed"]
    if failed:
        print_line("failed:")
    for cell in failed:
        print_line(f"  {_name(cell)}")
        for line in (cell.error or "").splitlines():
            print_line(f"    {line}")
    for name, reason in state.left_out.items():
        print_line(f"left out: {name}: {reason.splitlines()[0]}")
    print_line()


def experiment_object(state: ExperimentState, out: Path) -> dict[str, object]:
    """The state of an experiment for JSON: every cell with its first figure, unrounded, or its error."""
    return {
        "format": "face-hallucination-bench run",
        "version": 1,
        "experiment": state.name,
        "folder": str(out),
        "finished": all(cell.state == "done" for cell in state.cells),
        "cells": [{**asdict(cell), "name": str(out / cell.name)} for cell in state.cells],
        "left_out": dict(state.left_out),
    }


def _name(cell: CellState) -> str:
    return " / ".join(filter(None, (cell.protocol, cell.hallucinator, cell.recogniser)))


def _row(cell: CellState) -> tuple[str, ...]:
    head = (cell.protocol, cell.hallucinator, cell.recogniser or "(none)")
    seconds = "" if cell.seconds is None else f"{cell.seconds:.1f}"
    figure = cell.figure
    if figure is None:
        return (*head, {"failed": "FAILED", "waiting": "not run"}.get(cell.state, "none"), "", "", "", seconds)
    unit = figure["unit"]
    interval = "none"
    if figure["low"] is not None and figure["high"] is not None:
        interval = f"{worded(figure['low'], unit)} - {worded(figure['high'], unit)}"
    return (*head, figure_name(figure["name"]), worded(figure["value"], unit), interval, _data(cell), seconds)


def _data(cell: CellState) -> str:
    marks = [mark for mark in ("SMOKE", "SAMPLE") if any(banner.startswith(mark) for banner in cell.banners)]
    return " ".join(marks) or _OFFICIAL[cell.official]
