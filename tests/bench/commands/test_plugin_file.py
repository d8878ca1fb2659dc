"""``--plugin FILE.py``: components of a single file, without a package."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bench.interfaces import REGISTRIES
from bench.modules.plugin_file import VARIABLE
from bench.registry import load_plugins

Bench = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[3]
CODE = """
from bench.images import resize_float
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.types import ImageSpec

@HALLUCINATORS.register({name!r}, summary="Bicubic.")
class Larger(Hallucinator):
    output_spec = ImageSpec(32)
    def hallucinate(self, lr):
        return resize_float(lr, 32, 32).clip(0, 1)
"""


@pytest.fixture(autouse=True)
def no_plugin_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    load_plugins()
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setenv(VARIABLE, "{}")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("plugin_file_"):
            del sys.modules[name]


def plugin(folder: Path, *, name: str = "larger") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(CODE.format(name=name))
    return path


def test_a_run_measures_the_hallucinator_of_a_file_and_records_its_digest(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    path, common = plugin(tmp_path), ("--data-root", toy_root, "--recogniser", "pixels", "--threads", 1, "--no-cache")
    by_file = ("run", "--protocol", "toys", "--hallucinator", "larger", "--plugin", path, *common)
    bicubic = ("run", "--protocol", "toys", "--hallucinator", "bicubic:size=32", *common)
    assert bench(*bicubic, "--out", tmp_path / "b")[0] == 0
    code, _, err = bench(*by_file, "--out", tmp_path / "a")
    assert code == 0, err
    assert f"--plugin {path}" in err
    a, b = (json.loads((tmp_path / run / "run.json").read_text()) for run in "ab")
    assert a["metrics"] == b["metrics"]
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert a["environment"]["plugin_files"] == [{"name": "larger.py", "sha256": sha256}]
    assert "plugin_file_larger" in a["code"]
    assert "plugin_files" not in b["environment"]


def test_list_check_and_hallucinate_take_the_option(bench: Bench, tmp_path: Path) -> None:
    path = plugin(tmp_path, name="widened")
    assert "hallucinator widened" in bench("list", "widened", "--plugin", path)[1]
    checks = bench("check", "widened", "--plugin", path)[1]  # it is a bicubic resize, and nothing else is wrong
    assert "32 of 32 outputs equal a bicubic resize" in checks and "widened: 10 of 11 checks passed" in checks
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(tmp_path / "face.png")
    words = ("hallucinate", tmp_path / "face.png", "--whole", "--hallucinator", "widened", "--out", tmp_path / "out")
    assert bench(*words, "--plugin", path)[0] == 0
    assert Image.open(tmp_path / "out" / "face.png").size == (32, 32)


def test_a_child_process_runs_the_same_bytes_and_refuses_others(tmp_path: Path) -> None:
    path = plugin(tmp_path, name="of_parent")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    code = "from bench.registry import load_plugins\nfrom bench.interfaces import HALLUCINATORS\nload_plugins()\n"
    code += "print('of_parent' in HALLUCINATORS)"

    def child() -> subprocess.CompletedProcess[str]:
        environment = os.environ | {VARIABLE: json.dumps({str(path): sha256}), "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert child().stdout == "True\n"
    path.write_text(path.read_text() + "# changed\n")
    assert "of_parent.py has changed since this command began" in child().stderr


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("def", "SyntaxError"),
        ("import absent_module", "ModuleNotFoundError: No module named 'absent_module'"),
        ("import sys; sys.exit(0)", "it called sys.exit(0)"),
        (CODE.format(name="bicubic"), "'bicubic' of plugin_file_broken is already registered"),
    ],
)
def test_a_file_that_fails_ends_the_command_with_its_cause(code: str, cause: str, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(code)
    status, _, err = bench("list", "--plugin", path)
    assert status == 1
    assert cause in err and "broken.py failed" in err and err.count("\n") == 1


def test_absent_files_other_files_and_two_of_a_name_are_refused(bench: Bench, tmp_path: Path) -> None:
    assert bench("list", "--plugin", tmp_path / "absent.py")[::2] == (
        3,
        f"bench: There is no plugin file {tmp_path / 'absent.py'}.\n",
    )
    assert "must be a Python file" in bench("list", "--plugin", tmp_path / "net.pt")[2]
    first, second = plugin(tmp_path / "a", name="twin"), plugin(tmp_path / "b", name="twin")
    assert "Two plugin files are named twin.py" in bench("list", "--plugin", first, "--plugin", second)[2]
    assert bench("list", "--plugin", first, "--plugin", first)[0] == 0
