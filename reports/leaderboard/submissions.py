"""Reads a folder of submissions: one folder for each, which holds a run folder, several, or a ``report.json``.

Damaged submissions, and those that mix protocols or data, are left out and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, DataError, MissingError
from bench.execution.standing import believed, standing_of
from bench.io.strictfiles import read_json, shorten
from bench.results import SCHEMA_VERSION, RunResult
from bench.results.folder import RUN_FILE, record_from_json
from reports.page.to_json import FORMAT, VERSION
from reports.runs.groups import comparable
from reports.runs.load import read_one
from reports.runs.run import Run, Skipped
from reports.text.numbers import plain

REPORT_FILE = "report.json"


@dataclass(frozen=True, slots=True)
class Submission:
    """One submitted run.

    Attributes:
        name: the folder of the submission, and the run folder where it holds several.
        run: the run; without rows where a ``report.json`` was submitted.
        checked: whether its figures were checked against its rows.
    """

    name: str
    run: Run
    checked: bool


def read_submissions(folder: Path) -> tuple[list[Submission], list[Skipped]]:
    """Read a folder of submissions, in the order of their names.

    Returns:
        The submitted runs, and the submissions left out with the reason.

    Raises:
        MissingError: there is no such folder.
        DataError: no submission can be used.
    """
    if not folder.is_dir():
        raise MissingError(f"No folder {folder}. Give a folder that holds one folder for each submission.")
    submissions: list[Submission] = []
    skipped: list[Skipped] = []
    for place in _folders(folder):
        try:
            parts = list(_parts(place))
        except OSError as error:
            skipped.append(Skipped(place.name, f"It cannot be read ({error.strerror})."))
            continue
        for name, read in parts:
            try:
                submissions += _read(name, read)
            except BenchError as error:
                skipped.append(Skipped(name, str(error).replace(str(read), read.name)))
            except Exception as error:  # a damaged submission must not stop the others
                skipped.append(Skipped(name, f"It cannot be read ({type(error).__name__}: {shorten(error)})."))
    if not submissions:
        listed = plain("; ".join(f"{item.folder_name}: {item.reason}" for item in skipped[:5]))
        raise DataError(f"No submission in {folder} can be used. {listed or 'It holds no folder.'}")
    return submissions, skipped


def _folders(folder: Path) -> list[Path]:
    return sorted((p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")), key=lambda p: p.name)


def _parts(place: Path) -> Iterable[tuple[str, Path]]:
    """The folders of a submission to read, with their names: itself, or the run folders in it."""
    inner_folders = [] if any((place / name).exists() for name in (RUN_FILE, REPORT_FILE)) else _folders(place)
    runs = [path for path in inner_folders if (path / RUN_FILE).exists()]
    return [(f"{place.name}/{path.name}", path) for path in runs] or [(place.name, place)]


def _read(name: str, folder: Path) -> list[Submission]:
    links = [path.name for path in (folder, *folder.iterdir()) if path.is_symlink()]
    if links:
        raise DataError(f"{links[0]} is a link. Submit the files themselves.")
    run, report = folder / RUN_FILE, folder / REPORT_FILE
    if run.exists() and report.exists():
        raise DataError(f"It holds {RUN_FILE} and {REPORT_FILE}, so it is unclear which one is submitted. Keep one.")
    if run.exists():
        return [Submission(name, read_one(folder), True)]
    if report.exists():
        return [Submission(name, one, False) for one in _runs_of(report)]
    raise DataError(f"It holds neither {RUN_FILE} nor {REPORT_FILE}, nor run folders.")


def _runs_of(path: Path) -> list[Run]:
    try:
        raw = read_json(path)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise DataError(f"{REPORT_FILE} is no report of `bench report`: its format is not {FORMAT!r}.")
        if raw.get("version") != VERSION:
            raise DataError(
                f"{REPORT_FILE} has version {shorten(repr(raw.get('version')))}; this bench reads version {VERSION}."
            )
        runs = [run for section in raw["sections"] for run in _section(path.parent, section)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{REPORT_FILE} is damaged ({type(error).__name__}: {shorten(error)}). Write it again."
        ) from error
    if not runs:
        raise DataError(f"{REPORT_FILE} holds no run.")
    return runs


def _section(folder: Path, section: Mapping[str, Any]) -> list[Run]:
    runs = [_run(folder, entry["record"]) for entry in section["runs"]]
    for run in runs[1:]:
        one, other = comparable(runs[0]), comparable(run)
        unequal = [key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]
        if unequal:
            raise DataError(f"{REPORT_FILE} mixes runs in one section that differ in {', '.join(unequal[:5])}.")
    return runs


def _run(folder: Path, raw: Mapping[str, Any]) -> Run:
    from reports.runs.schema import record_faults  # it imports pydantic, which takes 0.1 s

    version = raw["schema_version"]
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{REPORT_FILE} holds a run of schema version {shorten(repr(version))}; this bench reads {SCHEMA_VERSION}."
        )
    record = record_from_json(raw)
    if faults := record_faults(record):
        raise DataError(f"{REPORT_FILE} is damaged: {'; '.join(faults[:5])}. Write it again.")
    result = RunResult(record, (), ())
    standing = standing_of(result, rows=False)
    return Run(folder, believed(result, standing).record, (), doubts=standing.doubts, changed=standing.changed)
