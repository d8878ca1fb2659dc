"""The import closure of a module: the sources of this suite that affect its results, with a digest of each.

Sources are read, not imported, so imports inside functions are included. A module in `SEPARATE` is excluded and not
followed: it collects components or looks them up by name, which would put every component into every closure; or it
shows progress, describes components, digests code, or writes warnings about figures. ``protocols.NAME.sample`` is
excluded too: it writes the sample of a database and affects no figure.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from bench.digests.distributions import Modules, is_foreign, modules_beside
from bench.digests.sources import EXTENSIONS, Import, Source, read_source
from bench.errors import ChangedError, DataError

OWN_ROOT = Path(__file__).parents[2]
OWN_PACKAGES = ("bench", "hallucinators", "protocols", "reports")
SEPARATE = frozenset(
    {
        *("bench", "bench.align", "bench.recognisers", "hallucinators", "protocols", "protocols.sample"),
        *("bench.registry", "bench.progress"),
        *("bench.digests.closure", "bench.digests.distributions", "bench.digests.sources", "bench.execution.finished"),
        "bench.diagnosis.of_run",
        *("hallucinators.networks.registration", "hallucinators.vividgan.departures"),
    }
)
_SAMPLE_WRITER = re.compile(r"protocols\.\w+\.sample")

_UNLOADED: dict[str, tuple[Path, str]] = {}  # modules that were not imported when they were digested


def closure(*modules: str) -> Mapping[str, str]:
    """The modules of this suite that affect the results of given modules.

    Args:
        modules: dotted names. Modules of plugins must have been imported; their closure is every module of their
            distribution (for a module of no distribution, its imports from the same folder) and their imports from
            this suite.

    Returns:
        SHA-256 of each by name, sorted; see `bench.digests.sources.Source.digest`.

    Raises:
        DataError: a module has no file, or one of them cannot be read.
    """
    digests: dict[str, str] = {}
    for module in modules:
        digests |= _closure(module)
    return dict(sorted(digests.items()))


def closure_digest(*modules: str) -> str:
    """SHA-256, in hexadecimal, over the closure of some modules; see `closure`."""
    return modules_digest(closure(*modules))


def modules_digest(modules: Mapping[str, str]) -> str:
    """SHA-256, in hexadecimal, over the digests of modules by name."""
    return hashlib.sha256(json.dumps(sorted(modules.items())).encode()).hexdigest()


@cache
def _closure(module: str) -> Mapping[str, str]:
    if module.split(".")[0] in OWN_PACKAGES:
        path = _find(OWN_ROOT, module)
        if path is None or path.is_dir():
            raise DataError(f"There is no module {module}, so a later version of it could not be recognised.")
        return _digest_closure({module: path}, Modules())
    plugin = modules_beside(module, _file_of(module))
    return {**_digest_closure(dict(plugin.start), plugin), **plugin.versions}


def refuse_changed_sources() -> None:
    """Check that modules imported after they were digested still have the digests of the keys.

    Raises:
        ChangedError: a source was changed before it was imported.
    """
    for name, (path, digest) in list(_UNLOADED.items()):
        if name in sys.modules:
            del _UNLOADED[name]
            if _file_digest(path) != digest:
                raise ChangedError(
                    f"The source {path} has changed since this run began, and was imported after that. Its "
                    "results are not kept; run again."
                )


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _file_of(module: str) -> Path:
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file:
        raise DataError(f"Module {module!r} has no source file, so a later version of it could not be recognised")
    return Path(file)


def _digest_closure(start: dict[str, Path], others: Modules) -> dict[str, str]:
    """Digests of modules and of their imports from this suite and from ``others``."""
    digests: dict[str, str] = {}
    waiting = list(start.items())
    while waiting:
        name, path = waiting.pop()
        if name in digests:
            continue
        source = _read(name, path)
        if name not in sys.modules and path.suffix == ".py":
            _UNLOADED.setdefault(name, (path, _file_digest(path)))
        digests[name] = source.digest
        package = path.stem == "__init__"
        for statement in source.imports:
            for target in _targets(statement, name, package, others):
                where = _source_of(target, others)
                if where is not None and target not in digests:
                    waiting.append((target, where))
    return digests


def _read(name: str, path: Path) -> Source:
    try:
        return read_source(path)
    except OSError as error:
        raise DataError(f"The source {path} of {name} cannot be read: {error.strerror}.") from None


def _targets(statement: Import, importer: str, package: bool, others: Modules) -> Iterator[str]:
    """Names of the modules that a statement may import: the module, its parents, and the imported names."""
    base = statement.module
    if statement.level:
        parts = importer.split(".")
        parts = parts[: len(parts) - statement.level + package]
        base = ".".join([*parts, *([base] if base else [])])
    parts = base.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
    names = statement.names
    if "*" in names:
        path = _source_of(base, others)
        names = read_source(path).exported if path is not None else ()
    for name in names:
        yield f"{base}.{name}"


def _source_of(name: str, others: Modules) -> Path | None:
    """The file of a module of this suite or of the plugin; None for other modules and for `SEPARATE`."""
    if name.split(".")[0] in OWN_PACKAGES:
        path = None if name in SEPARATE or _SAMPLE_WRITER.fullmatch(name) else _find(OWN_ROOT, name)
        return None if path is None or path.is_dir() else path
    if name in others.start:
        return others.start[name]
    if others.root is None or is_foreign(name, others):
        return None
    path = _find(others.root, name)
    return None if path is None or path.is_dir() else path


@cache
def _find(root: Path, name: str) -> Path | None:
    """The file of a module below the folder that holds its top-level package; that folder for a namespace package."""
    path = root.joinpath(*name.split("."))
    if path.is_dir():
        for end in (".py", *EXTENSIONS):
            if (inside := path / f"__init__{end}").is_file():
                return inside
    for end in (".py", *EXTENSIONS):
        if (file := path.with_name(path.name + end)).is_file():
            return file
    return path if path.is_dir() else None
