"""What the cache folder holds: sizes, and deletion of what can be computed again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bench.errors import BenchError, UsageError
from bench.io.atomic import explain_os_errors
from bench.pipeline.cache import CACHE_FILE, Cache

CachePart = Literal["results", "derived", "samples"]
PARTS: tuple[CachePart, ...] = get_args(CachePart)
_JOURNALS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class PartSize:
    """The size of one part of a cache.

    Attributes:
        part: ``results`` (embeddings and images in the database), ``derived`` (landmarks and views that protocols
            computed), ``samples`` (drawn data sets).
        size: bytes on the disk.
        entries: rows of the database, or files.
    """

    part: CachePart
    size: int
    entries: int


def measure_cache(folder: Path) -> list[PartSize]:
    """The size of each part of a cache folder; 0 for a part that is absent.

    Raises:
        BenchError: the database is damaged or of another version.
    """
    sizes = [PartSize("results", sum(_size(file) for file in _database_files(folder)), _rows(folder))]
    for part in PARTS[1:]:
        files = [path for path in (folder / part).rglob("*") if path.is_file() and not path.is_symlink()]
        sizes.append(PartSize(part, sum(map(_size, files)), len(files)))
    return sizes


def clear_cache(folder: Path, part: CachePart) -> None:
    """Delete one part of a cache; all of it can be computed again. Other files in the folder stay.

    The database is emptied and not deleted, so a run that uses it meanwhile goes on and only finds nothing stored.

    Raises:
        UsageError: there is no such part.
        BenchError: the database is damaged, or a file cannot be deleted.
    """
    if part not in PARTS:
        raise UsageError(f"The cache has no part {part!r}; choose one of {', '.join(PARTS)}.")
    if part != "results":
        with explain_os_errors(f"Cannot clear {folder / part}"):
            if (folder / part).is_dir() and not (folder / part).is_symlink():
                shutil.rmtree(folder / part)
        return
    path = folder / CACHE_FILE
    if not path.exists():
        return
    with Cache(folder) as cache:  # refuses a file of another version
        if cache.read_only:
            raise BenchError(f"Cannot clear the cache {path}: it can only be read.")
    with _explain(path), closing(sqlite3.connect(path, timeout=60)) as database:
        with database:
            database.execute("DELETE FROM embeddings")
            database.execute("DELETE FROM images")
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _database_files(folder: Path) -> list[Path]:
    path = folder / CACHE_FILE
    return [path, *(path.with_name(path.name + end) for end in _JOURNALS)]


def _rows(folder: Path) -> int:
    if not (folder / CACHE_FILE).exists():
        return 0
    with Cache(folder):  # refuses a file of another version
        pass
    with _explain(folder / CACHE_FILE), closing(sqlite3.connect(folder / CACHE_FILE, timeout=60)) as database:
        counts = database.execute("SELECT (SELECT count(*) FROM embeddings), (SELECT count(*) FROM images)")
        return int(sum(counts.fetchone()))


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BenchError(f"The cache {path} cannot be used: {error}. If a run uses it, try again after it.") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # absent, or deleted meanwhile
        return 0
