"""A matrix of runs: every protocol with every hallucinator and recogniser, one folder per cell, one cache for all."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from bench.config import cache_folder
from bench.diagnosis.below import BELOW, below_lr_face, is_lr_face, measured_alike
from bench.errors import BenchError
from bench.evaluation.contract import Prepared
from bench.execution.data import draw_once
from bench.execution.execute import execute, prepare
from bench.execution.text import describe_run
from bench.faults import explanation
from bench.interfaces import PROTOCOLS
from bench.matrix.cells import Cell, Matrix
from bench.matrix.state import STATE_FILE, CellState, ExperimentState, read_state, write_state
from bench.pipeline.build import build
from bench.progress import note
from bench.registry import Spec
from bench.results import RunRecord
from bench.results.folder import RUN_FILE, read_record, read_run
from bench.results.text import banners
from bench.studies import Study


def run_matrix(matrix: Matrix) -> ExperimentState:
    """Run every cell; an exception in one cell is recorded and does not stop the others.

    ``study.json`` is written after each cell. Finished cells are not run again.

    Returns:
        The state of the cells.

    Raises:
        BenchError: the folder of the experiment cannot be used.
        KeyboardInterrupt: the user interrupts; ``study.json`` has the state so far.
    """
    state = _begin(matrix)
    studies: dict[str, Study] = {}
    printed_notes: set[str] = set()
    previous_protocol = None
    for index, cell in enumerate(matrix.cells):
        config = cell.config
        if previous_protocol not in (None, config.protocol):
            studies.clear()  # lists of media of large data sets
        previous_protocol = config.protocol
        title = " / ".join(filter(None, (config.protocol, cell.hallucinator, cell.recogniser)))
        note(f"\n[{index + 1} of {len(matrix.cells)}] {title}")
        state.cells[index] = _run(cell, state.cells[index], studies, printed_notes)
        write_state(matrix.out, state)
    if _find_below(matrix, state):
        write_state(matrix.out, state)
    return state


def prepare_cells(matrix: Matrix) -> Iterator[Prepared]:
    """Every cell, prepared one after the other; nothing is run.

    Raises:
        BenchError: a cell cannot run.
    """
    studies: dict[str, Study] = {}
    for cell in matrix.cells:
        yield _prepare(cell, studies)


def _prepare(cell: Cell, studies: dict[str, Study]) -> Prepared:
    config = cell.config
    if cell.drawn:
        protocol = build(PROTOCOLS, Spec.parse(config.protocol)).component
        config = replace(config, data_root=draw_once(protocol, cache_folder(config) / "samples"))
    return prepare(config, studies)


def _find_below(matrix: Matrix, state: ExperimentState) -> bool:
    """Add a warning to each cell below the LR face of the experiment; returns whether there is any."""
    records = {cell.name: read_record(matrix.out / cell.name) for cell in state.cells if cell.state == "done"}
    has_warning = False
    for index, cell in enumerate(state.cells):
        record = records.get(cell.name)
        if record is None or is_lr_face(record) or any(warning.startswith(BELOW) for warning in cell.warnings):
            continue
        base = next((n for n, o in records.items() if is_lr_face(o) and measured_alike(record, o)), None)
        sentence = below_lr_face(*(read_run(matrix.out / name) for name in (cell.name, base))) if base else None
        if sentence:
            state.cells[index] = replace(cell, warnings=(*cell.warnings, sentence))
            has_warning = True
    return has_warning


def _run(cell: Cell, previous: CellState, studies: dict[str, Study], printed_notes: set[str]) -> CellState:
    start = time.perf_counter()
    try:
        run = _prepare(cell, studies)
        note(describe_run(run, printed_notes))
        result, fresh = execute(run, note)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # a fault of one cell, also sys.exit, must not stop the others
        text = explanation(error) or f"{type(error).__name__}: {error}"
        if not isinstance(error, BenchError) and explanation(error) is None:
            traceback.print_exc(file=sys.stderr)
        print(f"FAILED: {text}", file=sys.stderr, flush=True)
        duration_s = round(time.perf_counter() - start, 2)
        return replace(
            previous,
            state="failed",
            error=text,
            seconds=duration_s,
            figure=None,
            banners=(),
            official=None,
            warnings=(),
        )
    seconds = round(time.perf_counter() - start, 2) if fresh else previous.seconds
    figure = _headline(result.record)
    note(f"done in {seconds} s" if fresh else "kept: it was already finished")
    return replace(
        previous,
        state="done",
        error=None,
        seconds=seconds,
        figure=figure,
        banners=tuple(banners(result.record)),
        official=result.record.data["official"],
        warnings=result.record.warnings,
    )


def _headline(record: RunRecord) -> dict[str, Any] | None:
    """The first figure, with its name."""
    return next(({"name": name, **asdict(figure)} for name, figure in record.metrics.items()), None)


def _begin(matrix: Matrix) -> ExperimentState:
    """Prepare the folder of the experiment; finished cells of an earlier call keep their state."""
    if matrix.out.exists() and (not matrix.out.is_dir() or (matrix.out / RUN_FILE).exists()):
        obstacle = "is a run folder" if matrix.out.is_dir() else "is not a folder"
        raise BenchError(f"{matrix.out} {obstacle}, and an experiment needs its own folder. Choose another --out.")
    earlier = read_state(matrix.out) if (matrix.out / STATE_FILE).exists() else None
    finished = {(cell.name, cell.digest): cell for cell in earlier.cells if cell.state == "done"} if earlier else {}
    cells = []
    for cell in matrix.cells:
        new = CellState(cell.name, cell.config.protocol, cell.hallucinator, cell.recogniser, cell.digest)
        cells.append(finished.get((cell.name, cell.digest), new))
    source = None if matrix.source is None else hashlib.sha256(matrix.source).hexdigest()
    state = ExperimentState(matrix.name, matrix.digest, dict(matrix.config), dict(matrix.left_out), cells, source)
    write_state(matrix.out, state, source=matrix.source)
    return state
