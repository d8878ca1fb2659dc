"""The kind of a file by its first bytes, not by its name; and reading of regular files up to a size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bench.errors import DataError

HEAD = 512
"""Bytes that `kind_of` examines."""
_LARGEST = 1 << 29  # enough for any image of the accepted number of pixels
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com", "a Git LFS pointer to a file that was not downloaded"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"%PDF", "a PDF file"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"8BPS", "a Photoshop file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB ", "a MATLAB file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"\x1aE\xdf\xa3", "a Matroska video"),
    (b"{\\rtf", "an RTF document"),
    (b"#EXTM3U", "a playlist"),
    (b"ffconcat", "a playlist"),
)
_PICKLE_PROTOCOLS = range(2, 6)


def kind_of(head: bytes) -> str | None:
    """The kind of a file, with its article, by its first `HEAD` bytes; None where they match no known kind.

    Text in any encoding, and images of formats without a clear signature (BMP), are None.
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "a WebP image", b"AVI ": "an AVI video"}.get(head[8:12], "a RIFF file")
    if head[4:8] == b"ftyp":
        return "an AVIF or HEIC image" if head[8:11] in (b"avi", b"hei", b"mif", b"msf") else "an MP4 video"
    if head[257:262] == b"ustar":
        return "a tar archive"
    if len(head) > 1 and head[0] == 0x80 and head[1] in _PICKLE_PROTOCOLS:
        return "a Python pickle"
    words = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if words.startswith((b"<!doctype html", b"<html", b"<head")):
        return "an HTML page, for example from a failed download"
    return None


def head_of(path: Path) -> bytes:
    """The first bytes of a file, for `kind_of`; empty where it cannot be read."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            return file.read(HEAD) or b"" if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return b""


def read_plain(path: Path, most: int = _LARGEST) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        most: largest number of bytes.

    Raises:
        DataError: with a short reason that names no file: it is absent, cannot be read, is not a regular file (a pipe
            or a device might never end) or is larger.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DataError("not a plain file")
            if status.st_size > most:
                raise DataError("file is too large")
            data = file.read(most + 1)
    except FileNotFoundError:
        raise DataError("file not found") from None
    except ValueError:  # a NUL in its name
        raise DataError("file not found") from None
    except OSError as error:
        raise DataError(f"file not readable ({error.strerror})") from None
    if len(data) > most:
        raise DataError("file is too large")
    return data


def _open_at_once(name: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
