"""Runs a plugin that is a single Python file, so that its components are registered without a package.

The file is a program that the user names; it is run with the user's rights. Worker processes run the same bytes: paths
and digests are in the environment variable `VARIABLE`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.errors import ChangedError, DataError, MissingError, UsageError
from bench.faults import cause_of
from bench.modules.run_source import run_source

VARIABLE = "BENCH_PLUGIN_FILES"
"""Environment variable with the files of this command: a JSON object, SHA-256 by path. Child processes read it."""


def run_plugin_files(paths: Iterable[Path]) -> None:
    """Run plugin files in this process and in the worker processes that it starts later.

    A file that has run before in this process is not run again.

    Args:
        paths: Python files that register components.

    Raises:
        MissingError: there is no such file.
        UsageError: a file is no .py file, or another one of that name has run.
        DataError: it cannot be read, or running it fails; the text has the cause.
        ChangedError: it has changed since it ran.
    """
    for path in paths:
        if path.suffix != ".py":
            raise UsageError(f"--plugin {path}: it must be a Python file, FILE.py.")
        if not path.is_file():
            raise MissingError(f"There is no plugin file {path}.")
        full = path.resolve()
        os.environ[VARIABLE] = json.dumps({**plugin_files(), str(full): _run(full, plugin_files().get(str(full)))})


def run_plugin_files_of_parent() -> None:
    """Run the files of `VARIABLE`; see `run_plugin_files` for what is raised."""
    for path, sha256 in plugin_files().items():
        _run(Path(path), sha256)


def plugin_files() -> dict[str, str]:
    """SHA-256 by path of the plugin files of this command, in the order in which they run."""
    files: dict[str, str] = json.loads(os.environ.get(VARIABLE) or "{}")
    return files


def _run(path: Path, sha256: str | None) -> str:
    """Run a file unless it has run; returns its SHA-256, which must be ``sha256`` where that is not None."""
    try:
        code = path.read_bytes()
    except OSError as error:
        raise DataError(f"The plugin file {path} cannot be read: {error.strerror}.") from None
    digest = hashlib.sha256(code).hexdigest()
    if sha256 not in (None, digest):
        raise ChangedError(f"The plugin file {path} has changed since this command began. Run again.")
    name = f"plugin_file_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}"
    if name in sys.modules:
        if sys.modules[name].__file__ != str(path):
            raise UsageError(f"Two plugin files are named {path.name}: {sys.modules[name].__file__} and {path}.")
        return digest
    try:
        run_source(name, path, code)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise DataError(f"The plugin file {path} failed: {cause_of(error)}.") from error
    return digest
