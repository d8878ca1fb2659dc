"""A matrix of runs: every protocol with every hallucinator and recogniser, one run folder a cell, one cache for all."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from dataclasses import asdict, replace
from typing import Any

from bench.config import cache_folder
from bench.diagnosis.below import BELOW, below_lr_face, is_lr_face, measured_alike
from bench.errors import BenchError
from bench.faults import explanation
from bench.interfaces import PROTOCOLS
from bench.matrix.cells import Cell, Matrix
from bench.matrix.state import STATE_FILE, CellState, ExperimentState, read_state, write_state
from bench.pipeline.build import build
from bench.registry import Spec
from bench.results import RunRecord
from bench.results.folder import RUN_FILE, read_record, read_run
from bench.results.text import banners
from bench.run.data import draw_once
from bench.run.execute import execute, prepare
from bench.run.text import describe_run
from bench.studies import Study


def run_matrix(matrix: Matrix) -> ExperimentState:
    """Run every cell; an exception in one cell is recorded and does not stop the others.

    ``study.json`` is written after each cell. Finished cells are not run again.

    Returns:
        The state of the cells.

    Raises:
        BenchError: the folder of the experiment cannot be used.
        KeyboardInterrupt: of the user; ``study.json`` has the state so far.
    """
    state = _begin(matrix)
    studies: dict[str, Study] = {}
    said: set[str] = set()
    before = None
    for place, cell in enumerate(matrix.cells):
        config = cell.config
        if before not in (None, config.protocol):
            studies.clear()  # lists of media of large data sets
        before = config.protocol
        title = " / ".join(filter(None, (config.protocol, config.hallucinator, cell.recogniser)))
        print(f"\n[{place + 1} of {len(matrix.cells)}] {title}", file=sys.stderr, flush=True)
        state.cells[place] = _run(cell, state.cells[place], studies, said)
        write_state(matrix.out, state)
    if _find_below(matrix, state):
        write_state(matrix.out, state)
    return state


def _find_below(matrix: Matrix, state: ExperimentState) -> bool:
    """Add a warning to each cell below the LR face of the experiment; returns whether there is any."""
    records = {cell.name: read_record(matrix.out / cell.name) for cell in state.cells if cell.state == "done"}
    found = False
    for place, cell in enumerate(state.cells):
        record = records.get(cell.name)
        if record is None or is_lr_face(record) or any(warning.startswith(BELOW) for warning in cell.warnings):
            continue
        base = next((n for n, o in records.items() if is_lr_face(o) and measured_alike(record, o)), None)
        sentence = below_lr_face(*(read_run(matrix.out / name) for name in (cell.name, base))) if base else None
        if sentence:
            state.cells[place] = replace(cell, warnings=(*cell.warnings, sentence))
            found = True
    return found


def _run(cell: Cell, before: CellState, studies: dict[str, Study], said: set[str]) -> CellState:
    start = time.perf_counter()
    try:
        config = cell.config
        if cell.drawn:
            protocol = build(PROTOCOLS, Spec.parse(config.protocol)).component
            config = replace(config, data_root=draw_once(protocol, cache_folder(config) / "samples"))
        run = prepare(config, studies)
        print(describe_run(run, said), file=sys.stderr, flush=True)
        result, fresh = execute(run, lambda sentence: print(sentence, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # one cell's fault, sys.exit too, must not lose the others
        text = explanation(error) or f"{type(error).__name__}: {error}"
        if not isinstance(error, BenchError) and explanation(error) is None:
            traceback.print_exc(file=sys.stderr)
        print(f"FAILED: {text}", file=sys.stderr, flush=True)
        spent = round(time.perf_counter() - start, 2)
        return replace(
            before, state="failed", error=text, seconds=spent, figure=None, banners=(), official=None, warnings=()
        )
    seconds = round(time.perf_counter() - start, 2) if fresh else before.seconds
    figure = _headline(result.record)
    print(f"done in {seconds} s" if fresh else "kept: it was finished", file=sys.stderr, flush=True)
    return replace(
        before,
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
    """Prepare the folder of the experiment; the state of cells that an earlier call finished is kept."""
    if matrix.out.exists() and (not matrix.out.is_dir() or (matrix.out / RUN_FILE).exists()):
        what = "is a run folder" if matrix.out.is_dir() else "is no folder"
        raise BenchError(f"{matrix.out} {what}, and an experiment needs its own folder. Choose another --out.")
    old = read_state(matrix.out) if (matrix.out / STATE_FILE).exists() else None
    known = {(cell.name, cell.digest): cell for cell in old.cells if cell.state == "done"} if old else {}
    cells = []
    for cell in matrix.cells:
        new = CellState(cell.name, cell.config.protocol, cell.config.hallucinator, cell.recogniser, cell.digest)
        cells.append(known.get((cell.name, cell.digest), new))
    source = None if matrix.source is None else hashlib.sha256(matrix.source).hexdigest()
    state = ExperimentState(matrix.name, matrix.digest, dict(matrix.config), dict(matrix.left_out), cells, source)
    write_state(matrix.out, state, source=matrix.source)
    return state
