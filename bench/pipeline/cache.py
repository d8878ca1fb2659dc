"""The cache of embeddings and hallucinated images, addressed by everything that decides them.

One SQLite file. A key is the SHA-256 of the image bytes and of the fingerprints of every stage, so an entry of another
model, version, weights or arguments has another key. A killed run leaves whole entries or none, by SQLite's
transactions.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.io.file_digests import digest_of
from bench.types import OK, Media, Outcome, Status

CACHE_VERSION = 1
CACHE_FILE = "cache.sqlite"
_FULL_BELOW = 1 << 20  # bytes free on a disk that counts as full
_PER_QUERY = 500  # SQLite's oldest limit on parameters is 999


@dataclass(frozen=True, slots=True)
class CachedEmbedding:
    """An embedding, float32 (D,), and the outcome of its image (``ok`` or ``fallback``; failures are never cached)."""

    vector: NDArray[np.float32]
    outcome: Outcome = OK


class Cache:
    """The store. Use as a context manager; entries of one `put_` call appear together or not at all.

    A cache without permission to write is read: its entries are used, nothing is stored, and a note says so once.

    Attributes:
        path: of its file.
        read_only: whether it can only be read.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make the cache in a folder.

        Raises:
            BenchError: there is no cache and none can be made, or the file there is damaged or of another cache
                version.
        """
        self.path = folder / CACHE_FILE
        self.read_only = False
        try:
            self._database = self._opened()
            version, tables = self._state()
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        if tables and version != CACHE_VERSION:
            self._database.close()
            raise BenchError(
                f"The cache {self.path} was written by another version ({version}; this bench writes {CACHE_VERSION}). "
                "Nothing in it was touched. Delete it, or name another --cache."
            )
        if not self.read_only:
            try:
                self._make_tables()
            except sqlite3.Error as error:
                self._database.close()
                raise self._unusable(error) from error

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def embeddings(self, keys: Sequence[str]) -> dict[str, CachedEmbedding]:
        """The stored embeddings, by key."""
        return {
            key: CachedEmbedding(np.frombuffer(blob, np.float32), outcome)
            for key, blob, outcome in self._rows("SELECT key, vector, status, stage, reason FROM embeddings", keys)
        }

    def images(self, keys: Sequence[str]) -> dict[str, tuple[bytes, Outcome]]:
        """The PNG bytes and outcomes of the stored images, by key."""
        rows = self._rows("SELECT key, png, status, stage, reason FROM images", keys)
        return {key: (blob, outcome) for key, blob, outcome in rows}

    def put_embeddings(self, entries: Mapping[str, CachedEmbedding]) -> None:
        """Store embeddings; see `put_images` for what is raised."""
        self._put(
            "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?)",
            {key: (np.ascontiguousarray(e.vector, np.float32).tobytes(), e.outcome) for key, e in entries.items()},
        )

    def put_images(self, entries: Mapping[str, tuple[bytes, Outcome]]) -> None:
        """Store hallucinated images as PNG bytes.

        Raises:
            BenchError: the disk is full or the file cannot be written; what was stored before stays.
        """
        self._put("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)", entries)

    def _opened(self) -> sqlite3.Connection:
        """The database, opened for writing where that is permitted, else for reading."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=60)
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute("BEGIN IMMEDIATE")
            database.execute(f"PRAGMA user_version = {int(version)}")  # needs permission to write, changes nothing
            database.rollback()
            return database
        except (OSError, sqlite3.Error) as error:
            if not self.path.is_file() or not _is_refused(error):
                raise
        database = _for_reading(self.path)
        self.read_only = True
        _print_note_once(self.path)
        return database

    def _make_tables(self) -> None:
        if self._database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            self._set_wal()
        self._database.execute("PRAGMA synchronous = NORMAL")  # faster, and safe when a process is killed
        with self._database as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS embeddings"
                " (key TEXT PRIMARY KEY, vector BLOB, status TEXT, stage TEXT, reason TEXT) WITHOUT ROWID"
            )
            database.execute(
                "CREATE TABLE IF NOT EXISTS images"
                " (key TEXT PRIMARY KEY, png BLOB, status TEXT, stage TEXT, reason TEXT) WITHOUT ROWID"
            )
            database.execute(f"PRAGMA user_version = {CACHE_VERSION}")

    def _set_wal(self) -> None:
        """Allow readers beside one writer; processes that create a cache at once wait for each other."""
        for pause in (0.05, 0.2, 1.0, 5.0):
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                time.sleep(pause)

    def _state(self) -> tuple[int, int]:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return int(version), int(tables)

    def _rows(self, select: str, keys: Sequence[str]) -> list[tuple[str, bytes, Outcome]]:
        rows = []
        for start in range(0, len(keys), _PER_QUERY):
            part = list(keys[start : start + _PER_QUERY])
            query = f"{select} WHERE key IN ({','.join('?' * len(part))})"
            for key, blob, status, stage, reason in self._run(query, part):
                rows.append((str(key), bytes(blob), Outcome(cast("Status", status), stage, reason)))
        return rows

    def _run(self, query: str, values: list[str]) -> list[tuple[str, bytes, str, str, str]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def _put(self, insert: str, entries: Mapping[str, tuple[bytes, Outcome]]) -> None:
        if self.read_only:
            return
        rows = [(key, blob, o.status, o.stage, o.reason) for key, (blob, o) in entries.items()]
        try:
            with self._database as database:
                database.executemany(insert, rows)
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def _unusable(self, error: Exception) -> BenchError:
        if self._is_full(error):
            what = "there is no room for it. Make room, name another --cache, or work without one (--no-cache)"
        else:
            what = f"{error}. Delete it, name another --cache, or work without one (--no-cache)"
        return BenchError(f"Cannot use the cache {self.path}: {what}.")

    def _is_full(self, error: Exception) -> bool:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_IOERR:  # a disk without a free block reports this
            return shutil.disk_usage(self.path.parent).free < _FULL_BELOW
        return code == sqlite3.SQLITE_FULL or _errno(error) in (errno.ENOSPC, errno.EDQUOT)

    def _broken(self, error: sqlite3.Error) -> BenchError:
        return BenchError(
            f"The cache {self.path} cannot be used: {error}. What was stored before is safe unless the file itself is "
            "damaged; make room, delete it, or name another --cache, and run the same command again."
        )


def open_cache(folder: Path | None) -> AbstractContextManager[Cache | None]:
    """The cache in a folder; None for no folder. Use as a context manager."""
    return nullcontext() if folder is None else Cache(folder)


def _is_refused(error: Exception) -> bool:
    """Whether writing was refused, by permissions or by a read-only file system."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
    return _errno(error) in (errno.EACCES, errno.EPERM, errno.EROFS)


def _errno(error: Exception) -> int | None:
    return getattr(error, "errno", None)


def _for_reading(path: Path) -> sqlite3.Connection:
    """The database opened for reading; where no lock can be written, as an immutable file."""
    for options in ("mode=ro", "mode=ro&immutable=1"):
        database = sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=60)
        try:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return database
        except sqlite3.Error as error:
            database.close()
            last = error
    raise last


@cache
def _print_note_once(path: Path) -> None:
    print(f"note: the cache {path} can only be read: what is in it is used, nothing is added", file=sys.stderr)


def decoded_key(file_digest: str, media: Media, code: str) -> str:
    """The key of an image that is decoded and cut, before any network sees it.

    Args:
        file_digest: SHA-256 of the file's bytes.
        media: for its cut.
        code: digest of the code that reads images.
    """
    return digest_of(["opened", file_digest, _cut_text(media), code])


def image_key(file_digest: str, media: Media, fingerprint: str) -> str:
    """The key of a hallucinated image; the fingerprint is that of the chain and of the code that calls it."""
    return digest_of([file_digest, _cut_text(media), fingerprint])


def embedding_key(file_digest: str, media: Media, fingerprint: str) -> str:
    """The key of an embedding; the fingerprint is that of chain, aligner and recogniser."""
    return digest_of([file_digest, media.landmarks, _cut_text(media), fingerprint])


def _cut_text(media: Media) -> str:
    return "" if media.cut is None else repr(media.cut)
