"""Files from other people, read within bounds: a file that is too large, too deep or of another kind is refused.

Everything raises `DataError` with one line that names the file and the fault.
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
_DIGITS = 19  # of a whole number
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}  # fmt: skip
_BROKEN = (OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, zlib.error, MemoryError)
"""What a damaged archive raises, beside `zipfile.BadZipFile`."""


def check_file(path: Path, most: int) -> None:
    """Refuse what is no plain file (links are followed), or is larger than ``most`` bytes.

    Reading a pipe would wait for its other end, and reading a device might never end, so this comes before `open`.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{printable(path)} cannot be read ({reason}).") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{printable(path)} is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no file')}, and no file.")
    if status.st_size > most:
        raise DataError(
            f"{printable(path)} has {status.st_size / 2**20:,.1f} MiB; at most {most / 2**20:,.0f} MiB are read."
        )


def read_json(path: Path) -> Any:
    """What a JSON file of UTF-8 holds; see `parse_json` for what is refused."""
    check_file(path, MOST_JSON)
    try:
        return parse_json(read_plain(path, MOST_JSON).decode("utf-8"))
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"{printable(path)} is damaged ({_reason(error)}).") from error


def parse_json(text: str) -> Any:
    """Strict JSON: no NaN or infinity, no number past 64 bits, no key twice, at most `DEEPEST` levels.

    Raises:
        ValueError: anything else.
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
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return value
    raise ValueError(f"more than {DEEPEST} levels")


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file of UTF-8 by their column; every row has as many cells as the head.

    Raises:
        DataError: as for the whole module; ValueError and csv.Error pass from the reader's caller.
    """
    check_file(path, MOST_CSV)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file, strict=True)
            head = next(rows, None)
            if head is None:
                raise ValueError("no line")
            if len(set(head)) != len(head):
                raise ValueError("a column twice")
            for number, cells in enumerate(rows, 1):
                if len(cells) != len(head):
                    raise ValueError(f"row {number} has {len(cells)} cells, the head {len(head)}")
                if number > MOST_ROWS:
                    raise ValueError(f"more than {MOST_ROWS:,} rows")
                yield dict(zip(head, cells, strict=True))
    except (OSError, ValueError, csv.Error, MemoryError) as error:
        raise DataError(f"{printable(path)} is damaged ({_reason(error)}).") from error


def read_arrays(path: Path, most: int = MOST_ARRAYS) -> dict[str, Any]:
    """Arrays of numbers of an ``.npz`` file, never through pickle.

    Sizes are known from the archive's list and each array's header before anything is unpacked or allocated.

    Args:
        path: the file.
        most: bytes of all arrays together, unpacked.
    """
    check_file(path, most + (1 << 20))
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if len(members) > MOST_MEMBERS or total > most:
                raise ValueError(
                    f"{len(members)} arrays of {total / 2**20:,.1f} MiB unpacked; at most {MOST_MEMBERS} of "
                    f"{most / 2**20:,.1f} MiB fit its run"
                )
            if len({member.filename for member in members}) != len(members):
                raise ValueError("an array twice")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except (zipfile.BadZipFile, *_BROKEN) as error:
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
    except (zipfile.BadZipFile, *_BROKEN) as error:
        raise DataError(f"{printable(name)} is damaged ({_reason(error)}).") from error


def whole(text: str) -> int:
    """A whole number of 64 bits, as a run writes it; raises ValueError."""
    if not text.isascii() or not text.removeprefix("-").isdigit():
        raise ValueError(f"{text[:20]!r} is no whole number")
    return _whole(text)


def finite(text: str) -> float:
    """A finite number; raises ValueError."""
    return _finite(text)


def shown(value: object, length: int = 160) -> str:
    """Text of a file for a message: on one line, and at most ``length`` characters."""
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
        raise ValueError(f"{member.filename} holds {dtype}, no numbers")
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
        raise ValueError(f"{member.filename} is packed in a way that no run uses")
    if member.file_size > most:
        raise ValueError(f"{member.filename} has {member.file_size / 2**20:,.1f} MiB unpacked")
    with archive.open(member) as file:
        data = file.read(member.file_size)
    if len(data) != member.file_size:
        raise ValueError(f"{member.filename} says {member.file_size:,} bytes and holds {len(data):,}")
    return data


def _whole(text: str) -> int:
    if len(text.removeprefix("-")) > _DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{number} does not fit 64 bits")
    return number


def _finite(text: str) -> float:
    value = float(text) if len(text) < 400 else math.inf
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]!r} is no finite number")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key twice in one table")
    return table


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(error)}"
