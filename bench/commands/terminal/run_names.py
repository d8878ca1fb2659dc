"""Run folders as users write them: ``RUN``, ``NAME=RUN``, or the folder of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.grammar.labels import label_fault
from bench.matrix.state import STATE_FILE, read_state
from bench.results.folder import RUN_FILE


def split_names(texts: Sequence[str]) -> tuple[list[Path], dict[Path, str]]:
    """Separate names from run folders.

    The text before the first ``=`` is a name, unless the whole text is a folder or a part of the path with a slash
    stands before it: default names of run folders have ``=`` themselves.

    Returns:
        The folders in order, and the names by folder.

    Raises:
        UsageError: a name cannot be one, or two runs have the same name.
    """
    folders: list[Path] = []
    names: dict[Path, str] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or "/" in name or not rest or Path(text).is_dir():
            folders.append(Path(text))
            continue
        fault = label_fault(name)
        if fault:
            raise UsageError(f"{text}: {fault}.")
        if name in names.values() and names.get(Path(rest)) != name:
            raise UsageError(f"Two runs are named {name!r}.")
        folders.append(Path(rest))
        names[Path(rest)] = name
    return folders, names


def finished_cells(folders: Sequence[Path]) -> list[Path]:
    """The same folders, with the run folders of its finished cells in place of an experiment.

    Raises:
        DataError: the state of an experiment is damaged.
        UsageError: no cell of an experiment is finished.
    """
    runs: list[Path] = []
    for folder in folders:
        if (folder / RUN_FILE).exists() or not (folder / STATE_FILE).is_file():
            runs.append(folder)
            continue
        done = [folder / cell.name for cell in read_state(folder).cells if cell.state == "done"]
        if not done:
            raise UsageError(f"No cell of the experiment {folder} is finished, so there is nothing to report.")
        runs += done
    return runs
