"""Locate a database below the folder that the user gave; list folders without following links out of it."""

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
_FOLDERS_A_LEVEL = 100  # searched at most: a wrong root may be the whole disk


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
    """Return the folder of a database: ``root`` or one of the folders ``inside`` it.

    Args:
        root: the folder given by the user.
        holds: whether a folder is the database's.
        name: of the database, for messages.
        expected: content of its folder, for messages.
        how_to_get: shown when ``root`` does not exist.
        inside: names of folders in ``root`` to try.
        nearly: returns what is wrong with a folder whose first levels match the database; empty where they do not.

    Raises:
        MissingError: ``root`` does not exist.
        DataError: ``root`` is a file, holds no such database, or holds it deeper; the text names the folder to use.
    """
    demand_folder(root, how_to_get)
    for folder in (root, *(root / part for part in inside)):
        if folder.is_dir() and holds(folder):
            return folder
    for parent in list(root.absolute().parents)[:_DEEPEST]:
        if holds(parent):
            raise DataError(f"{root} is a folder inside {name}. Use --data-root {parent} instead.")
    deeper = _search_below(root, holds)
    if deeper:
        raise DataError(
            f"{root} holds {name} too deep, in {deeper.relative_to(root)}. Use --data-root {deeper} instead."
        )
    faults = (nearly(folder) for folder in (root, *(root / part for part in inside))) if nearly else ()
    fault = next(filter(None, faults), "")
    if fault:
        raise DataError(f"{root} cannot be read as {name}: {fault}. Expected {expected}.")
    raise DataError(f"{root} does not hold {name}: expected {expected}; found {_some_names(root)}.")


def demand_folder(root: Path, how_to_get: str) -> None:
    """Refuse a data root that is not a folder.

    Raises:
        MissingError: it does not exist; the text names the deepest existing folder of its path.
        DataError: it is a file.
    """
    if root.is_dir():
        return
    if root.exists():
        kind = kind_of(head_of(root))
        raise DataError(f"{root} is a file{f' ({kind})' if kind else ''}; expected the unpacked folder.\n{how_to_get}")
    last = next((parent for parent in root.absolute().parents if parent.is_dir()), None)
    there = f" {last} exists and holds {_some_names(last)}." if last is not None and last != last.parent else ""
    raise MissingError(f"No folder {root}.{there}\n{how_to_get}")


def below(*levels: str) -> Callable[[Path], str]:
    """A function for ``nearly`` of `find_root`: follows patterns of names and reports the first level without a match.

    Args:
        levels: a pattern for each level, as for `fnmatch`.
    """

    def look(folder: Path) -> str:
        here = folder
        for depth, pattern in enumerate(levels):
            fitting = [path for path in folders_in(here) if fnmatchcase(path.name, pattern)]
            if not fitting:
                place = escaped_name(here.relative_to(folder).as_posix())
                return f"{place} exists, but holds no folder {pattern}; it holds {_some_names(here)}" if depth else ""
            here = fitting[0]
        return ""

    return look


def _some_names(folder: Path) -> str:
    names = names_in(folder)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"


def names_in(folder: Path) -> list[str]:
    """Names in a folder, sorted and `escaped_name`; empty where it cannot be read."""
    try:
        return sorted(escaped_name(name) for name in os.listdir(folder))
    except OSError:
        return []


def escaped_name(name: str) -> str:
    """A file name as a key that any text file can hold: bytes that are not UTF-8, and control characters, are escaped.

    Keys stand in digests of data and in files of runs, so this must not change; for messages see `bench.io.printing`.
    """
    text = name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def relative_name(root: Path, path: Path) -> str:
    """A path relative to the data root, with ``/`` between folders, `escaped_name`."""
    return escaped_name(path.relative_to(root).as_posix())


def folders_in(folder: Path) -> list[Path]:
    """Folders in a folder, sorted; empty where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def entries_in(root: Path, folder: Path, faults: dict[str, list[str]]) -> list[os.DirEntry[str]]:
    """Entries of a folder, sorted, without hidden names and without links that leave the data root.

    Args:
        root: the data root.
        folder: in it; absent is empty.
        faults: by kind of fault, names relative to the root; links and folders that cannot be read are added once.
    """
    try:
        with os.scandir(folder) as entries:
            visible = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        _add_once(faults, "folders that cannot be read", f"{relative_name(root, folder)}: {error.strerror}")
        return []
    kept = []
    for entry in visible:
        if entry.is_symlink() and not inside_of(root, Path(entry.path)):
            _add_once(faults, "links out of the data root", relative_name(root, Path(entry.path)))
        else:
            kept.append(entry)
    return kept


def is_plain_name(name: str) -> bool:
    """Whether a name from a list is a file name without folders, valid on every system."""
    plain = PurePosixPath(name).name == name == PureWindowsPath(name).name
    control = any(ord(sign) < 32 or ord(sign) == 127 for sign in name)
    short = len(name.encode("utf-8", "replace")) <= MOST_NAME
    return plain and short and not control and name not in ("", ".", "..")


def inside_of(root: Path, path: Path) -> bool:
    """Whether a path stays below the root after links are resolved."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def _add_once(faults: dict[str, list[str]], kind: str, name: str) -> None:
    names = faults.setdefault(kind, [])
    if name not in names:
        names.append(name)


def _search_below(root: Path, holds: Callable[[Path], bool]) -> Path | None:
    level = [root]
    for _ in range(_DEEPEST):
        level = sorted(child for folder in level for child in folders_in(folder))[:_FOLDERS_A_LEVEL]
        for folder in level:
            if holds(folder):
                return folder
    return None
