"""Reports on probes searched in several galleries, some without a mate: which rows a figure and a pair are over."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reports
from bench.errors import DataError
from bench.evaluation.identification.figures import figures_of
from bench.evaluation.identification.galleries import mated_places, mated_rows
from bench.results import ProbeRow
from bench.results.folder import read_run, write_run


def cells(html: str) -> dict[tuple[str, str], tuple[float, str]]:
    """The first value of each cell with a figure, by run and figure."""
    result = {}
    for run, row in re.findall(r'<tr data-run="([^"]*)"[^>]*>(.*?)</tr>', html, re.DOTALL):
        for name, value, shown in re.findall(
            r'data-figure="([^"]*)"><strong><data value="([^"]*)">([^<]*)</data></strong>', row
        ):
            result[run, name] = float(value), shown
    return result


def damage(folder: Path, change: Any) -> None:
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))


def read_back(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())


def searched(gallery: str, i: int, rank: int | None, mates: int = 1) -> ProbeRow:
    status, stage = ("failed", "decode") if rank is None and mates else ("ok", "")
    score = None if rank is None else 0.9 - rank / 10
    other = None if status == "failed" else 0.3 + i / 100
    ranks = () if rank is None else (rank,)
    key = f"t{i} in {gallery}" if gallery else f"t{i}"
    return ProbeRow(
        key, f"p{i % 5}", status, stage, stage, mates, rank, rank, ranks, score, "m", other, "o", {}, gallery, f"t{i}"
    )


def galleries_run(make_run: Any, folder: str, label: str, shift: int, *, joined: bool) -> Path:
    """Two galleries, each with mates of one half of the probes, and perhaps one of all."""
    path: Path = make_run(folder, label=label, images=False)
    rows = []
    for gallery, has in (("G1", 0), ("G2", 1), *([("joined", -1)] if joined else [])):
        for i in range(20):
            mated = has < 0 or i % 2 == has
            rank = None if not mated or i == 6 else 1 + (i + shift) % 3
            rows.append(searched(gallery, i, rank, int(mated)))
    result = read_run(path)
    rates = [0.1, 0.5]
    outcome = figures_of(rows, ranks=(1, 5), mean_average_precision=True, seed=0, false_positive_rates=rates)
    rules = {**result.record.protocol, "kind": "identification", "false_positive_rates": rates}
    record = replace(result.record, metrics=outcome, protocol=rules)
    write_run(path, replace(result, record=record, probes=tuple(rows), ledger=()), replace=True)
    return path


@pytest.mark.parametrize("joined", [True, False])
def test_figures_of_several_galleries_are_checked_and_reported(make_run: Any, tmp_path: Path, joined: bool) -> None:
    runs = [
        galleries_run(make_run, "a", "none", 1, joined=joined),
        galleries_run(make_run, "b", "net", 0, joined=joined),
    ]
    reports.build(runs, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    shown = cells(html)
    for folder in runs:
        record = read_back(folder)
        assert {"rank-1 (mean)", "rank-1 (G1)", "tpir@fpir=0.1", "tpir@fpir=0.5 (G2)"} <= set(record["metrics"])
        for name, figure in record["metrics"].items():
            assert shown[record["label"], name][0] == figure["value"]
    whole = "the gallery joined" if joined else "the galleries G1, G2 taken together"
    assert f"of all searches with a mate in {whole}" in html and "Percent of all probes" not in html
    with (tmp_path / "out" / "paired.csv").open(newline="") as file:
        (pair,) = csv.DictReader(file)
    one, two = (read_back(folder)["metrics"]["rank-1"] for folder in runs)
    assert int(pair["n"]) == one["n"] == 20
    assert float(pair["difference"]) == pytest.approx(two["value"] - one["value"])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("rank-1", {"n": 60}),
        ("rank-1 (G2)", {"value": 0.9}),
        ("rank-5 (mean)", {"value": 0.1}),
        ("rank-1 (mean)", {"n_without_failures": 20}),
        ("tpir@fpir=0.5", {"value": 0.01}),
        ("tpir@fpir=0.1 (G1)", {"n": 20}),
    ],
)
def test_a_wrong_figure_of_a_gallery_is_damage(
    make_run: Any, tmp_path: Path, name: str, change: dict[str, Any]
) -> None:
    folder = galleries_run(make_run, "a", "none", 0, joined=True)
    damage(folder, lambda r: r["metrics"][name].update(change))
    with pytest.raises(DataError, match=re.escape(f"{name} is ")):
        reports.build([folder], tmp_path / "out")


def test_rows_of_the_whole_are_those_with_a_mate_in_the_joined_gallery() -> None:
    rows = [searched("G1", 0, 1), searched("joined", 0, 2), searched("joined", 1, None, mates=0)]
    assert mated_places(rows) == [1] and mated_rows(rows) == [rows[1]]
    assert mated_places(rows[:1]) == [0]
    assert mated_rows(rows, "G1") == [rows[0]]
