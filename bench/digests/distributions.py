"""The modules of a plugin: those of its distribution, or those beside a module of no distribution."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, distributions, entry_points, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bench.digests.sources import EXTENSIONS
from bench.registry import ENTRY_POINT_GROUP

OWN_DISTRIBUTION = "face-hallucination-bench"
_ENDS = (".py", *EXTENSIONS)


@dataclass(frozen=True)
class Modules:
    """The modules of a plugin.

    Attributes:
        start: files of the modules that are always included, by dotted name.
        root: folder of its top-level modules; imports from there are included too, unless they are of another
            distribution. None where there are none.
        shared: whether other distributions are installed in that folder.
        versions: digests of distributions that are included only by their version, by name.
    """

    start: Mapping[str, Path] = field(default_factory=dict)
    root: Path | None = None
    shared: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)


def modules_beside(module: str, path: Path) -> Modules:
    """The modules to digest with a module of another distribution.

    The distribution of a plugin (with an entry point of this suite, or installed in editable mode) is included with all
    modules; another distribution (a library) by its version. A module of no distribution is included with its imports
    from the same folder.

    Args:
        module: its dotted name.
        path: its file.
    """
    parts = module.split(".")
    inside = parts + (["__init__"] if path.stem == "__init__" else [])
    fits = [part.stem for part in (path, *path.parents)][: len(inside)] == inside[::-1]
    root = path.parents[len(inside) - 1] if fits else path.parent
    alone = {module: path}
    shared = any(root.glob("*.dist-info")) or any(root.glob("*.egg-info"))
    distribution = distribution_of(module, path)
    if distribution is None:
        return Modules(alone, root, shared)
    if not _is_plugin(distribution):
        name = f"{distribution.metadata['Name']} (distribution)"
        text = f"{distribution.version}\n{distribution.read_text('RECORD') or ''}"
        return Modules(alone, None, shared, {name: hashlib.sha256(text.encode()).hexdigest()})
    return Modules({**modules_of(distribution, parts[0]), **alone}, root, shared)


def is_foreign(name: str, modules: Modules) -> bool:
    """Whether an import of a plugin is of the standard library or of another distribution."""
    top = name.split(".")[0]
    return top in sys.stdlib_module_names or (modules.shared and top in _tops_of_distributions())


def distribution_of(module: str, path: Path) -> Distribution | None:
    """The installed distribution of a module; None for a module of none, and for modules of this suite."""
    examined = []
    for distribution in (*_plugins(), *distributions()):
        name = distribution.metadata["Name"]
        if name == OWN_DISTRIBUTION or name in examined:
            continue
        examined.append(name)
        if _holds(distribution, module, path):
            return distribution
    return None


def modules_of(distribution: Distribution, top: str = "") -> dict[str, Path]:
    """Files of all modules of a distribution, by dotted name.

    Args:
        distribution: an installed one.
        top: a known top-level module, for distributions that do not list theirs.
    """
    listed = {} if _editable_root(distribution) else dict(_listed(distribution))
    if listed:
        return listed
    root = _editable_root(distribution) or Path(str(distribution.locate_file("")))
    tops = {top, *(distribution.read_text("top_level.txt") or "").split()} - {""}
    tops |= {p.module.split(".")[0] for p in distribution.entry_points if p.group == ENTRY_POINT_GROUP}
    return {name: path for each in sorted(tops) for name, path in _below(each, root)}


@cache
def _plugins() -> tuple[Distribution, ...]:
    return tuple(point.dist for point in entry_points(group=ENTRY_POINT_GROUP) if point.dist)


def _is_plugin(distribution: Distribution) -> bool:
    name = distribution.metadata["Name"]
    return _editable_root(distribution) is not None or any(name == p.metadata["Name"] for p in _plugins())


def _holds(distribution: Distribution, module: str, path: Path) -> bool:
    root = _editable_root(distribution)
    if root is not None:
        return path.is_relative_to(root) and "site-packages" not in path.relative_to(root).parts
    base = Path(str(distribution.locate_file("")))
    if not path.is_relative_to(base):
        return False
    if distribution.files is not None:
        relative = path.relative_to(base).as_posix()
        return any(file.as_posix() == relative for file in distribution.files)
    tops = {p.module.split(".")[0] for p in distribution.entry_points if p.group == ENTRY_POINT_GROUP}
    return module.split(".")[0] in tops | set((distribution.read_text("top_level.txt") or "").split())


def _editable_root(distribution: Distribution) -> Path | None:
    """The project's folder where it is installed in editable mode."""
    try:
        url = json.loads(distribution.read_text("direct_url.json") or "{}")
        if not url.get("dir_info", {}).get("editable"):
            return None
        return Path(url2pathname(urlsplit(url["url"]).path)).resolve()
    except (ValueError, KeyError, AttributeError):
        return None


def _listed(distribution: Distribution) -> Iterator[tuple[str, Path]]:
    """Modules in the distribution's list of installed files."""
    for file in distribution.files or ():
        end = next((end for end in _ENDS if file.name.endswith(end)), None)
        if end is None or ".." in file.parts or file.parts[0].endswith((".dist-info", ".egg-info")):
            continue
        path = Path(str(distribution.locate_file(file)))
        if path.is_file():
            yield _dotted((*file.parts[:-1], file.name.removesuffix(end))), path


def _below(top: str, root: Path) -> Iterator[tuple[str, Path]]:
    """Modules of a top-level package below a folder, or the single file of a top-level module."""
    spec: ModuleSpec | None = None
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        pass
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location)
        if not folder.resolve().is_relative_to(root.resolve()):
            continue  # another distribution's part of a namespace package
        for path in sorted(folder.rglob("*")):
            end = next((end for end in _ENDS if path.name.endswith(end)), None)
            if end is not None:
                parts = path.relative_to(folder).parts
                yield _dotted((top, *parts[:-1], path.name.removesuffix(end))), path
    if spec and not spec.submodule_search_locations and spec.origin and Path(spec.origin).is_file():
        yield top, Path(spec.origin)


def _dotted(parts: tuple[str, ...]) -> str:
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tops_of_distributions() -> frozenset[str]:
    return frozenset(packages_distributions())
