"""The comma-separated lists of IJB-C: named columns with validated cells."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.errors import DataError
from bench.io.textfiles import check_text, finite_number, quote
from protocols.base.root import MOST_NAME
from protocols.ijbc.rows import Floats, Ints

if TYPE_CHECKING:
    from pandas import DataFrame


_MAX_PARTS = 20  # folders of a path
_LARGEST_COORDINATE = 1e6  # pixels
_MAX_COLUMNS = 1000


def read_columns(path: Path, wanted: Sequence[str], optional: Sequence[str] = ()) -> DataFrame:
    """Read columns of a list with a header as text; an empty cell is missing.

    Args:
        path: the file, UTF-8, with or without a byte order mark.
        wanted: names in capitals; case and blanks in the file do not matter.
        optional: names that may be absent.

    Returns:
        The columns that exist, under the given names.

    Raises:
        DataError: the file cannot be read, has no rows, or lacks a wanted column.
    """
    frame = read_table(path, dtype=str, index_col=False, skipinitialspace=True)
    frame.columns = [str(name).strip().strip('"').upper() for name in frame.columns]
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        first_row = quote(", ".join(str(name) for name in frame.columns[:8]))
        raise DataError(
            f"{path} has no column {', '.join(absent)}; its first row is {first_row}. Is the header missing?"
        )
    if frame.empty:
        raise DataError(f"{path} has no rows.")
    return frame[[*wanted, *(name for name in optional if name in frame.columns)]]


def read_table(path: Path, *, sep: str = ",", **options: Any) -> DataFrame:
    """`parsed` of a file whose rows have all one width; a header may have another."""
    check_text(path)
    _check_width(path, sep)
    return parsed(path, sep=sep, **options)


def parsed(path: Path, **options: Any) -> DataFrame:
    """`pandas.read_csv` of a text file; raises DataError for a damaged one."""
    import pandas as pd

    try:
        with warnings.catch_warnings():  # rows longer than the header: the needed columns come first
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(path, encoding="utf-8-sig", **options)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors, and so is broken UTF-8
        raise DataError(f"{path} cannot be read ({type(error).__name__}: {_line(error)}): it is damaged.") from None
    return cast("DataFrame", frame)


def _check_width(path: Path, separator: str) -> None:
    """Refuse a list with a row that is shorter or longer than the others: its cells would stand in wrong columns.

    Args:
        path: a text file; its header, if there is one, may have another width.
        separator: a comma, or anything else for white space.

    Raises:
        DataError: the text names the row.
    """
    width = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, skipinitialspace=True) if separator == "," else (line.split() for line in file)
        try:
            for number, cells in enumerate(rows, 1):
                if len(cells) > _MAX_COLUMNS:  # pandas takes minutes for a hundred thousand
                    raise DataError(f"{path}, row {number}: more than {_MAX_COLUMNS:,} cells; the file is damaged.")
                if not cells or (number == 1 and is_header(cells)):
                    continue
                width = width or len(cells)
                if len(cells) != width:
                    raise DataError(
                        f"{path}, row {number}: {len(cells)} cells, the first row has {width}; the file is damaged."
                    )
        except csv.Error as error:
            raise DataError(f"{path} cannot be read as a table: {error}.") from None


def is_header(cells: Sequence[str]) -> bool:
    """Whether the first line of a list names its columns: each cell begins with a letter, and none is a number.

    A line of numbers that is damaged in a cell or two is none.
    """
    words = [cell.strip().strip('"') for cell in cells]
    return bool(words) and all(word[:1].isalpha() and finite_number(word) is None for word in words)


def whole_numbers(path: Path, column: Any, name: str) -> Ints:
    """A column of whole numbers from 0, int64.

    Raises:
        DataError: a cell is empty or holds something else; the text names the first such row.
    """
    values = numbers(column)
    valid = np.isfinite(values) & (values == np.floor(values)) & (values >= 0) & (values < 2**53)
    if not valid.all():
        first = int(np.flatnonzero(~valid)[0])
        cell = column.iloc[first]
        fault = "negative" if values[first] < 0 else "not a whole number"
        raise DataError(
            f"{path}: {name} of {int((~valid).sum())} of {len(valid)} rows is {fault}; the first is row "
            f"{first + 1}, {'empty' if cell != cell else quote(str(cell))}."
        )
    return values.astype(np.int64)


def numbers(column: Any) -> Floats:
    """A column as float64; NaN where a cell is empty or not a number."""
    import pandas as pd

    values: Floats = np.asarray(pd.to_numeric(column, errors="coerce"), np.float64)
    return values


def pixels(column: Any) -> Floats:
    """A column of coordinates as float64; NaN also for values larger than any image."""
    values = numbers(column)
    return np.where(np.abs(values) < _LARGEST_COORDINATE, values, np.nan)


def file_names(path: Path, column: Any, name: str = "FILENAME") -> list[str]:
    """A column of relative paths that stay below their base, with ``/`` between folders.

    Raises:
        DataError: a cell is empty, or its path leads elsewhere.
    """
    cells = column.tolist()
    empty = [row for row, cell in enumerate(cells) if not isinstance(cell, str) or not cell.strip()]
    if empty:
        raise DataError(
            f"{path}: {name} of {len(empty)} of {len(cells)} rows is empty; the first is row {empty[0] + 1}."
        )
    names = [cell.strip() for cell in cells]
    unsafe = sorted(name for name in set(names) if not stays_inside(name))
    if unsafe:
        raise DataError(
            f"{path}: {len(unsafe)} file names could lead outside the folder of images, {quote(unsafe[0])} first; "
            "refused."
        )
    return names


def stays_inside(name: str) -> bool:
    """Whether a relative path stays below its base, on any system."""
    plain = not any(sign in "\\:\x7f" or ord(sign) < 32 for sign in name)
    parts = name.split("/")
    return plain and len(parts) <= _MAX_PARTS and all(p not in ("", ".", "..") and _fits(p) for p in parts)


def _fits(part: str) -> bool:
    return len(part.encode("utf-8", "replace")) <= MOST_NAME


def _line(error: Exception) -> str:
    return quote(" ".join(str(error).split()), 160)
