"""Reading MATLAB 5 to 7.2 files that hold numbers, strings and cell arrays, with every length checked.

SciPy's reader trusts the lengths and types in the file, and some files crash the process. Lists of a data set come from
unknown sources, so this reader checks them and supports only what such lists contain.

Source: MathWorks, MAT-File Format, level 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.io.filekinds import HEAD, kind_of, read_plain

Value = NDArray[Any] | list[Any]
"""An array of numbers, or a list of the contents of a cell array."""

_HEADER = 128
_LARGEST = 1 << 27
_DEEPEST = 4
_MATRIX, _COMPRESSED = 14, 15
_CELL, _CHAR = 1, 4
_NUMBERS = range(6, 16)
_COMPLEX = 0x0800
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "utf-8", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}


def read_mat(path: Path, wanted: Collection[str]) -> tuple[dict[str, Value], list[str]]:
    """Read some variables of a MATLAB file.

    Args:
        path: the file.
        wanted: names of variables; others are skipped.

    Returns:
        The wanted variables that exist, and the sorted names of all variables. A character matrix becomes a list of its
        rows, a cell array a list of its cells; a cell is a list or an array.

    Raises:
        DataError: the file is absent, is not a MATLAB file of version 5 to 7.2, or is damaged; or a wanted variable is
            of another class (a struct, a sparse matrix) or too large.
    """
    try:
        return _read(read_plain(path, _LARGEST), wanted)
    except DataError as error:
        raise DataError(f"{path} cannot be read: {error}.") from None


def _read(data: bytes, wanted: Collection[str]) -> tuple[dict[str, Value], list[str]]:
    if b"MATLAB 7.3" in data[:_HEADER] or data.startswith(b"\x89HDF"):
        raise DataError("it is a MATLAB 7.3 (HDF5) file; save it with -v7 as in the official release")
    order = {b"IM": "<", b"MI": ">"}.get(data[126:_HEADER])
    if order is None:
        other = kind_of(data[:HEAD])
        raise DataError(
            f"it is {other}, not a .mat file" if other else "it is damaged or not a .mat file of version 5 to 7.2"
        )
    if struct.unpack(f"{order}H", data[124:126])[0] >> 8 != 1:
        raise DataError("it is damaged, or of an unknown version of .mat files")
    values: dict[str, Value] = {}
    names: list[str] = []
    budget = _LARGEST  # bytes of decompressed variables
    for kind, content in _elements(memoryview(data)[_HEADER:], order):
        if kind == _COMPRESSED:
            unpacked = _decompress(content, budget)
            budget -= len(unpacked)
            inner = list(_elements(memoryview(unpacked), order))
        else:
            inner = [(kind, content)]
        if len(inner) != 1 or inner[0][0] != _MATRIX:
            raise DataError("it is damaged: an element is not a variable")
        variable = _Variable(inner[0][1], order)
        names.append(variable.name)
        if variable.name in wanted:
            if variable.name in values:
                raise DataError(f"it holds {variable.name!r} twice")
            values[variable.name] = variable.value()
    return values, sorted(set(names))


class _Variable:
    """A matrix element: class, shape and name are read by the constructor, the content by `value`."""

    def __init__(self, data: memoryview, order: str, depth: int = 0) -> None:
        self._order, self._depth = order, depth
        parts = _elements(data, order)
        _, flags = _next(parts)
        if len(flags) < 8:
            raise DataError("it is damaged: a variable without a class")
        bits = struct.unpack(f"{order}I", flags[:4])[0]
        self._class, self._complex = bits & 0xFF, bool(bits & _COMPLEX)
        kind, shape = _next(parts)
        sizes = [] if kind != 5 or len(shape) % 4 else np.frombuffer(shape, f"{order}i4").tolist()
        if not 2 <= len(sizes) <= 32 or min(sizes) < 0:
            raise DataError("it is damaged: a variable without a shape")
        self._shape = tuple(sizes)
        _, name = _next(parts)
        self.name = bytes(name).decode("ascii", "backslashreplace")
        self._parts = parts

    def value(self) -> Value:
        size = math.prod(self._shape)
        if self._class == _CELL:
            return self._cells(size)
        if self._class != _CHAR and self._class not in _NUMBERS:
            raise DataError(f"{self.name!r} holds neither numbers nor strings")
        kind, data = _next(self._parts)
        if self._class == _CHAR:
            return self._rows(kind, data, size)
        array = _numbers(kind, data, size, self._order)
        if self._complex:
            array = array + 1j * _numbers(*_next(self._parts), size, self._order)
        return array.reshape(self._shape, order="F").ravel()

    def _cells(self, size: int) -> list[Any]:
        if self._depth >= _DEEPEST:
            raise DataError(f"{self.name!r} holds cells nested too deep")
        cells: list[Value] = []
        for kind, data in self._parts:
            if kind != _MATRIX or len(cells) == size:
                raise DataError(f"{self.name!r} is damaged")
            cells.append(_Variable(data, self._order, self._depth + 1).value() if len(data) else [])
        if len(cells) != size:
            raise DataError(f"{self.name!r} is damaged: it has {len(cells):,} of {size:,} cells")
        order = np.arange(size).reshape(self._shape, order="F").ravel()
        return [cells[index] for index in order]

    def _rows(self, kind: int, data: memoryview, size: int) -> list[str]:
        codec = _TEXTS.get(kind)
        if codec is None or len(self._shape) != 2:
            raise DataError(f"{self.name!r} is damaged: characters of an unknown type")
        ending = "" if codec == "utf-8" else "-le" if self._order == "<" else "-be"
        try:
            text = bytes(data).decode(codec + ending)
        except UnicodeDecodeError:
            raise DataError(f"{self.name!r} holds characters that are not {codec.upper()}") from None
        rows, columns = self._shape
        if codec == "utf-16" and rows == 1 and len(data) == 2 * size:  # a pair of units is one character
            return [text]
        if len(text) != size:
            raise DataError(f"{self.name!r} is damaged: it has {len(text):,} of {size:,} characters")
        return [text[row::rows] for row in range(rows)] if columns else []


def _numbers(kind: int, data: memoryview, size: int, order: str) -> NDArray[Any]:
    code = _TYPES.get(kind)
    if code is None:
        raise DataError("it is damaged: numbers of an unknown type")
    stored = np.dtype(order + code)
    if len(data) != size * stored.itemsize:
        raise DataError(f"it is damaged: it has {len(data) // stored.itemsize:,} of {size:,} numbers")
    return np.frombuffer(data, stored).astype(stored.newbyteorder("="))


def _next(parts: Iterator[tuple[int, memoryview]]) -> tuple[int, memoryview]:
    for part in parts:
        return part
    raise DataError("it is damaged: it ends within a variable")


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Types and contents of consecutive elements."""
    place = 0
    while place < len(data):
        if place + 8 > len(data):
            raise DataError("it is damaged: it ends within a variable")
        kind, length = struct.unpack(f"{order}II", data[place : place + 8])
        if kind >> 16:  # small element: up to four bytes are stored in the tag itself
            kind, length, start, step = kind & 0xFFFF, kind >> 16, place + 4, 8
            if length > 4:
                raise DataError("it is damaged: a length is wrong")
        else:
            start = place + 8
            step = 8 + length if kind == _COMPRESSED else 8 + -(-length // 8) * 8
        if start + length > len(data):
            raise DataError("it is damaged: it ends within a variable")
        yield kind, data[start : start + length]
        place += step


def _decompress(data: memoryview, budget: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, budget)
    except zlib.error:
        raise DataError("it is damaged: a compressed element cannot be decompressed") from None
    if unpacker.unconsumed_tail:
        raise DataError("it decompresses to far more than a list of names")
    if not unpacker.eof:
        raise DataError("it is damaged: a compressed element is cut short")
    return unpacked
