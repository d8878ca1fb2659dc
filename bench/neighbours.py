"""The four top-level packages of this suite: another one of the same name on the path is named, never half used."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bench.errors import BenchError

PACKAGES = ("hallucinators", "protocols", "reports")
"""What stands beside ``bench``."""
_MARK = "face-hallucination-bench"
"""Stands in the ``__init__.py`` of each, as ``__distribution__``."""
_HOME = Path(__file__).resolve().parent.parent


def check_neighbours() -> None:
    """Make sure that the packages beside ``bench`` are this suite's. Quick: nothing is imported.

    A folder of such a name that holds no package, which hides an editable install when it lies in the working folder,
    is passed over.

    Raises:
        BenchError: another package is found first, has overwritten this suite's, or one is missing; the text names
            both places.
    """
    for name in PACKAGES:
        place = _HOME / name
        if not _is_ours(place):
            state = "belongs to another distribution" if place.exists() else "is missing"
            raise BenchError(
                f"The package {name!r} in {place} {state}, and bench needs its own there: install bench again, in an "
                f"environment without other packages named {', '.join(PACKAGES)}."
            )
        spec = _spec_of(name)
        if spec is not None and spec.origin is None and name not in sys.modules:
            _take_ours(name)
        elif spec is None or _folder_of(spec) != place:
            where = "nowhere" if spec is None else f"first in {_folder_of(spec) or spec.origin or 'another place'}"
            raise BenchError(
                f"The package {name!r} is found {where}, but bench needs the one beside itself, {place}: run "
                "from another folder, take the other one off PYTHONPATH, or rename it."
            )


def _is_ours(place: Path) -> bool:
    try:
        return _MARK in (place / "__init__.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def _spec_of(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ValueError, ImportError):  # a module without a spec was put there by hand
        return None


def _folder_of(spec: ModuleSpec) -> Path | None:
    """The folder of a package, the file of a lone module; None where there is neither."""
    if spec.origin is None:
        folders = list(spec.submodule_search_locations or ())
        return Path(folders[0]).resolve() if folders else None
    path = Path(spec.origin).resolve()
    return path.parent if path.name == "__init__.py" else path


def _take_ours(name: str) -> None:
    """Import this suite's package where a folder without code would be taken for it."""
    spec = PathFinder.find_spec(name, [str(_HOME)])
    if spec is None or spec.loader is None:
        raise BenchError(f"The package {name!r} in {_HOME / name} cannot be imported: install bench again.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
