"""``report.json``: every number is that of ``run.json``, the published schema holds, equal runs give equal bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import reports
from reports.page.schema import report_schema
from reports.text.tables import to_json

FILE = Path(__file__).parents[3] / "docs" / "report.schema.json"
SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
HIDDEN = {"config": ("data_root", "out", "cache", "manifest"), "data": ("root",)}


def check(report: Any) -> None:
    Draft202012Validator(SCHEMA).validate(report)


def test_the_published_schema_is_that_of_the_types() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert FILE.read_text(encoding="utf-8") == to_json(report_schema())


def built(runs: list[Path], out: Path) -> Any:
    reports.build(runs, out)
    return json.loads((out / "report.json").read_text(encoding="ascii"))


def test_every_run_is_there_as_its_run_json_says(make_run: Any, make_other: Any, tmp_path: Path) -> None:
    folders = [
        make_run("lr", config={"data_root": "/secret", "out": "/secret", "recogniser": "sface"}),
        make_run("net", label="net:scale=8", quality=1.0),
        make_other("pairs", "verification"),
        make_other("hr", "restoration"),
        make_other("faces", "expression"),
        make_other("cost", "efficiency"),
    ]
    report = built(folders, tmp_path / "out")
    check(report)
    result = {run["folder"]: run for section in report["sections"] for run in section["runs"]}
    assert len(result) == len(folders) and len(report["sections"]) == 5
    for folder in folders:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        for table, names in HIDDEN.items():
            record[table] = {key: value for key, value in record[table].items() if key not in names}
        del record["seal"]  # it is of the folder
        assert result[folder.name]["record"] == record
    assert "/secret" not in (tmp_path / "out" / "report.json").read_text()
    assert result["net"]["baseline"] == "none" and result["lr"]["identities"] == 8


def test_comparisons_are_those_of_the_table(make_run: Any, tmp_path: Path) -> None:
    names = lambda i: (f"k{i}", f"p{i // 2}")  # noqa: E731
    base = make_run("base", ranks=[1, 1, 2, 2, 2, 9, None, 5], names=names)
    other = make_run("other", label="net", ranks=[2, 1, 1, 1, 1, 1, 1, None], names=names)
    report = built([base, other], tmp_path / "out")
    check(report)
    (row,) = report["sections"][0]["comparisons"]
    assert (row["run"], row["baseline"], row["difference"], row["n"]) == ("net", "none", 0.5, 8)
    assert row["p_mcnemar"] == pytest.approx(2 * (1 + 6) / 2**6)
    assert row["only_run"] == 5 and row["only_baseline"] == 1


def test_gaps_are_null_and_damaged_folders_are_named(make_run: Any, tmp_path: Path) -> None:
    one = make_run("one", ranks=[1, 3], names=lambda i: (f"k{i}", "same"))
    two = make_run("two", label="net", ranks=[2, 3], names=lambda i: (f"k{i}", "same"))
    (tmp_path / "empty").mkdir()
    report = built([one, two, tmp_path / "empty"], tmp_path / "out")
    check(report)
    assert report["sections"][0]["comparisons"][0]["low"] is None
    assert report["sections"][0]["runs"][0]["record"]["metrics"]["rank-1"]["low"] is None
    assert [item["folder"] for item in report["left_out"]] == ["empty"]


def test_hostile_text_comes_back_whole_and_the_file_is_of_plain_characters(make_run: Any, tmp_path: Path) -> None:
    label = "\x1b[2J\u202e\x9b<script>\ud800"
    folder = make_run("a", label="x")
    text = (folder / "run.json").read_text().replace('"label": "x"', f'"label": {json.dumps(label)}')
    (folder / "run.json").write_text(text)
    report = built([folder], tmp_path / "out")
    check(report)
    record = report["sections"][0]["runs"][0]["record"]
    assert record["label"] == label
    assert all(byte == 10 or 32 <= byte < 127 for byte in (tmp_path / "out" / "report.json").read_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(version=2),
        lambda r: r.update(extra=1),
        lambda r: r.pop("left_out"),
        lambda r: r["sections"][0].update(sample="no"),
        lambda r: r["sections"][0]["runs"][0]["record"]["metrics"]["rank-1"].update(value=None),
        lambda r: r["sections"][0]["runs"][0]["record"]["metrics"]["rank-1"].update(n=-1),
        lambda r: r["sections"][0]["runs"][0]["record"]["data"].update(root="/home"),
        lambda r: r["sections"][0]["runs"].clear(),
    ],
)
def test_the_schema_refuses_what_no_report_is(make_run: Any, tmp_path: Path, change: Any) -> None:
    report = built([make_run("a", images=False)], tmp_path / "out")
    change(report)
    assert not Draft202012Validator(SCHEMA).is_valid(report)
