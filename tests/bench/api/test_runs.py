"""`bench.run` and `bench.compare`: the figures, files and errors of the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest

import bench as suite
from bench.config import RunConfig
from bench.results.folder import read_run

Bench = Callable[..., tuple[int, str, str]]
TOYS = {"recogniser": "pixels", "progress": False}


def test_a_run_on_the_sample_of_tinyface_has_the_figures_and_rows_of_the_command(bench: Bench, tmp_path: Path) -> None:
    assert bench("run", "--protocol", "tinyface", "--out", tmp_path / "command")[0] == 0
    run = suite.run("tinyface", out=tmp_path / "python", no_cache=True, progress=False)
    command = read_run(tmp_path / "command")
    assert dict(run.figures) == dict(command.record.metrics)
    assert (run.result.probes, run.record.config_digest) == (command.probes, command.record.config_digest)
    assert json.loads(bench("score", run.folder, "--json")[1])["rank-1"] == run.figures["rank-1"].value
    assert run.warnings[0].startswith("SAMPLE DATA")
    assert len(run.probes) == run.figures["rank-1"].n
    assert (run.probes["rank"] == 1).mean() == run.figures["rank-1"].value


def test_a_finished_run_is_read_again_and_equals_the_folder(
    toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    first = suite.run("toys", "counted", data=toy_root, out=tmp_path / "run", **TOYS)
    faces = len(toys.hallucinator.faces)
    again = suite.run("toys", "counted", data=toy_root, out=tmp_path / "run", **TOYS)
    assert len(toys.hallucinator.faces) == faces, "nothing is computed again"
    assert first.figures == again.figures == suite.Run.read(tmp_path / "run").figures
    assert first.folder == tmp_path / "run"


def test_options_are_those_of_the_command_and_are_checked_like_them(
    toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    named = {"protocol", "hallucinator", "data_root", "recogniser", "align", "out"}
    assert set(suite.RunOptions.__annotations__) | named == {field.name for field in fields(RunConfig)}
    run = suite.run("toys", data=toy_root, limit=3, seed=7, out=tmp_path / "run", **TOYS)
    assert (run.record.limit, run.record.seed, run.figures["rank-1"].n) == (3, 7, 3)
    assert run.warnings[0].startswith("SMOKE RUN")
    with pytest.raises(suite.UsageError, match="unknown key 'limitt' .did you mean 'limit'"):
        suite.run("toys", data=toy_root, limitt=3)  # type: ignore[call-arg]
    with pytest.raises(suite.UsageError, match="limit is 0"):
        suite.run("toys", data=toy_root, limit=0)
    with pytest.raises(suite.MissingError):
        suite.run("toys", data=tmp_path / "absent", **TOYS)


@pytest.mark.parametrize("shown", [True, False])
def test_progress_is_shown_unless_it_is_switched_off(
    shown: bool, toys: SimpleNamespace, toy_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite.run("toys", data=toy_root, out=tmp_path / "run", recogniser="pixels", progress=shown)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("embed probe images: 8 of 8" in err) == shown


def test_rows_keep_failures_and_ranks_as_whole_numbers(toys: SimpleNamespace, toy_root: Path, tmp_path: Path) -> None:
    (toy_root / "probe" / "1_0.png").write_bytes(b"no picture")
    run = suite.run("toys", data=toy_root, out=tmp_path / "run", **TOYS)
    rows = run.probes.set_index("key")
    assert str(rows["rank"].dtype) == "Int64"
    assert rows.loc["probe/1_0", "status"] == "failed"
    assert rows["rank"].isna().sum() == 1
    figure = run.figures["rank-1"]
    assert ((rows["rank"] == 1).sum() / len(rows), len(rows)) == (figure.value, figure.n)
    assert run.figures_table.loc["rank-1", "n_without_failures"] == figure.n - 1


def test_a_notebook_shows_figures_and_warnings_as_escaped_html(
    toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    run = suite.run("toys", "counted", data=toy_root, limit=3, out=tmp_path / "a <b> run", **TOYS)
    html = run._repr_html_()
    assert html.index("SMOKE RUN") < html.index("<td>rank-1</td>")
    assert f"{run.figures['rank-1'].value:.2%}" in html
    assert "a &lt;b&gt; run" in html and "<b>" not in html


def test_a_report_is_that_of_the_command(bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path) -> None:
    run = suite.run("toys", "counted", data=toy_root, out=tmp_path / "run", **TOYS)
    page = run.report(tmp_path / "python")
    assert bench("report", run.folder, "--out", tmp_path / "command")[0] == 0
    assert page.read_bytes() == (tmp_path / "command" / "index.html").read_bytes()


def test_a_comparison_is_that_of_the_command(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    lr_face = suite.run("toys", data=toy_root, out=tmp_path / "lr", **TOYS)
    other = suite.run("toys", "counted:gain=0.1", data=toy_root, out=tmp_path / "other", **TOYS)
    comparison = suite.compare(lr_face, tmp_path / "other")
    assert comparison.to_dict() == json.loads(bench("compare", lr_face.folder, other.folder, "--json")[1])
    assert str(comparison) == bench("compare", lr_face.folder, other.folder)[1].rstrip("\n")
    row = comparison.figures.loc["rank-1"]
    assert row["second"] - row["first"] == pytest.approx(row["difference"])
    assert row["second"] == other.figures["rank-1"].value
    assert "hallucinator" in list(comparison.differs["what"])
    assert "rank-1" in comparison._repr_html_()


def test_a_folder_that_holds_another_run_by_now_is_not_compared(
    toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    run = suite.run("toys", data=toy_root, out=tmp_path / "run", **TOYS)
    other = suite.run("toys", "counted", data=toy_root, out=tmp_path / "other", **TOYS)
    replaced = suite.Run(run.folder, other.result)
    with pytest.raises(suite.DataError, match="another run than the one that was given"):
        suite.compare(replaced, other)


def test_a_list_of_components_names_kinds_arguments_and_what_runs_here() -> None:
    table = suite.list("recognizers")
    assert set(table["kind"]) == {"recogniser"} and "sface" in set(table["name"])
    (bicubic,) = suite.list("bicubic").to_dict("records")
    assert bicubic["runs_here"] and "size" in [argument["name"] for argument in bicubic["arguments"]]
    assert set(suite.list()["kind"]) == {"protocol", "hallucinator", "recogniser", "aligner"}
    with pytest.raises(suite.UsageError, match="Did you mean 'sface'"):
        suite.list("sfase")
