"""``bench runs``: run folders in a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runs(bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    common = ("run", "--protocol", "toys", "--data-root", toy_root, "--recogniser", "pixels")
    assert bench(*common, "--out", folder / "full")[0] == 0
    assert bench(*common, "--limit", 3, "--out", folder / "below" / "smoke")[0] == 0
    return folder


def test_runs_are_listed_with_their_first_figure_and_kind_of_data(bench: Bench, runs: Path) -> None:
    code, out, _ = bench("runs", runs)
    head, *lines = out.splitlines()
    assert code == 0 and head.split()[:2] == ["run", "protocol"]
    by_name = {line.split()[0]: line for line in lines}
    assert set(by_name) == {"full", "below/smoke"}
    assert "SMOKE" in by_name["below/smoke"] and "SMOKE" not in by_name["full"]
    rank_1 = json.loads(bench("score", runs / "full", "--json")[1])["rank-1"]
    assert f"rank-1 {rank_1:.2%}" in " ".join(by_name["full"].split())


def test_json_has_all_figures_unrounded(bench: Bench, runs: Path) -> None:
    listed = json.loads(bench("runs", runs, "--json")[1])
    record = json.loads((runs / "full" / "run.json").read_text(encoding="utf-8"))
    (full,) = [run for run in listed["runs"] if run["folder"] == "full"]
    assert full["figures"] == record["metrics"]
    assert listed["damaged"] == []


def test_a_damaged_run_is_named_and_the_others_are_listed(bench: Bench, runs: Path) -> None:
    (runs / "below" / "smoke" / "run.json").write_text("{", encoding="utf-8")
    code, out, _ = bench("runs", runs)
    assert code == 1
    assert "damaged: below/smoke: " in out and "\nfull " in out


def test_a_folder_without_runs_is_an_error(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, message in (("empty", "No run in"), ("absent", "There is no folder")):
        code, _, err = bench("runs", tmp_path / folder)
        assert code == 3 and message in err
