"""Atomic files and folders: written under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bench.errors import BenchError
from bench.io.printing import ESCAPED

_TOKEN = 4  # bytes; twice as many characters
_ABANDONED_AFTER_S = 24 * 3600


def hidden_sibling(path: Path, kind: str = "partial") -> Path:
    """A hidden name in the folder of ``path`` that no other process uses: ``.NAME.TOKEN.partial``."""
    return path.with_name(f".{path.name}.{secrets.token_hex(_TOKEN)}.{kind}")


@contextmanager
def open_replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces ``path`` when the block ends without an error.

    The content reaches the disk before the rename. Its permission bits are those of a new file. After an error
    ``path`` is unchanged, and no temporary file remains.

    Args:
        path: the file; its parent is created when absent.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = hidden_sibling(path)
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(OSError):  # it does not exist after the rename
            partial.unlink()


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file by `open_replacing`; text as UTF-8, lone surrogates as JSON escapes. Raises OSError."""
    with open_replacing(path) as file:
        file.write(content if isinstance(content, bytes) else content.encode("utf-8", ESCAPED))


@contextmanager
def replace_folder(folder: Path, *, keep_existing: bool = False, sync: bool = True) -> Iterator[Path]:
    """Create a folder that replaces ``folder`` when the block ends without an error.

    After an error ``folder`` is unchanged, and no temporary folder remains.

    Args:
        folder: its path; its parent is created when absent.
        keep_existing: whether to keep an existing folder that is not empty and raise OSError; else it is replaced.
        sync: whether all files reach the disk before the rename: after a power cut the rename may be there without the
            contents. Takes about 4 ms per file; False is for folders that can be recomputed.

    Yields:
        The new folder to write into, empty.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = hidden_sibling(folder)
    _remove_abandoned(folder)
    try:
        partial.mkdir()
        yield partial
        if sync:
            for path in partial.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
        if keep_existing:
            with suppress(OSError):  # removes only an empty folder
                folder.rmdir()
            partial.rename(folder)
        else:
            _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def explain_os_errors(what: str, advice: str = "", error_class: type[BenchError] = BenchError) -> Iterator[None]:
    """Turn an OSError of the block into an ``error_class``: ``what: the reason. advice``."""
    try:
        yield
    except OSError as error:
        raise error_class(f"{what}: {error.strerror or error}. {advice}".rstrip()) from error


def _swap(partial: Path, folder: Path) -> None:
    old = hidden_sibling(folder, "replaced")
    if folder.exists():
        folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    for replaced in _siblings(folder, "replaced"):
        shutil.rmtree(replaced, ignore_errors=True)


def _siblings(path: Path, kind: str) -> Iterator[Path]:
    yield from path.parent.glob(f".{glob.escape(path.name)}.{'?' * 2 * _TOKEN}.{kind}")


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary folders of killed processes that are a day old or older; newer ones may be in use."""
    for partial in _siblings(folder, "partial"):
        with suppress(OSError):
            if time.time() - partial.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(partial)
