"""Run folders as users write them: ``RUN`` or ``NAME=RUN``."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.commands.terminal.run_names import finished_cells, split_names
from bench.errors import UsageError
from bench.matrix.state import CellState, ExperimentState, write_state


def test_a_name_stands_before_the_folder() -> None:
    folders, names = split_names(["ours=runs/a", "runs/b", "LR face=c"])
    assert folders == [Path("runs/a"), Path("runs/b"), Path("c")]
    assert names == {Path("runs/a"): "ours", Path("c"): "LR face"}


def test_a_folder_whose_own_name_has_an_equals_sign_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bicubic-size=32").mkdir()
    assert split_names(["bicubic-size=32", "runs/x-size=64"]) == ([Path("bicubic-size=32"), Path("runs/x-size=64")], {})
    assert split_names(["big=bicubic-size=32"]) == ([Path("bicubic-size=32")], {Path("bicubic-size=32"): "big"})


def test_names_with_another_meaning_and_names_of_two_runs_are_errors() -> None:
    with pytest.raises(UsageError, match="none=runs/a: 'none' has a meaning of its own"):
        split_names(["none=runs/a"])
    with pytest.raises(UsageError, match="Two runs are named 'ours'"):
        split_names(["ours=runs/a", "ours=runs/b"])


def test_an_experiment_stands_for_its_finished_cells(tmp_path: Path) -> None:
    cells = [CellState(name, "toys", "none", "pixels", name, state) for name, state in (("a", "done"), ("b", "failed"))]
    (tmp_path / "all").mkdir()
    write_state(tmp_path / "all", ExperimentState("all", "digest", {}, {}, cells))
    assert finished_cells([tmp_path / "run", tmp_path / "all"]) == [tmp_path / "run", tmp_path / "all" / "a"]
    write_state(tmp_path / "all", ExperimentState("all", "digest", {}, {}, cells[1:]))
    with pytest.raises(UsageError, match="No cell of the experiment"):
        finished_cells([tmp_path / "all"])
