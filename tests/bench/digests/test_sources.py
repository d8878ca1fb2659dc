"""What counts of a source in the digests of code, and which imports are seen in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.digests.sources import Import, parse_source, read_source

PLAIN = '''
"""A module."""
import numpy


def double(x: int) -> int:
    """Twice as much."""
    return 2 * x


class Empty:
    """Nothing."""
'''


def digest(text: str) -> str:
    return parse_source(text.encode()).digest


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("Twice as much.", "Another text."),
        PLAIN.replace('    """Twice as much."""\n', ""),
        PLAIN.replace('    """Nothing."""\n', "    pass\n"),
        PLAIN.replace('"""A module."""', "# a comment\n\n"),
        PLAIN.replace("import numpy", "import numpy  # why"),
        PLAIN.replace("return 2 * x", "return (2\n            * x)"),
        PLAIN
        + "\n\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\n".replace("    pass", "    import a"),
    ],
)
def test_prose_and_layout_change_no_digest(other: str) -> None:
    before = PLAIN if "TYPE_CHECKING" not in other else other.replace("import a", "import b")
    assert digest(other) == digest(before)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("2 * x", "3 * x"),
        PLAIN.replace("import numpy", "import scipy"),
        PLAIN.replace("class Empty", "class Void"),
        PLAIN.replace("x: int)", "x: int = 1)"),
        PLAIN.replace("x: int)", "x: float)"),  # factories convert arguments by their annotations
        PLAIN + "\nassert double(1) == 2\n",
        PLAIN + "\nTABLE = 1.0\n",
    ],
)
def test_code_changes_the_digest(other: str) -> None:
    assert digest(other) != digest(PLAIN)


def test_docstrings_count_where_the_module_reads_them() -> None:
    reading = PLAIN + "\nTEXT = double.__doc__\n"
    assert digest(reading) != digest(reading.replace("Twice as much.", "Another text."))


def test_the_else_branch_of_a_block_for_type_checkers_is_digested() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
    assert {statement.module for statement in parse_source(text.encode()).imports} == {"typing", "b"}
    text = "import typing\nif not typing.TYPE_CHECKING:\n    import b\nelse:\n    import a\n"
    assert {statement.module for statement in parse_source(text.encode()).imports} == {"typing", "b"}


def test_imports_inside_functions_and_by_literal_calls_are_seen() -> None:
    text = """
import a.b
def one():
    if True:
        from ..c import d, e as f
    try:
        import g
    except ImportError:
        import h
async def two():
    import importlib
    importlib.import_module("i.j")
    importlib.import_module(".k", __package__)
    importlib.import_module(".l", package="m.n")
    importlib.import_module(name)
    __import__("o")
    match name:
        case 1:
            import p
"""
    assert set(parse_source(text.encode()).imports) == {
        *(Import("a.b"), Import("c", 2, ("d", "e")), Import("g"), Import("h"), Import("importlib")),
        *(Import("i.j"), Import("k", 1), Import("m.n.l"), Import("o"), Import("p")),
    }


def test_a_digest_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(PLAIN + "\ndef f(x):\n    return x in {'a', 'b', 'c'}\n")
    script = "import sys, pathlib, bench.digests.sources as s; print(s.read_source(pathlib.Path(sys.argv[1])).digest)"
    result = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "module.py")],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[3])},
        ).stdout.strip()
        for seed in (1, 2, 3)
    }
    assert result == {read_source(tmp_path / "module.py").digest}


def test_a_data_file_that_a_module_names_is_digested(tmp_path: Path) -> None:
    module, table = tmp_path / "module.py", tmp_path / "tables" / "mean_face.npz"
    table.parent.mkdir()
    table.write_bytes(b"1")
    module.write_text('from pathlib import Path\nTABLE = Path(__file__).parent / "tables/mean_face.npz"\n')
    before = read_source(module).digest
    read_source.cache_clear()
    table.write_bytes(b"2")
    assert read_source(module).digest != before


def test_what_does_not_compile_counts_by_its_bytes(tmp_path: Path) -> None:
    for number, text in enumerate(("def (", "x = '\0'", "y = 1\n" * 2 + "\xff")):
        path = tmp_path / f"module_{number}.py"
        path.write_bytes(text.encode("latin-1"))
        assert len(read_source(path).digest) == 64
