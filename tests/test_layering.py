"""The floors of `docs/architecture.md`: no import goes up, no circle of files or rooms; deferred imports count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bench", "hallucinators", "protocols", "reports")
MOST_FILES = 16
FLOOR_0 = ("bench.errors", "bench.types", "bench.studies", "bench.results", "bench.io")
FLOOR_1 = ("bench.media", "bench.metrics", "bench.digests", "bench.grammar", "bench.onnx", "bench.modules")
FLOOR_4 = ("bench.api", "bench.commands", "bench.__main__")
WITHOUT_TORCH = ("bench.results", "bench.errors", "bench.types", "bench.studies", "reports")


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def _imports(module: str, path: Path) -> Iterator[str]:
    """First-party modules that a file imports, at the top or inside functions, or for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            inside = [name for name in submodules if name in MODULES]
            names = inside if len(inside) == len(submodules) else [*inside, node.module]
        else:
            continue
        yield from (name for name in names if name in MODULES and name != module)


ARROWS = {module: sorted(set(_imports(module, path))) for module, path in MODULES.items()}


def _below(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def floor(module: str) -> int:
    """0 to 4; a module may import its own floor and lower ones."""
    if _below(module, FLOOR_4):
        return 4
    if not module.startswith("bench"):
        return 3
    if _below(module, FLOOR_0):
        return 0
    if module.count(".") <= 1 and MODULES[module].name != "__init__.py" or _below(module, FLOOR_1) or module == "bench":
        return 1
    return 2


def _circle(arrows: dict[str, set[str]]) -> list[str]:
    try:
        tuple(TopologicalSorter(arrows).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_goes_up() -> None:
    upward = [f"{a} -> {b}" for a, targets in ARROWS.items() for b in targets if floor(b) > floor(a)]
    assert upward == []


def test_hallucinators_protocols_and_reports_do_not_import_each_other() -> None:
    across = [
        f"{a} -> {b}"
        for a, targets in ARROWS.items()
        for b in targets
        if floor(a) == floor(b) == 3 and a.split(".")[0] != b.split(".")[0]
    ]
    assert across == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert _circle({module: set(targets) for module, targets in ARROWS.items()}) == []


@pytest.mark.parametrize("depth", [2, 3])
def test_no_rooms_import_each_other_in_a_circle(depth: int) -> None:
    def room(module: str) -> str:
        parts = module.split(".")
        whole = parts if MODULES[module].name == "__init__.py" else parts[:-1]
        return ".".join(whole[:depth]) if len(whole) >= depth or len(whole) == len(parts) else module

    arrows: dict[str, set[str]] = {}
    for module, targets in ARROWS.items():
        arrows.setdefault(room(module), set()).update(room(target) for target in targets)
    for name, targets in arrows.items():
        targets.discard(name)
    assert _circle(arrows) == []


def test_no_folder_holds_more_files_than_the_limit() -> None:
    folders: dict[Path, int] = {}
    for path in MODULES.values():
        folders[path.parent] = folders.get(path.parent, 0) + 1
    assert {str(f.relative_to(ROOT)): n for f, n in folders.items() if n > MOST_FILES} == {}


def test_every_room_says_what_it_is_for() -> None:
    silent = [
        module
        for module, path in MODULES.items()
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
