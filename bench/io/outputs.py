"""Check before the work starts that the output of a command can be written."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.errors import BenchError, one_line
from bench.io.atomic import hidden_sibling


def check_output(path: Path, *, option: str = "--out", folder: bool = False) -> None:
    """Check that a new file or folder can be created; the command itself checks an existing one.

    A temporary folder is created in the nearest existing parent folder and removed.

    Args:
        path: the output.
        option: the option that names it, for the error.
        folder: whether it is a folder; an existing file is then refused.

    Raises:
        BenchError: it cannot be created; the message names the obstacle.
    """
    try:
        if folder and path.exists() and not path.is_dir():
            raise BenchError(f"{option} {path} is a file, but must be a folder. Choose another {option}.")
        _check(path, option)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BenchError(f"{option} {one_line(path)} cannot be created: {reason}. Choose another {option}.") from None


def _check(path: Path, option: str) -> None:
    if path.exists():
        return
    missing = [path]
    while not os.path.lexists(missing[-1].parent):
        missing.append(missing[-1].parent)
    parent = missing[-1].parent
    for target in (path, parent):
        if target.is_symlink() and not target.exists():
            raise BenchError(
                f"{option} {path} cannot be created: {target} is a link to {os.readlink(target)}, which does not "
                f"exist. Choose another {option}."
            )
    if not parent.is_dir():
        raise BenchError(f"{option} {path} cannot be created: {parent} is a file. Choose another {option}.")
    for name in (hidden_sibling(path, "replaced").name, *(target.name for target in missing)):
        with suppress(FileNotFoundError):
            os.lstat(parent / name)  # raises where the name is too long
    os.rmdir(tempfile.mkdtemp(prefix=".bench-", dir=parent))
