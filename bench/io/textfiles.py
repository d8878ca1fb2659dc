"""The reader of text files of data sets: lists, tables, settings."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bench.errors import DataError
from bench.io.filekinds import HEAD, kind_of, read_plain

QUOTED = 60
"""Characters of a file's text that a message quotes."""
_LARGEST = 1 << 28
_BLOCK = 1 << 20
_MOST_DIGITS = 15  # integers that float64 represents exactly
_UTF16 = "is UTF-16; save it as UTF-8"
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def quote(text: str, most: int = QUOTED) -> str:
    """Text of a file for a message: in quotes, on one line, cut to ``most`` characters."""
    cut = text if len(text) <= most else text[:most] + "..."
    return ascii(cut) if not cut.isprintable() else repr(cut)


def read_text(path: Path, *, most: int = _LARGEST, absent: str = "") -> str:
    """Read a text file: UTF-8, with or without a byte order mark, lines ended by LF, CRLF or CR.

    Args:
        path: the file.
        most: largest number of bytes.
        absent: text of the error after the path, if the file does not exist.

    Returns:
        The text; lines end by LF.

    Raises:
        DataError: it is absent, cannot be read, is too large, is an archive or another file that is not text,
            is UTF-16, or holds NUL bytes or bytes that are not UTF-8. The error names the file and, if known, the line.
    """
    if absent and not path.exists():
        raise DataError(f"{path} {absent}")
    try:
        data = read_plain(path, most)
    except DataError as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    _refuse_non_text(path, data[:HEAD])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _utf8_error(path, data[: error.start].count(b"\n") + 1, data[error.start]) from None
    if "\0" in text:
        raise _nul_error(path, text[: text.index("\0")].count("\n") + 1)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path, *, most: int = _LARGEST, absent: str = "") -> list[tuple[int, str]]:
    """Lines that are not blank, stripped, with their numbers from 1; see `read_text`."""
    lines = read_text(path, most=most, absent=absent).split("\n")
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a large text file for `csv` (line ends are not changed); see `read_text`."""
    check_text(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield file


def check_text(path: Path) -> None:
    """Check a text file of any size by reading it once; raises as `read_text`."""
    line = 1
    try:
        if not path.is_file():
            raise DataError(f"{path} is {'missing' if not path.exists() else 'not a regular file'}.")
        with path.open("rb") as file:
            decoder = codecs.getincrementaldecoder("utf-8")()
            block = file.read(_BLOCK)
            _refuse_non_text(path, block[:HEAD])
            while block:
                if b"\0" in block:
                    raise _nul_error(path, line + block[: block.index(b"\0")].count(b"\n"))
                try:
                    decoder.decode(block)
                except UnicodeDecodeError as error:
                    raise _utf8_error(
                        path, line + error.object[: error.start].count(b"\n"), error.object[error.start]
                    ) from None
                line += block.count(b"\n")
                block = file.read(_BLOCK)
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError as error:
                raise _utf8_error(path, line, error.object[error.start]) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}).") from None


def whole_number(text: str) -> int | None:
    """The integer of at most 15 digits in a cell; None for any other text."""
    digits = text.strip()
    unsigned = digits[1:] if digits[:1] in ("-", "+") else digits
    return int(digits) if unsigned.isascii() and unsigned.isdigit() and len(unsigned) <= _MOST_DIGITS else None


def finite_number(text: str) -> float | None:
    """The finite number in a cell; None for any other text."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _refuse_non_text(path: Path, head: bytes) -> None:
    """Refuse a file that is not text by its first bytes."""
    kind = kind_of(head)
    if kind is not None:
        raise DataError(f"{path} is {kind}, not the text file that its name says.")
    if head.startswith(_WIDE):
        raise DataError(f"{path} {_UTF16}.")


def _utf8_error(path: Path, line: int, byte: int) -> DataError:
    return DataError(f"{path}, line {line}: the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8.")


def _nul_error(path: Path, line: int) -> DataError:
    return DataError(
        f"{path}, line {line}: a NUL byte, which text never has; the file is damaged, or UTF-16: save it as UTF-8."
    )
