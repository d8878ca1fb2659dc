"""Registration, argument conversion, and the errors of both; plugins that fail are named and the others go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from bench.errors import UnknownNameError, UsageError
from bench.registry import Registry, Spec

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


class Thing:
    def __init__(self, **values: object) -> None:
        self.values = values


@pytest.fixture
def things() -> Registry[Thing]:
    registry: Registry[Thing] = Registry("thing")

    @registry.register("plain", summary="A thing.")
    def plain(
        *, size: int = 8, name: str = "x", mode: Literal["a", "b"] = "a", path: Path | None = None, on: bool = False
    ) -> Thing:
        return Thing(size=size, name=name, mode=mode, path=path, on=on)

    @registry.register("strict", summary="A thing that needs to be told.")
    def strict(*, size: int) -> Thing:
        return Thing(size=size)

    return registry


def test_arguments_are_converted_to_their_types(things: Registry[Thing]) -> None:
    given = {"size": "16", "mode": "b", "path": "/tmp/x", "on": "yes"}
    values = things["plain"].create(given).values
    assert values == {"size": 16, "name": "x", "mode": "b", "path": Path("/tmp/x"), "on": True}


def test_every_wrong_argument_is_listed_at_once(things: Registry[Thing]) -> None:
    with pytest.raises(UsageError) as caught:
        things["plain"].configure({"size": "big", "sizes": "1", "mode": "c"})
    text = str(caught.value)
    assert "'big' is not a whole number" in text
    assert "unknown argument 'sizes' (did you mean 'size'?);" in text
    assert "'c' is none of a, b" in text


def test_a_missing_required_argument_is_an_error(things: Registry[Thing]) -> None:
    with pytest.raises(UsageError, match="size is required"):
        things["strict"].create()


def test_an_unknown_name_suggests_the_near_one_and_lists_all(things: Registry[Thing]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        things["plian"]
    assert "Did you mean 'plain'?" in str(caught.value)
    assert "plain, strict" in str(caught.value)


def test_a_name_clash_is_an_error_and_the_first_stays(things: Registry[Thing]) -> None:
    before = things["plain"]
    with pytest.raises(UsageError, match="already registered"):
        things.register("plain", summary="Another.")(Thing)
    assert things["plain"] is before


@pytest.mark.parametrize("name", ["", "a:b", "a+b", "a b", "a/b", "a=b", "a,b"])
def test_a_name_that_the_grammar_could_not_read_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        Registry[Thing]("thing").register(name, summary="")


def test_a_specification_is_read_and_written_back() -> None:
    spec = Spec.parse("net:size=16,points=[1,2,3]")
    assert spec == Spec("net", (("size", "16"), ("points", "[1,2,3]")))
    assert Spec.parse(str(spec)) == spec


@pytest.mark.parametrize("text", ["", ":", "net:", "net:size", "net:=3", "net:size=1,size=2"])
def test_a_malformed_specification_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Spec.parse(text)


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
def test_sys_exit_at_construction_or_at_run_time_is_a_failure_of_the_component_in_one_line(
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


def test_a_fault_in_the_requirement_check_of_a_plugin_is_the_reason_why_it_cannot_run(tmp_path: Path) -> None:
    install(tmp_path, "leaving", theirs(missing="sys.exit(0)"))
    done = bench(tmp_path, "list", "hallucinators")
    assert done.returncode == 0 and "cannot run here: The check of its requirements failed" in done.stdout


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
    assert done.returncode == 1 and "theirs failed: it called sys.exit(0)" in done.stderr.splitlines()[-1]
