"""The names of ``import bench``: imported late, typed, and none of them hidden by a room of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bench

FOLDER = Path(bench.__file__).parent


def test_importing_the_package_takes_milliseconds_and_imports_no_other_package() -> None:
    script = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import bench; "
        "spent = time.perf_counter() - start; "
        "print(spent, *sorted({name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    lines = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in "123"]
    words = [line.stdout.split() for line in lines]
    assert min(float(spent) for spent, *_ in words) < 0.1
    assert [packages for _, *packages in words] == [["bench"]] * 3


def test_every_name_of_the_interface_can_be_imported_and_is_the_one_of_its_module() -> None:
    for name in set(bench.__all__) - {"__version__"}:
        value = getattr(bench, name)
        module, _, other = bench._MODULES[name].partition(":")
        assert (value.__module__, value.__name__) == (module, other or name)
        assert value.__doc__ and name in dir(bench)
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        bench.runn  # noqa: B018


def test_the_types_name_the_same_modules_as_the_package() -> None:
    stub = ast.parse((FOLDER / "__init__.pyi").read_text(encoding="utf-8"))
    typed = {
        alias.asname: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {name: tuple(f"{place}:{name}".split(":")[:2]) for name, place in bench._MODULES.items()}
    (names,) = [node.value for node in stub.body if isinstance(node, ast.Assign)]
    assert ast.literal_eval(names) == bench.__all__


def test_no_room_has_the_name_of_a_function_of_the_interface() -> None:
    rooms = {path.stem for path in FOLDER.iterdir()}
    assert not rooms & set(bench._MODULES), "importing the room would replace the function"
