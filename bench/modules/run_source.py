"""Runs the bytes of a Python file as a module; the file is a program that the user names."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType


def run_source(name: str, path: Path, code: bytes) -> ModuleType:
    """Run code as a module that is registered under a name while and after it runs.

    Args:
        name: of the module in `sys.modules`.
        path: the file, for its tracebacks and ``__file__``.
        code: its bytes; those that were digested, so that no other version can run.

    Raises:
        BaseException: what the code raises; the module is then no longer registered.
    """
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    try:
        exec(compile(code, str(path), "exec"), module.__dict__)  # the user's own program
    except BaseException:
        del sys.modules[name]
        raise
    return module
