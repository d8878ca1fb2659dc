"""Submitted results to ranked tables: what is left out by name, what is never ranked, ties, hostile names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reports
from bench.__main__ import main
from bench.errors import DataError, MissingError, UsageError
from bench.results.folder import read_run, write_run
from reports.leaderboard.board import Board, make_boards
from reports.leaderboard.submissions import read_submissions
from reports.leaderboard.text import to_lines, to_markdown, to_object

Submit = Callable[..., Path]
OFFICIAL = {"official": True}


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn runs have the published number of distractors; test_standing tests other numbers."""
    monkeypatch.setattr("bench.execution.standing.published_counts", lambda rules: {"distractor": 1234})


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


@pytest.fixture
def submit(make_run: Any, results: Path) -> Submit:
    """Submit a run folder, or with ``report=True`` its report.json alone."""

    def put(name: str, *, report: bool = False, **fields: Any) -> Path:
        folder = make_run(name.replace("/", "-"), **{"images": False, "data": OFFICIAL, **fields})
        if report:
            reports.build([folder], results.parent / "report")
            (results / name).mkdir(parents=True)
            shutil.copy(results.parent / "report" / "report.json", results / name / "report.json")
            return results / name
        return shutil.copytree(folder, results / name)

    return put


def boards_of(results: Path, figure: str | None = None) -> list[Board]:
    return make_boards(read_submissions(results)[0], figure)


def placed(board: Board) -> list[tuple[int | None, str, bool]]:
    return [(line.place, line.submission.name, line.tied) for line in board.lines]


def people(i: int) -> tuple[str, str]:
    return f"k{i}", f"p{i}"


def ranks(hits: int) -> list[int | None]:
    return [1] * hits + [9] * (20 - hits)


def test_runs_are_ranked_and_the_best_is_tied_with_runs_not_significantly_different(
    submit: Submit, results: Path
) -> None:
    for name, hits in (("poor", 4), ("best", 18), ("near", 17), ("equal", 17)):
        submit(name, label=name, ranks=ranks(hits), names=people)
    (board,) = boards_of(results)
    # near and equal differ from the best in one probe of one person (p = 1), poor in 14 of 14 (p = 2 / 2 ** 14 or so)
    assert placed(board) == [(1, "best", True), (2, "equal", True), (2, "near", True), (4, "poor", False)]
    assert board.data_status == "official" and board.lines[1].basis == "paired test, p = 1"
    assert all(line.submission.checked for line in board.lines)


def test_without_rows_overlapping_intervals_are_tied(submit: Submit, results: Path) -> None:
    submit("best", label="best", ranks=ranks(16), names=people)
    submit("near", report=True, label="near", ranks=ranks(13), names=people)
    submit("poor", report=True, label="poor", ranks=ranks(2), names=people)
    (board,) = boards_of(results)
    assert placed(board) == [(1, "best", True), (2, "near", True), (3, "poor", False)]
    assert [line.basis for line in board.lines] == ["best", "intervals", "intervals"]
    assert [line.submission.checked for line in board.lines] == [True, False, False]


def test_samples_and_smoke_runs_are_never_ranked_among_official_results(submit: Submit, results: Path) -> None:
    submit("honest", label="honest", ranks=ranks(5), names=people)
    submit("quick", label="quick", ranks=ranks(20), names=people, smoke=True, limit=20)
    submit("drawn", label="drawn", ranks=ranks(20), names=people, sample=True)
    submit("part", label="part", ranks=ranks(20), names=people, data={"official": False})
    first, second, third = boards_of(results)
    assert placed(first) == [(1, "honest", True)]
    assert placed(second) == [(1, "part", True), (None, "quick", False)]  # a smoke run is never of the published set
    assert second.lines[1].marks == ("SMOKE",)
    assert [board.data_status for board in (second, third)] == ["NOT the official set", "SAMPLE DATA"]
    assert third.lines[0].marks == ("SAMPLE",)
    text = "\n".join(to_lines([first, second, third], []))
    assert "SAMPLE DATA, not tinyface: its figures say nothing" in text and "no results, so they are not ranked" in text


def test_other_protocols_data_and_recognisers_have_boards_of_their_own(submit: Submit, results: Path) -> None:
    submit("a")
    submit("b", label="net", recogniser="dlib")
    submit("c", label="net", protocol={"version": "2"})
    submit("d", label="net", data={"digest": "other", "official": True})
    submit("e", label="net", quality=1.0)
    assert sorted(len(board.lines) for board in boards_of(results)) == [1, 1, 1, 2]


def test_a_folder_of_runs_is_a_submission_and_a_report_may_hold_several(
    submit: Submit, make_run: Any, results: Path, tmp_path: Path
) -> None:
    submit("team/one", label="one")
    submit("team/two", label="two", quality=0.5)
    folders = [make_run(name, label=name, data=OFFICIAL, quality=0.2) for name in ("x", "y")]
    reports.build(folders, tmp_path / "both")
    (results / "other").mkdir()
    shutil.copy(tmp_path / "both" / "report.json", results / "other")
    (board,) = boards_of(results)
    result = sorted((line.submission.name, line.submission.run.record.label) for line in board.lines)
    assert result == [("other", "x"), ("other", "y"), ("team/one", "one"), ("team/two", "two")]


def test_damaged_and_mixed_submissions_are_left_out_by_name(
    submit: Submit, make_run: Any, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit("good")
    (submit("broken") / "run.json").write_text("{")
    cut = submit("cut") / "per_probe.csv"
    cut.write_text("".join(cut.read_text().splitlines(keepends=True)[:-3]))
    shutil.copy(submit("both", report=True) / "report.json", submit("both2"))
    (results / "empty").mkdir()
    (results / "linked").symlink_to(results / "good")
    (results / ".hidden").mkdir()
    (results / "README.md").write_text("hello")
    reports.build([make_run("m1"), make_run("m2", label="net")], tmp_path / "pair")
    mixed = json.loads((tmp_path / "pair" / "report.json").read_text())
    mixed["sections"][0]["runs"][1]["record"]["data"]["digest"] = "other"
    texts = {
        "mixed": json.dumps(mixed),
        "deep": "[" * 100_000,
        "notours": "{}",
        "later": json.dumps({**mixed, "version": 2}),
        "nan": json.dumps(mixed).replace('"smoke": false', '"smoke": NaN'),
        "lies": json.dumps(mixed).replace('"value": 0.', '"value": 7.'),
    }
    for name, text in texts.items():
        (results / name).mkdir()
        (results / name / "report.json").write_text(text)
    result, skipped = read_submissions(results)
    assert [item.name for item in result] == ["both", "good"]
    why = {item.folder_name: item.reason for item in skipped}
    assert set(why) == {"broken", "cut", "both2", "empty", "linked", *texts}
    for name, word in (
        ("broken", "damaged"),
        ("cut", "over 24 probes"),
        ("both2", "unclear which one is submitted"),
        ("empty", "neither run.json nor report.json"),
        ("linked", "is a link"),
        ("mixed", "differ in data digest"),
        ("deep", "damaged"),
        ("notours", "no report of"),
        ("later", "version 2"),
        ("nan", "NaN"),
        ("lies", "is not a fraction"),
    ):
        assert word in why[name], name
    assert main(["leaderboard", str(results)]) == 0
    out = capsys.readouterr().out
    assert all(f"left out: {name}: " in out for name in why)
    assert main(["leaderboard", str(results), "--json", "--strict"]) == 1
    captured = capsys.readouterr()
    assert {item["submission"] for item in json.loads(captured.out)["left_out"]} == set(why)
    assert "left out: broken" in captured.err


def test_nothing_to_rank_is_an_error(results: Path) -> None:
    with pytest.raises(DataError, match="No submission"):
        read_submissions(results)
    with pytest.raises(MissingError, match="No folder"):
        read_submissions(results / "nowhere")


def test_another_figure_can_order_and_what_lacks_it_is_not_ranked(submit: Submit, results: Path) -> None:
    submit("a", label="a", ranks=[1, 9, 9, 9], names=people)
    submit("b", label="b", ranks=[2, 2, 2, 9], names=people)
    folder = submit("c", label="c", ranks=[1, 1, 1, 1], names=people)
    result = read_run(folder)
    metrics = {name: figure for name, figure in result.record.metrics.items() if name != "rank-5"}
    write_run(folder, replace(result, record=replace(result.record, metrics=metrics)), replace=True)
    assert [name for _, name, _ in placed(boards_of(results)[0])] == ["c", "a", "b"]
    (board,) = boards_of(results, "rank-5")
    assert [(place, name) for place, name, _ in placed(board)] == [(1, "b"), (2, "a"), (None, "c")]
    with pytest.raises(UsageError, match="No run has a figure 'rank-9'.*'rank-1'"):
        boards_of(results, "rank-9")


def test_times_are_not_ranked(make_other: Any, results: Path) -> None:
    for name, quality in (("a", 0.0), ("b", 1.0)):
        shutil.copytree(make_other(name, "efficiency", label=name, quality=quality), results / name)
    (board,) = boards_of(results)
    assert [line.place for line in board.lines] == [None, None] and "not ranked" in board.note


def test_errors_are_ranked_lowest_first(make_other: Any, results: Path) -> None:
    for name, quality in (("a", 0.0), ("b", 1.0)):
        shutil.copytree(make_other(name, "verification", label=name, quality=quality), results / name)
    lines = boards_of(results, "eer")[0].lines
    assert [line.submission.name for line in lines] == ["b", "a"]


def test_every_figure_is_that_of_its_run_json_and_equal_folders_give_equal_bytes(submit: Submit, results: Path) -> None:
    for name, quality in (("a", 0.1), ("b", 0.9), ("c", 0.4)):
        submit(name, label=name, quality=quality, report=name == "c")
    texts = []
    for _ in range(2):
        result, skipped = read_submissions(results)
        boards = make_boards(result)
        texts.append((to_markdown(boards, skipped), json.dumps(to_object(boards, skipped)), to_lines(boards, skipped)))
    assert texts[0] == texts[1]
    for line in json.loads(texts[0][1])["boards"][0]["lines"]:
        stored = json.loads((results.parent / "runs" / line["submission"] / "run.json").read_text())["metrics"]
        assert line["figure"] == {key: stored["rank-1"][key] for key in ("value", "low", "high", "n")}


def test_hostile_names_stay_text(submit: Submit, results: Path) -> None:
    label = "\x1b[2J\x9b31m\u202e\n| <b>x</b> | [l](http://evil.example) |"
    submit("evil\x1b[2J|<b>", label=label, data={"name": label, "official": True})
    (submit("bad\x1b[2J\n") / "run.json").write_text("{")
    result, skipped = read_submissions(results)
    boards = make_boards(result)
    for line in to_lines(boards, skipped):
        assert not set(line) & set("\x1b\x9b\u202e\n")
    markdown = to_markdown(boards, skipped)
    assert "<b>" not in markdown and "](" not in markdown.replace("\\](", "") and "\x1b" not in markdown
    (row,) = [line for line in markdown.splitlines() if line.startswith("| 1 ")]
    assert row.count("|") - row.count("\\|") == 10
    (results / "evil\x1b[2J|<b>" / "run.json").write_text("{")
    with pytest.raises(DataError) as caught:
        read_submissions(results)
    assert "\x1b" not in str(caught.value)
