"""The commands that need no run: list, check, doctor, config, data."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import registry
from bench.__main__ import main
from bench.checks.conformance import Check

Bench = Callable[..., tuple[int, str, str]]


def test_list_shows_every_kind_and_whether_it_can_run(bench: Bench) -> None:
    code, out, _ = bench("list", "--json")
    assert code == 0
    components = {(c["kind"], c["name"]): c for c in json.loads(out)["components"]}
    for key in (
        ("protocol", "tinyface"),
        ("hallucinator", "none"),
        ("hallucinator", "bicubic"),
        ("recogniser", "sface"),
    ):
        assert components[key]["runs_here"] is True
    for component in components.values():
        assert component["summary"].endswith((".", ")"))
        assert component["source"]
        assert component["licence"] or component["kind"] == "aligner"
        assert component["runs_here"] == (component["why_not"] is None)
    arguments = {a["name"]: a for a in components["protocol", "tinyface"]["arguments"]}
    assert (arguments["variant"]["type"], arguments["variant"]["default"]) == ("official|adaface", "official")


def test_a_component_is_shown_in_full_and_a_typo_is_met_with_the_near_name(bench: Bench) -> None:
    code, out, _ = bench("list", "bicubic")
    assert code == 0
    assert "size=int (default 128)" in out
    code, _, err = bench("list", "sfase")
    assert code == 2
    assert "Did you mean 'sface'" in err


def test_help_and_list_answer_at_once_without_torch() -> None:
    script = (
        "import sys, time; start = time.perf_counter()\n"
        "from bench.__main__ import main\n"
        "main(['list'])\n"
        "heavy = {'torch', 'onnxruntime', 'cv2', 'scipy', 'pandas', 'matplotlib', 'skimage'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert time.perf_counter() - start < 2  # 0.2 s where nothing else runs


def test_a_plugin_that_fails_to_import_is_named_with_its_cause(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = registry.PluginFailure("mynet", "my-package", "ImportError: no such thing")
    monkeypatch.setattr(registry, "_FAILURES", [failure])
    code, out, _ = bench("list")
    assert code == 0
    assert "Plugin 'mynet' of my-package failed to load: ImportError: no such thing" in out
    assert json.loads(bench("list", "--json")[1])["broken_plugins"][0]["cause"] == "ImportError: no such thing"
    assert "Plugin 'mynet' failed to load" in bench("check", "mynet")[2]


def test_the_doctor_finds_this_installation_sound(bench: Bench) -> None:
    code, out, _ = bench("doctor", "--quick")
    assert code == 0, out
    for canary in (
        "none-equals-bicubic", "oracle-bounds-from-above", "noise-bounds-from-below", "shuffled-labels",
        "constant-embeddings-rank-last", "nan-is-a-failure-not-a-rank", "catches-swapped-channels",
        "catches-constant-output", "catches-finite", "catches-output-equals-input", "catches-batch-independence",
    ):  # fmt: skip
        assert f"ok   {canary}" in out


def test_the_doctor_begins_with_the_installation(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.checks.doctor.examine", lambda *_, **__: [Check("one", True, "seen")])
    code, out, _ = bench("doctor", "--quick")
    assert code == 0, out
    headings = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert headings[:8] == [
        "System", "Python and packages", "Devices", "Storage", "Weights", "Data sets", "Plugins", "Canaries",
    ]  # fmt: skip
    messages = json.loads(bench("doctor", "--quick", "--json")[1])
    assert messages["passed"] is True
    assert messages["canaries"] == [{"name": "one", "passed": True, "detail": "seen", "warns": False}]
    assert {"section", "name", "value", "level", "hint"} == set(messages["installation"][0])


def test_the_doctor_fails_where_what_every_run_needs_does_not_work(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("bench.checks.doctor.examine", lambda *_, **__: [Check("one", True, "seen")])
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    code, out, _ = bench("doctor", "--quick")
    assert code == 1
    assert "FAIL cache" in out
    assert json.loads(bench("doctor", "--quick", "--json")[1])["passed"] is False


def test_canaries_that_a_broken_package_stops_are_a_failure_and_no_traceback(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr("bench.checks.doctor.examine", broken)
    code, out, _ = bench("doctor", "--quick")
    assert code == 1
    assert "FAIL canaries-run" in out
    assert "libGL.so.1" in out


def test_the_doctor_looks_at_frames_unless_it_is_to_be_quick(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.checks.doctor.examine", lambda *_, **__: [Check("one", True, "seen")])
    monkeypatch.setattr("bench.checks.frontalisers.examine_frames", lambda _: [Check("places-net", False, "off")])
    code, out, _ = bench("doctor")
    assert code == 1
    assert "FAIL places-net" in out
    code, out, _ = bench("doctor", "--quick")
    assert code == 0
    assert "places-net" not in out


def test_the_doctor_reports_a_canary_that_raises(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.checks.conformance.inspect_outputs", lambda *_, **__: [])
    code, out, _ = bench("doctor", "--quick")
    assert code == 1
    assert "FAIL catches-swapped-channels" in out


@pytest.mark.parametrize("name", ["none", "bicubic", "bicubic:size=40", "sface"])
def test_what_is_shipped_keeps_its_contract(bench: Bench, name: str) -> None:
    code, out, _ = bench("check", name)
    assert code == 0, out


def test_the_data_check_prints_its_findings_and_sets_the_exit_code(
    bench: Bench, small_tinyface: Path, tmp_path: Path
) -> None:
    code, out, _ = bench("data", "check", "tinyface", small_tinyface)
    assert code == 4
    assert "NOT the official set" in out
    code, out, _ = bench("data", "check", "tinyface", small_tinyface, "--json")
    assert json.loads(out)["verdict"] == "differs"
    code, _, err = bench("data", "check", "tinyface", tmp_path / "absent")
    assert code == 3
    assert "qmul-tinyface.github.io" in err


def test_a_wrong_command_line_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["rum"])
    assert caught.value.code == 2


def test_a_score_of_a_missing_run_is_an_error_with_advice(bench: Bench, tmp_path: Path) -> None:
    code, _, err = bench("score", tmp_path)
    assert code == 3
    assert "No run in" in err


def test_check_prints_its_checks_as_json_with_the_same_exit_code(bench: Bench) -> None:
    code, out, _ = bench("check", "bicubic", "--json")
    checked = json.loads(out)
    assert (code, checked["passed"], checked["component"]) == (0, True, "bicubic")
    assert all(check["passed"] for check in checked["checks"]) and "name" in checked["checks"][0]
