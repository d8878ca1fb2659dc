"""Plugins that fail: they are named with the cause, the others go on, and the command does not succeed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAD = """
import sys
from bench.interfaces import HALLUCINATORS, Hallucinator

@HALLUCINATORS.register("theirs", summary="Somebody's.", missing=lambda: {missing})
class Theirs(Hallucinator):
    def __init__(self):
        {build}
    def hallucinate(self, lr):
        {run}
        return lr
"""


def install(site: Path, name: str, source: str) -> None:
    """A distribution of one module with one entry point."""
    site.mkdir(exist_ok=True)
    (site / f"{name}.py").write_text(source)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[bench.plugins]\n{name} = {name}\n")


def bench(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    command = [sys.executable, "-m", "bench", *args]
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True)


def theirs(*, build: str = "pass", run: str = "pass", missing: str = "None") -> str:
    return HEAD.format(build=build, run=run, missing=missing)


@pytest.mark.parametrize(
    "leave", ["sys.exit(0)", "sys.exit('no licence')", "raise GeneratorExit", "raise OSError('x')"]
)
def test_a_plugin_that_ends_the_program_at_import_is_listed_as_failed_and_the_others_are_there(
    tmp_path: Path, leave: str
) -> None:
    install(tmp_path, "leaving", f"import sys\n{leave}\n")
    install(tmp_path, "staying", theirs())
    done = bench(tmp_path, "list")
    assert "Plugin 'leaving' of leaving failed to load" in done.stdout and done.returncode == 0
    assert "theirs" in done.stdout and "bicubic" in done.stdout
    broken = json.loads(bench(tmp_path, "list", "--json").stdout)["broken_plugins"]
    assert [plugin["name"] for plugin in broken] == ["leaving"]
    assert bench(tmp_path, "check", "leaving").returncode == 2


def run(tmp_path: Path, data: Path, hallucinator: str) -> subprocess.CompletedProcess[str]:
    command = ["run", "--protocol", "tinyface", "--data-root", str(data), "--no-cache", "--images", "none"]
    return bench(tmp_path / "site", *command, "--hallucinator", hallucinator, "--out", str(tmp_path / "out"))


@pytest.mark.parametrize("where", ["build", "run"])
def test_sys_exit_while_it_is_built_or_runs_is_its_failure_in_one_line(
    tmp_path: Path, small_tinyface: Path, where: str
) -> None:
    install(tmp_path / "site", "leaving", theirs(**{where: "sys.exit(0)"}))
    done = run(tmp_path, small_tinyface, "theirs")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert "theirs" in last and "sys.exit(0)" in last
    assert not (tmp_path / "out").exists()


def test_a_cell_that_ends_the_program_fails_alone_and_the_study_does_not_succeed(
    tmp_path: Path, small_tinyface: Path
) -> None:
    install(tmp_path / "site", "leaving", theirs(run="sys.exit(0)"))
    done = run(tmp_path, small_tinyface, "theirs,none")
    assert done.returncode == 1
    cells = json.loads((tmp_path / "out" / "study.json").read_text())["cells"]
    assert [(cell["hallucinator"], cell["state"]) for cell in cells] == [("theirs", "failed"), ("none", "done")]


def test_an_interrupt_from_within_a_plugin_still_interrupts(tmp_path: Path, small_tinyface: Path) -> None:
    install(tmp_path / "site", "leaving", theirs(run="raise KeyboardInterrupt"))
    done = run(tmp_path, small_tinyface, "theirs,none")
    assert done.returncode == 130 and "interrupted" in done.stderr
    cells = json.loads((tmp_path / "out" / "study.json").read_text())["cells"]
    assert {cell["state"] for cell in cells} == {"waiting"}


def test_a_fault_in_the_check_of_what_a_plugin_needs_is_the_reason_why_it_cannot_run(tmp_path: Path) -> None:
    install(tmp_path, "leaving", theirs(missing="sys.exit(0)"))
    done = bench(tmp_path, "list", "hallucinators")
    assert done.returncode == 0 and "cannot run here: The check of what it needs failed" in done.stdout


def test_bench_check_of_a_component_that_ends_the_program_does_not_succeed(tmp_path: Path) -> None:
    install(tmp_path, "leaving", theirs(run="sys.exit(0)"))
    done = bench(tmp_path, "check", "theirs")
    assert done.returncode == 1 and "sys.exit(0)" in done.stdout + done.stderr


def test_a_recogniser_that_ends_the_program_is_named_and_the_run_fails(tmp_path: Path, small_tinyface: Path) -> None:
    source = (
        "import sys\nimport numpy as np\nfrom bench.interfaces import RECOGNISERS, Recogniser\n"
        "from bench.align.templates import ARCFACE_112\n"
        "@RECOGNISERS.register('theirs', summary='Somebody\\'s.')\n"
        "class Theirs(Recogniser):\n    face, embedding_size = ARCFACE_112, 4\n"
        "    def embed(self, chips):\n        sys.exit(0)\n"
    )
    install(tmp_path / "site", "leaving", source)
    command = ["run", "--protocol", "tinyface", "--data-root", str(small_tinyface), "--no-cache"]
    done = bench(tmp_path / "site", *command, "--recogniser", "theirs", "--out", str(tmp_path / "out"))
    assert done.returncode == 1 and "theirs failed: it ends the program: sys.exit(0)" in done.stderr.splitlines()[-1]
