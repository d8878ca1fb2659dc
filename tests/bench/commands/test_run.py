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


def test_a_label_names_the_run_in_reports_and_comparisons_and_changes_nothing_else(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    named = json.loads(
        run(bench, toy_root, tmp_path / "a", "--hallucinator", "counted", "--label", "ours", "--json")[1]
    )
    plain = json.loads(run(bench, toy_root, tmp_path / "b", "--hallucinator", "counted", "--json")[1])
    assert named["figures"] == plain["figures"]
    code, out, _ = bench("compare", tmp_path / "a", f"theirs={tmp_path / 'b'}")
    assert code == 0 and "first   ours" in out and "second  theirs" in out
    assert "Nothing differs in configuration" in out
    assert bench("report", tmp_path / "a", f"theirs={tmp_path / 'b'}", "--out", tmp_path / "report")[0] == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in report["sections"][0]["runs"]] == ["ours", "theirs"]
    assert {entry["record"]["label"] for entry in report["sections"][0]["runs"]} == {"counted"}


def test_another_label_does_not_repeat_a_finished_run(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    run(bench, toy_root, tmp_path / "run", "--label", "ours")
    code, _, err = run(bench, toy_root, tmp_path / "run", "--label", "mine")
    assert code == 0 and "The finished run keeps its label (ours)" in err and "Nothing to do" in err


def test_a_label_that_cannot_be_one_and_a_label_for_several_runs_are_errors(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    assert run(bench, toy_root, tmp_path / "run", "--label", "strongest")[::2] == (
        2,
        "bench: Cannot run: label: 'strongest' has a meaning of its own in reports; choose another name.\n",
    )
    code, _, err = run(bench, toy_root, tmp_path / "run", "--label", "x", "--hallucinator", "none,counted")
    assert code == 2 and "label names one run" in err


def test_a_dry_run_counts_images_and_times_a_few_and_writes_no_run(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    options = ("--hallucinator", "counted", "--dry-run")
    code, out, _ = run(bench, toy_root, tmp_path / "run", *options)
    assert code == 0 and "probe:       8 images, 0.0" in out and "about 0 s if nothing is in the cache" in out
    (dry,) = json.loads(run(bench, toy_root, tmp_path / "run", *options, "--json")[1])["runs"]
    assert (dry["state"], dry["images"]) == ("new", {"probe": 8, "gallery": 8})
    assert dry["seconds"] == sum(8 * seconds for seconds in dry["seconds_each"].values()) > 0
    assert not (tmp_path / "run").exists()
    run(bench, toy_root, tmp_path / "run", "--hallucinator", "counted")
    faces = len(toys.hallucinator.faces)
    assert "Nothing would be computed." in run(bench, toy_root, tmp_path / "run", *options)[1]
    assert len(toys.hallucinator.faces) == faces


def test_a_dry_run_of_an_experiment_covers_every_cell(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    both = ("--hallucinator", "none,counted:gain=0.9", "--dry-run")
    code, out, _ = run(bench, toy_root, tmp_path / "all", *both)
    assert code == 0 and out.count("would be written") == 2 and out.count("probe:") == 2
    assert len(json.loads(run(bench, toy_root, tmp_path / "all", *both, "--json")[1])["runs"]) == 2
    assert not (tmp_path / "all").exists()


def test_a_dry_run_reports_what_the_run_would(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    assert run(bench, tmp_path / "absent", tmp_path / "run", "--dry-run")[0] == 3
    run(bench, toy_root, tmp_path / "run")
    code, _, err = run(bench, toy_root, tmp_path / "run", "--seed", 5, "--dry-run")
    assert code == 1 and "holds a run of another configuration" in err


def test_a_verbose_run_prints_stages_and_times(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    code, out, err = run(bench, toy_root, tmp_path / "run", "--hallucinator", "counted:gain=0.5", "-v")
    words = " ".join(err.split())
    assert code == 0 and "gain=0.5" in words and "probe hallucinate counted version" in words
    assert "embed (gallery) 8" in words
    assert "embed (gallery)" not in out


def test_the_report_of_an_experiment_is_that_of_its_run_folders(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    _, _, err = run(bench, toy_root, tmp_path / "all", "--hallucinator", "none,counted:gain=0.9")
    assert f"bench report {tmp_path / 'all'} --out report" in err
    assert bench("report", tmp_path / "all", "--out", tmp_path / "one")[0] == 0
    state = json.loads((tmp_path / "all" / "study.json").read_text(encoding="utf-8"))
    folders = [tmp_path / "all" / cell["name"] for cell in state["cells"]]
    assert bench("report", *folders, "--out", tmp_path / "two")[0] == 0
    assert (tmp_path / "one" / "index.html").read_bytes() == (tmp_path / "two" / "index.html").read_bytes()
