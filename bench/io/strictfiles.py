"""Strict readers of files from other people: too large, too deeply nested or other files are refused.

All functions that read a file raise `DataError` with one line that names the file and the fault.
"""

from __future__ import annotations

import csv
import io
import json
import math
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from bench.errors import DataError
from bench.io.filekinds import read_plain
from bench.io.printing import printable

MOST_JSON, MOST_CSV, MOST_ARRAYS, MOST_MEMBER = 64 << 20, 512 << 20, 512 << 20, 16 << 20
"""Bytes of a JSON file, of a CSV file, of all arrays of a file together, and of an image."""
MOST_ROWS, MOST_MEMBERS, DEEPEST = 2_000_000, 64, 32
"""Rows of a CSV file, arrays of a file, and levels of JSON."""
_DIGITS = 19  # of an integer
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}  # fmt: skip
_ARCHIVE_ERRORS = (OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, zlib.error, MemoryError)
"""Exceptions of damaged archives, beside `zipfile.BadZipFile`."""


def check_file(path: Path, most: int) -> None:
    """Refuse anything but a regular file (links are followed) of at most ``most`` bytes.

    Reading a pipe would wait for its other end, and reading a device might never end, so call this before `open`.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{printable(path)} cannot be read ({reason}).") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(
            f"{printable(path)} is {_KINDS.get(stat.S_IFMT(status.st_mode), 'not a file')}, not a regular file."
        )
    if status.st_size > most:
        raise DataError(
            f"{printable(path)} has {status.st_size / 2**20:,.1f} MiB; at most {most / 2**20:,.0f} MiB are read."
        )


def read_json(path: Path) -> Any:
    """The value in a UTF-8 JSON file; see `parse_json` for what is refused."""
    check_file(path, MOST_JSON)
    try:
        return parse_json(read_plain(path, MOST_JSON).decode("utf-8"))
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"{printable(path)} is damaged ({_reason(error)}).") from error


def parse_json(text: str) -> Any:
    """Parse strict JSON: no NaN or infinity, no number beyond 64 bits, no duplicate key, at most `DEEPEST` levels.

    Raises:
        ValueError: the text breaks one of these rules.
    """
    try:
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
            object_pairs_hook=_distinct,
        )
    except RecursionError:
        raise ValueError(f"more than {DEEPEST} levels") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return value
    raise ValueError(f"more than {DEEPEST} levels")


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a UTF-8 CSV file by column; every row must have as many cells as the header.

    Raises:
        DataError: as for the module.
    """
    check_file(path, MOST_CSV)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file, strict=True)
            head = next(rows, None)
            if head is None:
                raise ValueError("it is empty")
            if len(set(head)) != len(head):
                raise ValueError("duplicate column")
            for number, cells in enumerate(rows, 1):
                if len(cells) != len(head):
                    raise ValueError(f"row {number} has {len(cells)} cells, the header {len(head)}")
                if number > MOST_ROWS:
                    raise ValueError(f"more than {MOST_ROWS:,} rows")
                yield dict(zip(head, cells, strict=True))
    except (OSError, ValueError, csv.Error, MemoryError) as error:
        raise DataError(f"{printable(path)} is damaged ({_reason(error)}).") from error


def read_arrays(path: Path, most: int = MOST_ARRAYS) -> dict[str, Any]:
    """Numerical arrays of an ``.npz`` file, without pickle.

    Sizes are checked by the archive's directory and each array's header before anything is unpacked or allocated.

    Args:
        path: the file.
        most: largest number of unpacked bytes of all arrays together.
    """
    check_file(path, most + (1 << 20))
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if len(members) > MOST_MEMBERS or total > most:
                raise ValueError(
                    f"{len(members)} arrays of {total / 2**20:,.1f} MiB unpacked; at most {MOST_MEMBERS} of "
                    f"{most / 2**20:,.1f} MiB are possible for its run"
                )
            if len({member.filename for member in members}) != len(members):
                raise ValueError("duplicate array")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except (zipfile.BadZipFile, *_ARCHIVE_ERRORS) as error:
        raise DataError(f"{printable(path)} is damaged ({_reason(error)}).") from error


def read_member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Bytes of one member of an open archive of images; None where there is none.

    Raises:
        DataError: it is damaged, or larger than `MOST_MEMBER`.
    """
    member = archive.NameToInfo.get(name)
    if member is None:
        return None
    try:
        return _unpacked(archive, member, MOST_MEMBER)
    except (zipfile.BadZipFile, *_ARCHIVE_ERRORS) as error:
        raise DataError(f"{printable(name)} is damaged ({_reason(error)}).") from error


def parse_whole(text: str) -> int:
    """Parse a 64-bit integer, as a run writes it; raises ValueError."""
    if not text.isascii() or not text.removeprefix("-").isdigit():
        raise ValueError(f"{text[:20]!r} is not an integer")
    return _whole(text)


def parse_finite(text: str) -> float:
    """Parse a finite number; raises ValueError."""
    return _finite(text)


def shorten(value: object, length: int = 160) -> str:
    """Text of a file for a message: one line of at most ``length`` characters."""
    text = printable(str(value)[:2000])
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    import numpy as np

    data = _unpacked(archive, member, member.file_size)
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of an array")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ValueError(f"{member.filename} holds {dtype}, not numbers")
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(
            f"{member.filename} says {shape} of {dtype}, {count * dtype.itemsize:,} bytes, and holds "
            f"{len(data) - stream.tell():,}"
        )
    values = np.frombuffer(data, dtype, count, stream.tell()).copy()
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
        raise ValueError(f"{member.filename} uses a compression that no run uses")
    if member.file_size > most:
        raise ValueError(f"{member.filename} has {member.file_size / 2**20:,.1f} MiB unpacked")
    with archive.open(member) as file:
        data = file.read(member.file_size)
    if len(data) != member.file_size:
        raise ValueError(f"{member.filename} says {member.file_size:,} bytes and holds {len(data):,}")
    return data


def _whole(text: str) -> int:
    if len(text.removeprefix("-")) > _DIGITS:
        raise ValueError(f"an integer of {len(text)} digits")
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{number} does not fit 64 bits")
    return number


def _finite(text: str) -> float:
    value = float(text) if len(text) < 400 else math.inf
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]!r} is not a finite number")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("duplicate key in one table")
    return table


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {shorten(error)}"
