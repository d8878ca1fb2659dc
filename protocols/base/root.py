"""Finding a database's folder below the one the user gave, or saying what is there instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath

from bench.errors import DataError, MissingError
from bench.io.filekinds import head_of, kind_of

MOST_NAME = 255
"""Bytes of a file's name, on every usual file system."""
_DEEPEST = 3
_MOST_LOOKED_AT = 100  # folders a level: a wrong root may hold the whole disk


def find_root(
    root: Path,
    *,
    holds: Callable[[Path], bool],
    name: str,
    expected: str,
    how_to_get: str,
    inside: Sequence[str] = (),
    nearly: Callable[[Path], str] | None = None,
) -> Path:
    """The folder of a database: ``root``, one of the folders ``inside`` it, or none.

    Args:
        root: what the user gave.
        holds: whether a folder is the database's.
        name: of the database, for messages.
        expected: what its folder holds, for messages.
        how_to_get: shown when ``root`` is no folder.
        inside: names of folders in ``root`` that may be it.
        nearly: says what is wrong with a folder that is like the database's at its first levels; empty where it is not.

    Raises:
        MissingError: ``root`` is no folder.
        DataError: it is a file; it holds no such database, or holds it deeper; the text names the folder to use.
    """
    demand_folder(root, how_to_get)
    for folder in (root, *(root / part for part in inside)):
        if folder.is_dir() and holds(folder):
            return folder
    for parent in list(root.absolute().parents)[:_DEEPEST]:
        if holds(parent):
            raise DataError(f"{root} is a part of {name}. Use --data-root {parent} instead.")
    deeper = _deeper(root, holds)
    if deeper:
        raise DataError(
            f"{root} holds {name} too deep, in {deeper.relative_to(root)}. Use --data-root {deeper} instead."
        )
    fault = next(
        (told for folder in (root, *(root / part for part in inside)) if nearly and (told := nearly(folder))), ""
    )
    if fault:
        raise DataError(f"{root} is no {name} that can be read: {fault}. Expected {expected}.")
    raise DataError(f"{root} is no {name}: expected {expected}; found {_some_names(root)}.")


def demand_folder(root: Path, how_to_get: str) -> None:
    """Refuse a data root that is no folder.

    Raises:
        MissingError: nothing is there; the text names the last folder on the way that is.
        DataError: it is a file.
    """
    if root.is_dir():
        return
    if root.exists():
        kind = kind_of(head_of(root))
        raise DataError(f"{root} is a file{f' ({kind})' if kind else ''}; a folder is wanted, unpacked.\n{how_to_get}")
    last = next((parent for parent in root.absolute().parents if parent.is_dir()), None)
    there = f" {last} is there and holds {_some_names(last)}." if last is not None and last != last.parent else ""
    raise MissingError(f"No folder {root}.{there}\n{how_to_get}")


def below(*levels: str) -> Callable[[Path], str]:
    """For ``nearly`` of `find_root`: walk down patterns of names, and name the first level that nothing fits.

    Args:
        levels: a pattern for each level, as for `fnmatch`.
    """

    def look(folder: Path) -> str:
        here = folder
        for depth, pattern in enumerate(levels):
            fitting = [path for path in folders_in(here) if fnmatchcase(path.name, pattern)]
            if not fitting:
                place = printable(here.relative_to(folder).as_posix())
                return f"{place} is there, but holds no folder {pattern}; it holds {_some_names(here)}" if depth else ""
            here = fitting[0]
        return ""

    return look


def _some_names(folder: Path) -> str:
    names = names_in(folder)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"


def names_in(folder: Path) -> list[str]:
    """Names in a folder, sorted, fit for a message; none where it cannot be read."""
    try:
        return sorted(printable(name) for name in os.listdir(folder))
    except OSError:
        return []


def printable(name: str) -> str:
    """A file name that any text file can hold: bytes that are no UTF-8, and control characters, are escaped."""
    text = name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def folders_in(folder: Path) -> list[Path]:
    """Folders in a folder, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def is_plain_name(name: str) -> bool:
    """Whether a name of a list is that of a file in its folder, on every system."""
    plain = PurePosixPath(name).name == name == PureWindowsPath(name).name
    control = any(ord(sign) < 32 or ord(sign) == 127 for sign in name)
    short = len(name.encode("utf-8", "replace")) <= MOST_NAME
    return plain and short and not control and name not in ("", ".", "..")


def inside_of(root: Path, path: Path) -> bool:
    """Whether a path taken from a data file stays below the root, links resolved."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def _deeper(root: Path, holds: Callable[[Path], bool]) -> Path | None:
    level = [root]
    for _ in range(_DEEPEST):
        level = sorted(child for folder in level for child in folders_in(folder))[:_MOST_LOOKED_AT]
        for folder in level:
            if holds(folder):
                return folder
    return None
