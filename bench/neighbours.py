"""The top-level packages of this suite: another package of the same name on the path is an error."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bench.errors import BenchError

PACKAGES = ("hallucinators", "protocols", "reports")
"""The packages beside ``bench``."""
_MARK = "face-hallucination-bench"
"""Value of ``__distribution__`` in the ``__init__.py`` of each."""
_HOME = Path(__file__).resolve().parent.parent


def check_neighbours() -> None:
    """Check that the packages beside ``bench`` belong to this suite. Quick: nothing is imported.

    A folder of such a name without a package is ignored; in the working folder it would hide an editable install.

    Raises:
        BenchError: another package comes first on the path or has overwritten this suite's, or one is missing; the
            text names both folders.
    """
    for name in PACKAGES:
        place = _HOME / name
        if not _is_ours(place):
            state = "belongs to another distribution" if place.exists() else "is missing"
            raise BenchError(
                f"The package {name!r} in {place} {state}, and bench needs its own package there: install bench again, "
                f"in an environment without other packages named {', '.join(PACKAGES)}."
            )
        spec = _spec_of(name)
        if spec is not None and spec.origin is None and name not in sys.modules:
            _take_ours(name)
        elif spec is None or _folder_of(spec) != place:
            where = "nowhere" if spec is None else f"first in {_folder_of(spec) or spec.origin or 'another place'}"
            raise BenchError(
                f"The package {name!r} is found {where}, but bench needs the one beside itself, {place}: run "
                "from another folder, remove the other one from PYTHONPATH, or rename it."
            )


def _is_ours(place: Path) -> bool:
    try:
        return _MARK in (place / "__init__.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def _spec_of(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ValueError, ImportError):  # a module without a spec was put into sys.modules by hand
        return None


def _folder_of(spec: ModuleSpec) -> Path | None:
    """The folder of a package, the file of a lone module; None where there is neither."""
    if spec.origin is None:
        folders = list(spec.submodule_search_locations or ())
        return Path(folders[0]).resolve() if folders else None
    path = Path(spec.origin).resolve()
    return path.parent if path.name == "__init__.py" else path


def _take_ours(name: str) -> None:
    """Import this suite's package where Python would use a folder without code."""
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
