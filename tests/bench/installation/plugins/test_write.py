"""Packages of `bench plugin new`: short, equal to the docs, and they work as installed packages do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import UsageError
from bench.images import encode_png
from bench.installation.plugins.write import KINDS, MOST_LINES, plugin_files

Bench = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[4]


def install(site: Path, name: str, kind: str) -> None:
    """What pip leaves in a folder of packages: the module and the entry point."""
    files = plugin_files(name, kind)
    (module,) = (file for file in files if file.endswith(".py"))
    site.mkdir(exist_ok=True)
    (site / module).write_text(files[module])
    information = site / f"{module.removesuffix('.py')}-0.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bench-{name}\nVersion: 0.1\n")
    (information / "RECORD").write_text(f"{module},,\n")
    (information / "entry_points.txt").write_text(f"[bench.plugins]\n{name} = {module.removesuffix('.py')}\n")


def run(site: Path, *arguments: object) -> str:
    """Standard output of ``bench`` in a process that sees the packages of the folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_short_and_valid(kind: str) -> None:
    files = plugin_files("my-thing", kind)
    assert (
        set(files) == {"pyproject.toml", "bench_my_thing.py"}
        and 'my-thing = "bench_my_thing"' in files["pyproject.toml"]
    )
    module = files["bench_my_thing.py"]
    compile(module, "module", "exec")
    assert "class MyThing(" in module and "$" not in module
    assert len([line for line in module.splitlines() if line.strip()]) <= MOST_LINES


@pytest.mark.parametrize(("name", "kind"), [("my-network", "hallucinator"), ("my-recogniser", "recogniser")])
def test_the_docs_show_the_template(name: str, kind: str) -> None:
    module = plugin_files(name, kind)[f"bench_{name.replace('-', '_')}.py"]
    assert f"```python\n{module}```" in (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["hallucinator", "recogniser"])
def test_a_new_component_passes_its_check(tmp_path: Path, kind: str) -> None:
    install(tmp_path / "site", "my-thing", kind)
    assert "FAIL" not in run(tmp_path / "site", "check", "my-thing")


def test_a_new_protocol_and_a_new_aligner_run_together(tmp_path: Path) -> None:
    install(tmp_path / "site", "my-data", "protocol")
    install(tmp_path / "site", "my-aligner", "aligner")
    for role in ("gallery", "probe"):
        for person in range(3):
            rough = np.random.default_rng(person).integers(0, 256, (8, 8, 3), np.uint8)
            path = tmp_path / "data" / role / f"{person}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(np.kron(rough, np.ones((8, 8, 1), np.uint8))))
    options = ("--data-root", tmp_path / "data", "--align", "my-aligner", "--out", tmp_path / "run", "--threads", 1)
    run(tmp_path / "site", "run", "--protocol", "my-data", *options, "--cache", tmp_path / "cache")
    score = json.loads(run(tmp_path / "site", "score", tmp_path / "run", "--json"))
    assert "rank-1" in json.dumps(score)


def test_the_command_writes_a_new_folder_only(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = bench("plugin", "new", "my-network")
    assert code == 0, err
    assert (
        "pip install -e bench-my-network" in out and (tmp_path / "bench-my-network" / "bench_my_network.py").is_file()
    )
    code, _, err = bench("plugin", "new", "my-network")
    assert code == 2 and "not an empty folder" in err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("My Network",), "lower-case letters"),
        (("bicubic",), "There is a hallucinator 'bicubic' already"),
        (("my-network", "--kind", "detector"), "known are hallucinator, recogniser, aligner, protocol"),
    ],
)
def test_impossible_names_and_kinds_are_refused(bench: Bench, given: tuple[str, ...], expected: str) -> None:
    code, _, err = bench("plugin", "new", *given)
    assert code == 2 and expected in err


def test_a_name_with_a_dollar_sign_is_no_template() -> None:
    with pytest.raises(UsageError, match="lower-case letters"):
        plugin_files("$name", "hallucinator")
