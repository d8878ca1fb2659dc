"""Run folders: what goes in comes out, whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from bench.errors import BenchError, DataError, MissingError
from bench.results import Figure, LedgerRow, ProbeRow, RoleLedger, RunRecord, RunResult, StageRecord, folder
from bench.results.folder import read_image, read_run, write_run


@pytest.fixture
def result() -> RunResult:
    record = RunRecord(
        bench_version="0",
        label="none",
        created="2026-01-01T00:00:00+00:00",
        smoke=False,
        limit=None,
        sample=False,
        config={"protocol": "tinyface"},
        config_digest="c",
        protocol={"name": "tinyface"},
        data={"digest": "d", "counts": {"probe": 2}},
        stages=(StageRecord("embed", "probe", "sface", "1", {"threads": 0}, ({"name": "w", "sha256": "0"},)),),
        metrics={"rank-1": Figure(0.5, 2, 0.1, 0.9, "bootstrap", 1.0, 1)},
        ledger={"probe": RoleLedger(2, 1, 0, 1, {"decode: file is empty": 1})},
        warnings=("mind the gap",),
        timings={"embed (probe)": {"seconds": 0.1, "images": 1}},
        environment={"python": "3"},
        seed=0,
    )
    rows = (
        ProbeRow(
            'Probe/ä "1",\n.jpg', "1", "ok", "", "", 3, 1, 1, (1, 4), 0.1 + 0.2, "g/1", -1e-17, "g/2", {"yaw_deg": 22.5}
        ),
        ProbeRow("Probe/2.jpg", "2", "failed", "decode", "file is empty", 1, None, None, (), None, "", None, ""),
    )
    return RunResult(record, rows, (LedgerRow("Probe/2.jpg", "probe", "failed", "decode", "file is empty"),))


def test_a_run_is_read_as_it_was_written(tmp_path: Path, result: RunResult) -> None:
    write_run(tmp_path / "run", result, images=[("lr/000000.png", b"png")])
    assert read_run(tmp_path / "run") == result
    assert read_image(tmp_path / "run", "lr/000000.png") == b"png"
    assert read_image(tmp_path / "run", "lr/000001.png") is None
    assert os.listdir(tmp_path) == ["run"]


def test_equal_runs_are_equal_bytes(tmp_path: Path, result: RunResult) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / name, result, images=[("lr/000000.png", b"png")])
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_finished_run_is_replaced_only_with_replace(tmp_path: Path, result: RunResult) -> None:
    write_run(tmp_path / "run", result)
    other = dataclasses.replace(result, record=dataclasses.replace(result.record, label="other"))
    with pytest.raises(BenchError, match="a finished run exists there"):
        write_run(tmp_path / "run", other)
    assert read_run(tmp_path / "run") == result
    write_run(tmp_path / "run", other, replace=True)
    assert read_run(tmp_path / "run") == other


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path, result: RunResult) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BenchError, match="it holds other files"):
        write_run(tmp_path, result, replace=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_full_disk_keeps_the_old_run_unchanged(
    tmp_path: Path, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run", result)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "_write_csv", full)
    with pytest.raises(BenchError, match="No space left on device"):
        write_run(tmp_path / "run", result, replace=True)
    monkeypatch.undo()
    assert read_run(tmp_path / "run") == result
    assert os.listdir(tmp_path) == ["run"]


def test_a_temporary_folder_of_a_killed_writer_is_not_a_run_and_does_not_block_the_next(
    tmp_path: Path, result: RunResult
) -> None:
    partial = tmp_path / ".run.0123abcd.partial"
    partial.mkdir()
    (partial / "run.json").write_text("{")
    os.utime(partial, (0, 0))
    with pytest.raises(MissingError):
        read_run(tmp_path / "run")
    write_run(tmp_path / "run", result)
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema_version": 1}', "null"])
def test_a_damaged_record_is_named(tmp_path: Path, result: RunResult, damage: str) -> None:
    write_run(tmp_path / "run", result)
    (tmp_path / "run" / "run.json").write_text(damage)
    with pytest.raises(DataError, match="run.json is damaged"):
        read_run(tmp_path / "run")


def test_another_schema_version_is_an_error(tmp_path: Path, result: RunResult) -> None:
    write_run(tmp_path / "run", result)
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))
    with pytest.raises(DataError, match="schema version 99"):
        read_run(tmp_path / "run")


@pytest.mark.parametrize("damage", ["key,identity\nx,y\n", None])
def test_damaged_rows_are_named(tmp_path: Path, result: RunResult, damage: str | None) -> None:
    write_run(tmp_path / "run", result)
    path = tmp_path / "run" / "per_probe.csv"
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    with pytest.raises(DataError, match="per_probe.csv"):
        read_run(tmp_path / "run")


def test_a_value_that_is_not_a_json_number_is_refused(tmp_path: Path, result: RunResult) -> None:
    figure = dataclasses.replace(result.record.metrics["rank-1"], value=float("nan"))
    bad = dataclasses.replace(result, record=dataclasses.replace(result.record, metrics={"rank-1": figure}))
    with pytest.raises(ValueError):
        write_run(tmp_path / "run", bad)
    assert os.listdir(tmp_path) == []
