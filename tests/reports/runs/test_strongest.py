"""The strongest LR row of each recogniser as the baseline."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import reports
from bench.__main__ import main
from bench.errors import UsageError
from reports.runs.groups import make_groups
from reports.runs.load import load
from reports.runs.strongest import strongest_rows

LR = {"weak": [9, 9, 9, 1], "strong": [1, 1, 9, 1], "equal": [1, 9, 1, 1]}


@pytest.fixture
def folders(make_run: Any) -> list[Path]:
    """Three LR rows and a method by one recogniser, one LR row and a method by another."""
    rows = [make_run(name, ranks=ranks, images=False) for name, ranks in LR.items()]
    method = make_run("net", label="net", ranks=[1, 1, 1, 1], images=False)
    other = make_run("other-lr", ranks=[1, 9, 9, 9], recogniser="dlib", images=False)
    other_method = make_run("other-net", label="net", ranks=[1, 1, 9, 9], recogniser="dlib", images=False)
    return [*rows, method, other, other_method]


def test_the_highest_lr_row_of_the_same_recogniser_is_the_baseline_and_the_first_of_equal_ones(
    folders: list[Path],
) -> None:
    (group,) = make_groups(load(folders)[0], "strongest")
    assert group.baselines == (1, 1, 1, 1, 4, 4)


def test_a_recogniser_without_an_lr_row_is_not_compared_with_another_one(make_run: Any, folders: list[Path]) -> None:
    alone = make_run("third", label="net", ranks=[1, 1, 1, 9], recogniser="third", images=False)
    runs = load([*folders, alone])[0]
    assert strongest_rows(runs)[6] is None
    assert make_groups(runs, "strongest")[0].baselines[6] == 6


def test_the_report_names_the_row_and_warns_that_the_choice_favours_the_baseline(
    folders: list[Path], tmp_path: Path
) -> None:
    reports.build(folders, tmp_path / "out", baseline="strongest", viewer="none")
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "the strongest of 3 LR rows" in text and "favours the baseline" in text
    assert "the only LR row" in text
    with (tmp_path / "out" / "paired.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["folder"]: row for row in csv.DictReader(file)}
    assert rows["net"]["baseline_folder"] == "strong" and float(rows["net"]["difference"]) == pytest.approx(0.25)
    assert rows["other-net"]["baseline_folder"] == "other-lr"


def test_without_an_lr_row_it_is_a_usage_error(make_run: Any) -> None:
    runs = load([make_run("a", label="net", images=False), make_run("b", label="gan", images=False)])[0]
    with pytest.raises(UsageError, match="needs a run of the LR face"):
        make_groups(runs, "strongest")


def test_compare_takes_the_strongest_of_several_references(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    *rows, method, other, _ = map(str, folders)
    assert main(["compare", *rows, other, method, "--baseline", "strongest"]) == 0
    printed = capsys.readouterr().out
    assert "the strongest of 3 LR rows" in printed and "25.00" in printed


def test_compare_refuses_several_references_without_the_option_and_none_of_the_recogniser(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    weak, strong, _, method, other, _ = map(str, folders)
    assert main(["compare", weak, strong, method]) == 2
    assert "--baseline strongest" in capsys.readouterr().err
    assert main(["compare", other, method, "--baseline", "strongest"]) == 2
    assert "recogniser of net" in capsys.readouterr().err
