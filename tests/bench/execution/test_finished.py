"""A finished run asked again: it stands, is made again, or is refused, and the reason is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.execution.finished import changed_modules
from bench.recognisers.sface import MODEL

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def out(bench: Bench, small_tinyface: Path, tmp_path: Path) -> Path:
    """A finished run."""
    folder = tmp_path / "run"
    code, _, err = run(bench, small_tinyface, folder)
    assert code == 0, err
    return folder


def run(bench: Bench, root: Path, out: Path, *more: object) -> tuple[int, str, str]:
    return bench("run", "--protocol", "tinyface", "--data-root", root, "--out", out, "--images", "none", *more)


def edit(out: Path, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Change what the record says, as if the run had been made so."""
    record: dict[str, Any] = json.loads((out / "run.json").read_text())
    change(record)
    (out / "run.json").write_text(json.dumps(record))
    return record


def test_a_run_of_a_version_that_recorded_no_code_is_made_again(bench: Bench, small_tinyface: Path, out: Path) -> None:
    def older(record: dict[str, Any]) -> None:
        del record["code"], record["data"]["files_digest"]
        record["config_digest"] = "of another rule"

    before = edit(out, older)
    code, _, err = run(bench, small_tinyface, out)
    assert code == 0, err
    assert "Made again" in err and "did not record its code" in err
    assert json.loads((out / "run.replaced.json").read_text()) == before
    assert "Nothing to do" in run(bench, small_tinyface, out)[2]


def test_such_a_run_of_another_configuration_is_refused(bench: Bench, small_tinyface: Path, out: Path) -> None:
    edit(out, lambda record: record.pop("code"))
    code, _, err = run(bench, small_tinyface, out, "--seed", 5)
    assert code == 1
    assert "another configuration" in err and "seed was 0, 5 is requested" in err
    assert not (out / "run.replaced.json").exists()


def test_changed_code_is_named_and_never_hides_a_change_of_the_data(
    bench: Bench, small_tinyface: Path, out: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    shutil.copytree(small_tinyface, root)
    edit(out, lambda record: record["code"].update({"bench.pipeline.templates": "0" * 16}))
    probe = root / "Testing_Set/Probe/1_3.jpg"
    data = probe.read_bytes()
    probe.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    before = (out / "run.json").read_bytes()
    code, _, err = run(bench, root, out)
    assert code == 1
    assert "both the code that computes it (bench.pipeline.templates) and the files that it reads have changed" in err
    assert (out / "run.json").read_bytes() == before
    probe.write_bytes(data)
    code, _, err = run(bench, root, out)
    assert code == 0, err
    assert "Made again" in err and "(bench.pipeline.templates)" in err


def test_other_weights_are_named(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    weights = Path(shutil.copy(MODEL, tmp_path / "net.onnx"))
    command = ("--recogniser", f"sface:weights={weights}", "--limit", 2)
    assert run(bench, small_tinyface, tmp_path / "run", *command)[0] == 0
    weights.write_bytes(weights.read_bytes() + b"\0")
    code, _, err = run(bench, small_tinyface, tmp_path / "run", *command)
    assert code == 1
    assert "another configuration" in err and "the weights net.onnx are others" in err


def test_weights_that_were_retrained_are_loaded_by_the_next_run_of_the_same_process(
    bench: Bench, small_tinyface: Path, tmp_path: Path
) -> None:
    weights = Path(shutil.copy(MODEL, tmp_path / "net.onnx"))
    command = ("--recogniser", f"sface:weights={weights}", "--limit", 2)
    digests = []
    for name in ("one", "two"):
        code, _, err = run(bench, small_tinyface, tmp_path / name, *command)
        assert code == 0, err
        stages = json.loads((tmp_path / name / "run.json").read_text())["stages"]
        digests.append([file["sha256"] for stage in stages for file in stage["weights"]])
        if name == "one":
            import onnx

            model = onnx.load(str(weights))
            model.doc_string = "trained on"
            onnx.save(model, str(weights))
    assert digests[0] != digests[1]


def names() -> Iterator[tuple[dict[str, str], dict[str, str], str]]:
    yield {"a": "1"}, {"a": "1"}, ""
    yield {"a": "1", "b": "1"}, {"a": "2", "c": "1"}, "a, b, c"
    yield {x: "1" for x in "abcde"}, {x: "2" for x in "abcde"}, "a, b, c and 2 more"
    yield {}, {"a": "1"}, "it was made by a version that did not record its code"


@pytest.mark.parametrize(("before", "now", "message"), list(names()))
def test_modules_that_changed_are_reported(before: dict[str, str], now: dict[str, str], message: str) -> None:
    assert changed_modules(before, now) == message
