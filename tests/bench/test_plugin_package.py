"""A real third-party package, installed beside the suite by tox, seen through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SITE = os.environ.get("BENCH_PLUGIN_SITE")
pytestmark = pytest.mark.skipif(not SITE, reason="the plugin package is not installed; `tox -e plugin` does that")


def bench(*args: str, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(SITE)}
    done = subprocess.run([sys.executable, "-m", "bench", *args], env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_the_plugin_is_listed_with_its_arguments() -> None:
    listed = json.loads(bench("list", "sharpen", "--json"))["components"]
    assert [(c["name"], c["module"], c["runs_here"]) for c in listed] == [("sharpen", "bench_sharpen", True)]
    description = "how much of the difference to the blurred image is added; 0 leaves it as it is."
    argument = {"name": "amount", "type": "float", "required": False, "default": 0.5, "description": description}
    assert listed[0]["arguments"] == [argument]


def test_a_plugin_that_fails_to_import_is_named_with_its_cause_and_breaks_nothing() -> None:
    text = bench("list")
    assert "Plugin 'broken-neighbour' of bench-sharpen failed to load" in text
    assert "No module named 'a_package_that_nobody_has'" in text
    assert "bicubic" in text
    assert "broken-neighbour" in bench("check", "sharpn", code=2)


def test_the_plugin_keeps_its_contract() -> None:
    assert "FAIL" not in bench("check", "sharpen:amount=0.3")


def test_the_plugin_runs_and_its_arguments_are_recorded(tmp_path: Path, small_tinyface: Path) -> None:
    out = tmp_path / "run"
    command = ["run", "--protocol", "tinyface", "--data-root", str(small_tinyface), "--out", str(out)]
    bench(*command, "--hallucinator", "sharpen:amount=0.25", "--cache", str(tmp_path / "cache"))
    stages = json.loads((out / "run.json").read_text())["stages"]
    step = next(stage for stage in stages if stage["stage"] == "hallucinate")
    assert (step["name"], step["arguments"]) == ("sharpen", {"amount": 0.25})
