"""Whether what a command shall write can be written, found out before the work and not after it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.errors import BenchError, one_line
from bench.io.atomic import beside


def check_place(path: Path, *, wanted: str = "--out", folder: bool = False) -> None:
    """Make sure that a file or folder that is not there yet can be made; one that is there is left to its command.

    Nothing is left behind: the nearest folder above it is tried with a folder of another name.

    Args:
        path: what shall be written.
        wanted: how the user named it, for the error.
        folder: it shall be a folder, so that a file in its place is refused.

    Raises:
        BenchError: it cannot be made; the text names what stands in the way.
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
            os.lstat(above / name)  # too long a name is found so
    os.rmdir(tempfile.mkdtemp(prefix=".bench-", dir=above))
