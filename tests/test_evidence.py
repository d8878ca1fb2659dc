"""The tables of figures in the text are those that the script of evidence makes from its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UsageError
from bench.io.file_digests import file_digest
from benchmarks import evidence

ROOT = Path(__file__).parents[1]


def row(**changes: Any) -> dict[str, Any]:
    return {
        "data": "faces", "protocol": "lfw:lr=16", "method": "vividgan-flow", "recogniser": "sface", "n": 80,
        "value": 0.5, "low": 0.4, "high": 0.6, "weights": {},
        "difference": {"baseline": "none", "difference": 0.1, "low": -0.05, "high": 0.25},
    } | changes  # fmt: skip


def content(**changes: Any) -> dict[str, Any]:
    return {"table": "real", "recognisers": ["sface", "dlib", "blind"], "left_out": [], "rows": [row()]} | changes


def test_every_table_in_the_text_is_what_the_script_makes() -> None:
    marked = [path for path in evidence.texts() if "<!-- evidence: " in path.read_text(encoding="utf-8")]
    assert marked
    for path in marked:
        text = path.read_text(encoding="utf-8")
        assert evidence.written(text) == text, f"{path}: run `python -m benchmarks.evidence write`"


def test_every_file_of_figures_is_of_a_defined_table_and_complete() -> None:
    defined = evidence.tables()
    for path in evidence.FOLDER.glob("*.json"):
        figures = json.loads(path.read_text(encoding="utf-8"))
        assert figures["table"] == path.stem and path.stem in defined
        for entry in figures["rows"]:
            assert 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1 and entry["n"] > 0
            assert entry["recogniser"] in figures["recognisers"] and entry["command"].startswith("bench run ")
            assert len(entry["data_digest"]) == 64 and len(entry["date"]) == 10
        if len(figures["recognisers"]) < evidence.FEWEST_RECOGNISERS:
            assert "no claim stands" in evidence.table_text(figures)


def test_a_cell_has_figure_interval_and_difference_and_absent_ones_say_so() -> None:
    text = evidence.table_text(content())
    assert (
        "| faces | `lfw:lr=16` | vividgan-flow | 80 | 50.0 (40.0 to 60.0); +10.0 (-5.0 to +25.0) | not measured |"
        in text
    )
    assert "no claim stands" not in text
    assert "no claim stands" in evidence.table_text(content(recognisers=["sface"]))
    assert "Not measured: data ytf." in evidence.table_text(content(left_out=["data ytf"]))


def test_a_row_of_other_weights_than_the_shipped_ones_says_so() -> None:
    file = ROOT / "hallucinators" / "weights" / "vividgan-flow.safetensors"
    shipped = content(rows=[row(weights={file.name: file_digest(file)})])
    assert "earlier weights" not in evidence.table_text(shipped)
    older = content(rows=[row(weights={file.name: "0" * 64})])
    assert "| vividgan-flow (earlier weights) |" in evidence.table_text(older)


def test_only_the_text_between_the_marks_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "FOLDER", tmp_path)
    (tmp_path / "real.json").write_text(json.dumps(content()))
    text = "before\n<!-- evidence: real -->\nold\n<!-- end of evidence -->\nafter\n"
    new = evidence.written(text)
    assert new.startswith("before\n<!-- evidence: real -->\n| data |") and new.endswith(
        "<!-- end of evidence -->\nafter\n"
    )
    assert "old" not in new and evidence.written(new) == new
    with pytest.raises(UsageError, match="no figures of the table 'other'"):
        evidence.written(text.replace("real", "other"))
    with pytest.raises(UsageError, match="has no '<!-- end"):
        evidence.written("<!-- evidence: real --> text")
