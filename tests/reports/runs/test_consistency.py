"""What ``run.json`` says against the figures that the rows give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import evaluation
from bench.results import ItemRow, RunResult
from bench.results.folder import read_run
from reports.runs.consistency import contradictions

KINDS = ("identification", "verification", "restoration", "expression", "efficiency")
Read = Callable[[str], RunResult]


@pytest.fixture
def read(make_run: Any, make_other: Any) -> Read:
    def read_kind(kind: str) -> RunResult:
        folder: Path = make_run("run", images=False) if kind == "identification" else make_other("run", kind)
        return read_run(folder)

    return read_kind


@pytest.mark.parametrize("kind", KINDS)
def test_figures_without_intervals_are_the_same_figures(read: Read, kind: str) -> None:
    result = read(kind)
    full, plain = evaluation.figures(result), evaluation.figures(result, intervals=False)
    bare = {name: replace(figure, low=None, high=None, interval="") for name, figure in full.items()}
    assert {name: replace(figure, interval="") for name, figure in plain.items()} == bare
    assert any(figure.low is not None for figure in full.values())
    assert all(figure.low is figure.high is None for figure in plain.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_as_it_was_written_has_no_contradictions(read: Read, kind: str) -> None:
    assert list(contradictions(read(kind))) == []


def test_a_figure_whose_values_are_gone_from_the_rows_is_a_contradiction(read: Read) -> None:
    result = read("restoration")

    def without(item: ItemRow) -> ItemRow:
        return replace(item, values={name: value for name, value in item.values.items() if name != "ssim_y"})

    cut = replace(result, items=tuple(map(without, result.items)))
    assert list(contradictions(cut)) == ["ssim_y is in run.json, but the rows in per_item.csv give no such figure"] + [
        f"ssim_y (yaw {yaw}) is in run.json, but the rows in per_item.csv give no such figure" for yaw in (22, 75)
    ]


def test_a_figure_of_a_name_that_rows_do_not_give_is_not_checked(read: Read) -> None:
    result = read("restoration")
    metrics = {**result.record.metrics, "sharpness": result.record.metrics["ssim"]}
    assert list(contradictions(replace(result, record=replace(result.record, metrics=metrics)))) == []


def test_scores_that_were_changed_contradict_the_figures(read: Read) -> None:
    result = read("verification")
    scores = result.arrays["scores"].copy()
    scores[result.arrays["same"]] += 5
    faults = list(contradictions(replace(result, arrays={**result.arrays, "scores": scores})))
    assert any(fault.startswith("auc is ") for fault in faults)
