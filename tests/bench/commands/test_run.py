"""What `bench run` prints, by its options."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

Bench = Callable[..., tuple[int, str, str]]


def run(bench: Bench, root: Path, out: Path, *more: object) -> tuple[int, str, str]:
    return bench("run", "--protocol", "toys", "--data-root", root, "--recogniser", "pixels", "--out", out, *more)


def test_json_has_the_figures_of_score_and_says_whether_they_were_computed(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    code, out, _ = run(bench, toy_root, tmp_path / "run", "--json")
    first = json.loads(out)
    assert (code, first["computed"], first["folder"]) == (0, True, str(tmp_path / "run"))
    scored = json.loads(bench("score", tmp_path / "run", "--json")[1])
    assert {key: scored[key] for key in first["figures"] if key != "official"} == {
        key: value for key, value in first["figures"].items() if key != "official"
    }, "toys have no published set, so score does not confirm that they are official"
    again = json.loads(run(bench, toy_root, tmp_path / "run", "--json")[1])
    assert again == {**first, "computed": False}


def test_json_of_an_experiment_has_every_cell(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    code, out, _ = run(
        bench, toy_root, tmp_path / "all", "--hallucinator", "none", "--hallucinator", "counted:broken=true", "--json"
    )
    experiment = json.loads(out)
    assert (code, experiment["finished"]) == (1, False)
    done, failed = experiment["cells"]
    assert (done["state"], failed["state"]) == ("done", "failed")
    score = json.loads(bench("score", done["name"], "--json")[1])
    assert done["figure"]["value"] == score[done["figure"]["name"]]
    assert "hallucinate: raised RuntimeError" in failed["error"]


def test_a_quiet_run_prints_figures_and_no_progress_or_notes(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    loud = run(bench, toy_root, tmp_path / "loud")
    quiet = run(bench, toy_root, tmp_path / "quiet", "-q")
    assert loud[1] == quiet[1] and "rank-1" in quiet[1]
    assert "embed probe images" in loud[2] and "Written to" in loud[2]
    assert quiet[2] == ""
    code, out, err = run(bench, toy_root, tmp_path / "two", "--hallucinator", "none,counted:gain=0.9", "--quiet")
    assert (code, err) == (0, "") and "2 of 2 cells finished" in out


def test_a_quiet_run_still_reports_its_errors(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    code, _, err = run(bench, toy_root, tmp_path / "run", "--quiet", "--hallucinator", "counted:broken=true")
    assert code == 1 and err.startswith("bench: None of 8 probes could be scored")
