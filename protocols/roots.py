"""Finding a database's folder below the one the user gave, or saying what is there instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import DataError, MissingError

_DEEPEST = 3
_MOST_LOOKED_AT = 100  # folders a level: a wrong root may hold the whole disk


def find_root(
    root: Path, *, holds: Callable[[Path], bool], name: str, expected: str, how_to_get: str, inside: Sequence[str] = ()
) -> Path:
    """The folder of a database: ``root``, one of the folders ``inside`` it, or none.

    Args:
        root: what the user gave.
        holds: whether a folder is the database's.
        name: of the database, for messages.
        expected: what its folder holds, for messages.
        how_to_get: shown when ``root`` is no folder.
        inside: names of folders in ``root`` that may be it.

    Raises:
        MissingError: ``root`` is no folder.
        DataError: it holds no such database, or holds it deeper; the text names the folder to use.
    """
    if not root.is_dir():
        raise MissingError(f"No folder {root}.\n{how_to_get}")
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
    names = names_in(root)
    there = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
    raise DataError(f"{root} is no {name}: expected {expected}; found {there}.")


def names_in(folder: Path) -> list[str]:
    """Names in a folder, sorted, fit for a message; none where it cannot be read."""
    try:
        return sorted(printable(name) for name in os.listdir(folder))
    except OSError:
        return []


def printable(name: str) -> str:
    """A file name that any text file can hold: bytes that are no UTF-8 are written in hexadecimal."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def folders_in(folder: Path) -> list[Path]:
    """Folders in a folder, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


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
