"""Chooses the run that another one is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import DataError, UsageError
from reports.runs.groups import comparable, distinct_names
from reports.runs.load import load
from reports.runs.strongest import strongest_notes, strongest_rows
from reports.text.numbers import plain


def choose_reference(references: Sequence[Path], run: Path, *, strongest: bool) -> tuple[Path, list[str]]:
    """The reference of a comparison.

    Args:
        references: run folders; one, unless ``strongest``.
        run: the run folder that is judged.
        strongest: whether to take the strongest run of the LR face with the recogniser of ``run``.

    Returns:
        Its folder, and sentences on how it was chosen.

    Raises:
        UsageError: there are several references without ``strongest``, they are of other protocols or data than the
            run, or none is of the LR face with its recogniser.
        MissingError: a folder does not exist.
        DataError: one is damaged.
    """
    if not strongest:
        if len(references) != 1:
            raise UsageError("Give two run folders; several references need --baseline strongest.")
        return references[0], []
    runs, damaged = load([*references, run])
    if damaged:
        raise DataError(plain(f"{damaged[0].folder_name} cannot be compared. {damaged[0].reason}"))
    judged = next((i for i, one in enumerate(runs) if one.folder.resolve() == run.resolve()), None)
    if judged is None or len(runs) < 2:
        raise UsageError(f"{run} is the only run. Give the runs of the LR face before it.")
    others = [plain(one.folder_name) for one in runs if comparable(one) != comparable(runs[judged])]
    if others:
        raise UsageError(f"Of another protocol or other data than {plain(run.name)}: {', '.join(others)}.")
    best = strongest_rows(runs)[judged]
    if best is None:
        raise UsageError(f"No reference is a run of the LR face with the recogniser of {plain(run.name)}.")
    if best == judged:
        raise UsageError(f"{plain(run.name)} is itself the strongest run of the LR face.")
    chosen = [one for i, one in enumerate(runs) if i != judged]
    notes = strongest_notes(chosen, distinct_names(chosen), only=runs[best])
    return runs[best].folder, [plain(note) for note in notes]
