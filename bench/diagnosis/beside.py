"""A run against a finished run of the LR face that lies beside it."""

from __future__ import annotations

from pathlib import Path

from bench.diagnosis.below import below_lr_face, is_lr_face, measured_alike
from bench.errors import BenchError
from bench.results import RunResult
from bench.results.folder import RUN_FILE, read_record, read_run

_MOST = 500  # folders that are looked at


def below_beside(result: RunResult, folder: Path) -> str | None:
    """The sentence on a run that is below a finished run of the LR face in a folder beside its own.

    Args:
        result: the run.
        folder: where it lies; the folders beside it are looked at, in the order of their names.

    Returns:
        None where it is not below, says so itself already, or no run beside it is of the LR face and measured alike.
        Folders that cannot be read are passed over.
    """
    if is_lr_face(result.record):
        return None
    try:
        beside = sorted(path.parent for path in folder.absolute().parent.glob(f"*/{RUN_FILE}"))[:_MOST]
    except OSError:
        return None
    for other in beside:
        try:
            record = read_record(other)
            if is_lr_face(record) and measured_alike(result.record, record):
                return below_lr_face(result, read_run(other))
        except BenchError:
            continue
    return None
