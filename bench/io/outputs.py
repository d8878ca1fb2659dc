"""Whether the output of a command can be written, checked before the work starts."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.errors import BenchError, one_line
from bench.io.atomic import beside


def check_place(path: Path, *, wanted: str = "--out", folder: bool = False) -> None:
    """Check that a file or folder that does not exist yet can be created; its command checks one that exists.

    Nothing is left behind: the nearest folder above it is tried with a folder of another name.

    Args:
        path: the output.
        wanted: the option that names it, for the error.
        folder: whether it is a folder; a file in its place is then refused.

    Raises:
        BenchError: it cannot be created; the message names the obstacle.
    """
    try:
        if folder and path.exists() and not path.is_dir():
            raise BenchError(f"{wanted} {path} is a file, and a folder is wanted. Choose another {wanted}.")
        _check(path, wanted)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BenchError(f"{wanted} {one_line(path)} cannot be made: {reason}. Choose another {wanted}.") from None


def _check(path: Path, wanted: str) -> None:
    if path.exists():
        return
    missing = [path]
    while not os.path.lexists(missing[-1].parent):
        missing.append(missing[-1].parent)
    above = missing[-1].parent
    for place in (path, above):
        if place.is_symlink() and not place.exists():
            raise BenchError(
                f"{wanted} {path} cannot be made: {place} is a link to {os.readlink(place)}, which is not there. "
                f"Choose another {wanted}."
            )
    if not above.is_dir():
        raise BenchError(f"{wanted} {path} cannot be made: {above} is a file. Choose another {wanted}.")
    for name in (beside(path, "replaced").name, *(place.name for place in missing)):
        with suppress(FileNotFoundError):
            os.lstat(above / name)  # raises where the name is too long
    os.rmdir(tempfile.mkdtemp(prefix=".bench-", dir=above))
