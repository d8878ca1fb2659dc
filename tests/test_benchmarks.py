"""What the scripts in benchmarks/ import from the project exists."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parent.parent / "benchmarks").glob("*.py"))
PACKAGES = ("bench", "hallucinators", "protocols", "reports")


def _exists(module: str, name: str) -> bool:
    if hasattr(importlib.import_module(module), name):
        return True
    try:
        importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_imports_of_a_benchmark_script_exist(script: Path) -> None:
    nodes = [n for n in ast.walk(ast.parse(script.read_text(encoding="utf-8"))) if isinstance(n, ast.ImportFrom)]
    imports = [(n.module, a.name) for n in nodes if n.module and n.module.split(".")[0] in PACKAGES for a in n.names]
    assert imports
    assert [pair for pair in imports if not _exists(*pair)] == []
