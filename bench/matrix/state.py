"""``study.json``: what became of the cells of a study."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench import __version__
from bench.errors import DataError, MissingError
from bench.io.atomic import explain_os_errors, write_file
from bench.io.strictfiles import read_json, shown
from bench.io.typed import as_type
from bench.results.folder import dump_json

STUDY_FILE, SOURCE_FILE = "study.json", "study.toml"
STUDY_VERSION = 1


@dataclass(frozen=True)
class CellState:
    """A cell and what became of it.

    Attributes:
        name: of its run folder in the study's.
        protocol: as asked.
        hallucinator: likewise.
        recogniser: likewise; empty where figures depend on none.
        digest: of its configuration.
        state: ``waiting``, ``done`` or ``failed``.
        figure: the first figure of its run: ``name`` and the fields of `Figure`.
        seconds: it took, or None where it was found finished.
        error: class and text of what it raised.
        banners: what must stand above its figure.
        warnings: what stands beside its figures.
        official: whether its data are the published set; None where it has not worked, or no set is published.
    """

    name: str
    protocol: str
    hallucinator: str
    recogniser: str
    digest: str
    state: Literal["waiting", "done", "failed"] = "waiting"
    figure: Mapping[str, Any] | None = None
    seconds: float | None = None
    error: str | None = None
    banners: tuple[str, ...] = ()
    official: bool | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class StudyState:
    """A study and its cells.

    Attributes:
        name: of the study.
        digest: of all that it is asked to compute.
        config: what was asked.
        left_out: protocols of ``all`` that cannot run, and why.
        cells: in the order in which they run.
        source_sha256: of the study file, which lies beside as ``study.toml``; None where flags made the study.
    """

    name: str
    digest: str
    config: dict[str, Any]
    left_out: dict[str, str] = field(default_factory=dict)
    cells: list[CellState] = field(default_factory=list)
    source_sha256: str | None = None


def write_state(folder: Path, state: StudyState, *, source: bytes | None = None) -> None:
    """Write ``study.json`` in one step, and the study file where there is one.

    Raises:
        BenchError: the folder cannot be written.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    head = {"schema_version": STUDY_VERSION, "what": "study", "bench_version": __version__, "written": now}
    with explain_os_errors(f"Cannot write the study to {folder}"):
        if source is not None:
            write_file(folder / SOURCE_FILE, source)
        write_file(folder / STUDY_FILE, dump_json({**head, **asdict(state)}))


def read_state(folder: Path) -> StudyState:
    """Read ``study.json``.

    Raises:
        MissingError: there is none.
        DataError: it is damaged or of another schema version.
    """
    path = folder / STUDY_FILE
    if not path.exists():
        raise MissingError(f"No study in {folder}: {STUDY_FILE} is not there.")
    try:
        raw = read_json(path)
        version = raw["schema_version"]
        state = as_type(StudyState, raw) if version == STUDY_VERSION else None
    except (DataError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({error}). Delete it and give the same command again: finished run folders are kept."
        ) from error
    if state is None:
        raise DataError(
            f"{path} has schema version {shown(version)}; this bench reads {STUDY_VERSION}. Choose another --out."
        )
    return state
