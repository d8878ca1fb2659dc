"""``study.json``: the state of the cells of an experiment. The file has an older name for an experiment."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench import __version__
from bench.errors import DataError, MissingError
from bench.io.atomic import explain_os_errors, write_file
from bench.io.strictfiles import read_json, shorten
from bench.io.typed import as_type
from bench.results.folder import dump_json

STATE_FILE, SOURCE_FILE = "study.json", "study.toml"
STATE_VERSION = 1


@dataclass(frozen=True)
class CellState:
    """The state of a cell.

    Attributes:
        name: of its run folder in that of the experiment.
        protocol: as the user wrote it.
        hallucinator: likewise.
        recogniser: likewise; empty where figures depend on none.
        digest: of its configuration.
        state: ``waiting``, ``done`` or ``failed``.
        figure: the first figure of its run: ``name`` and the fields of `Figure`.
        seconds: duration, or None where the run was already finished.
        error: class and message of the exception.
        banners: to show above its figure.
        warnings: to show beside its figures.
        official: whether its data are the published set; None where the cell failed, or no set is published.
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
class ExperimentState:
    """The state of an experiment.

    Attributes:
        name: of the experiment.
        digest: of the configurations of all cells.
        config: lists, options, data and exceptions of the user.
        left_out: protocols of ``all`` that cannot run, and why.
        cells: in the order in which they run.
        source_sha256: of the experiment file, of which ``study.toml`` is a copy; None without such a file.
    """

    name: str
    digest: str
    config: dict[str, Any]
    left_out: dict[str, str] = field(default_factory=dict)
    cells: list[CellState] = field(default_factory=list)
    source_sha256: str | None = None


def write_state(folder: Path, state: ExperimentState, *, source: bytes | None = None) -> None:
    """Write ``study.json`` in one step, and a copy of the experiment file where there is one.

    Raises:
        BenchError: the folder cannot be written.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    head = {"schema_version": STATE_VERSION, "what": "study", "bench_version": __version__, "written": now}
    with explain_os_errors(f"Cannot write the experiment to {folder}"):
        if source is not None:
            write_file(folder / SOURCE_FILE, source)
        write_file(folder / STATE_FILE, dump_json({**head, **asdict(state)}))


def read_state(folder: Path) -> ExperimentState:
    """Read ``study.json``.

    Raises:
        MissingError: there is none.
        DataError: it is damaged or of another schema version.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise MissingError(f"No experiment in {folder}: {STATE_FILE} is missing.")
    try:
        raw = read_json(path)
        version = raw["schema_version"]
        state = as_type(ExperimentState, raw) if version == STATE_VERSION else None
    except (DataError, ValueError, KeyError, TypeError) as error:
        fault = str(error) if isinstance(error, DataError) else f"{path} is damaged ({type(error).__name__}: {error})."
        raise DataError(f"{fault} Delete it and repeat the command: finished run folders are kept.") from error
    if state is None:
        raise DataError(
            f"{path} has schema version {shorten(version)}; this bench reads {STATE_VERSION}. Choose another --out."
        )
    return state
