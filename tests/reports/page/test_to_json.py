"""``report.json``: every number is that of ``run.json``, the published schema holds, equal runs give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

import reports

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
HIDDEN = {"config": ("data_root", "out", "cache", "manifest"), "data": ("root",)}

_TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {
    "$schema", "title", "description", "$ref", "$defs", "type", "const", "minimum", "maximum", "minLength", "minItems",
    "minProperties", "required", "properties", "additionalProperties", "items",
}  # fmt: skip


def faults(value: Any, schema: Any, root: Mapping[str, Any], at: str = "$") -> Iterable[str]:
    """As much of JSON Schema as the file uses, for where the package is not installed."""
    if isinstance(schema, bool):
        if not schema:
            yield f"{at}: must not be there"
        return
    assert set(schema) <= KNOWN, f"unknown words {set(schema) - KNOWN}"
    if "$ref" in schema:
        yield from faults(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at)
    if "const" in schema and value != schema["const"]:
        yield f"{at}: not {schema['const']!r}"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, name) for name in types):
        yield f"{at}: not {types}"
        return
    if _is(value, "number"):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{at}: out of range"
    for word, kind in (("minLength", str), ("minItems", list), ("minProperties", dict)):
        if isinstance(value, kind) and len(value) < schema.get(word, 0):
            yield f"{at}: {word}"
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from faults(item, schema.get("items", True), root, f"{at}[{i}]")
    if isinstance(value, dict):
        own = schema.get("properties", {})
        yield from (f"{at}: lacks {name}" for name in schema.get("required", []) if name not in value)
        for name, item in value.items():
            yield from faults(item, own.get(name, schema.get("additionalProperties", True)), root, f"{at}.{name}")


def _is(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        return isinstance(value, int if name == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def check(report: Any) -> None:
    assert list(faults(report, SCHEMA, SCHEMA)) == []
    try:
        import jsonschema
    except ImportError:
        return
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(report, SCHEMA)


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
    found = {run["folder"]: run for section in report["sections"] for run in section["runs"]}
    assert len(found) == len(folders) and len(report["sections"]) == 5
    for folder in folders:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        for table, names in HIDDEN.items():
            record[table] = {key: value for key, value in record[table].items() if key not in names}
        del record["seal"]  # it is of the folder
        assert found[folder.name]["record"] == record
    assert "/secret" not in (tmp_path / "out" / "report.json").read_text()
    assert found["net"]["baseline"] == "none" and found["lr"]["identities"] == 8


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
    assert list(faults(report, SCHEMA, SCHEMA))
