"""Digests of values, and of files and folders by their bytes; a file is read again if it may have changed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ChangedError

ABSENT = "absent"
MOST_FILES = 10_000
MOST_BYTES = 4 * 2**30
"""Of a folder with more files or bytes than these, names, sizes and times are digested instead of the bytes."""
_CLOCK_STEP_NS = (
    100_000_000  # resolution of file systems' clocks; the digest of a file that changed more recently is not kept
)
_KNOWN: dict[Path, tuple[tuple[int, ...], str]] = {}
_LOADED: set[tuple[Path, str]] = set()


@dataclass(frozen=True, slots=True)
class DigestedPath:
    """A file or folder whose digest is part of a key of the cache.

    Attributes:
        path: its path.
        sha256: see `path_digest`.
        wanted_by: the component that reads it, for errors.
    """

    path: Path
    sha256: str
    wanted_by: str


def digest_of(value: object) -> str:
    """SHA-256, in hexadecimal, of a value as JSON with sorted keys; paths are digested as text."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal, computed again only when its size, a time or the inode has changed.

    Raises:
        OSError: it cannot be read.
    """
    state = file_state(path)
    known = _KNOWN.get(path)
    if known and known[0] == state:
        return known[1]
    old_enough = max(state[3:]) + _CLOCK_STEP_NS < time.time_ns()
    digest = file_digest(path)
    if old_enough:
        _KNOWN[path] = (state, digest)
    else:
        _KNOWN.pop(path, None)
    return digest


def file_state(path: Path) -> tuple[int, ...]:
    """Device, inode, size, and times of the last change of the bytes and of the inode, in nanoseconds.

    Users cannot set the last one, so a replacement of the same size and date is detected.

    Raises:
        OSError: there is no such file.
    """
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def path_digest(path: Path) -> str:
    """Digest of a file or folder; never raises.

    Returns:
        SHA-256 of a file's bytes; of a folder, over the names and bytes of its files (up to `MOST_FILES` and
        `MOST_BYTES`); ``absent`` if the path does not exist, ``unreadable`` if it cannot be read.
    """
    try:
        if path.is_file():
            return known_file_digest(path)
        if path.is_dir():
            return _folder_digest(path)
    except (OSError, ValueError):
        return "unreadable"
    return ABSENT


def mark_as_loaded(path: Path, sha256: str) -> None:
    """Record that the bytes of this digest were read from a file, so that a later change does not matter."""
    _LOADED.add((path, sha256))


def refuse_changed(paths: Iterable[DigestedPath]) -> None:
    """Check that files which components read at any time still have the digests of the cache keys.

    Raises:
        ChangedError: one of them has changed, and may have been read after that.
    """
    for item in paths:
        if (item.path, item.sha256) not in _LOADED and path_digest(item.path) != item.sha256:
            raise ChangedError(
                f"{item.path} of {item.wanted_by} has changed since this run began. Results from it are not "
                "kept; run again. (A component that writes to a path must take it as str, not Path.)"
            )


def _folder_digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [path.stat() for path in files]
    names = [path.relative_to(folder).as_posix() for path in files]
    if len(files) > MOST_FILES or sum(stat.st_size for stat in stats) > MOST_BYTES:
        return digest_of(
            ["large", [[name, stat.st_size, stat.st_mtime_ns] for name, stat in zip(names, stats, strict=True)]]
        )
    return digest_of([[name, known_file_digest(path)] for name, path in zip(names, files, strict=True)])


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a digest")
