"""Tables of the user: CSV, TSV or Parquet with a header, as rows of text."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DataError, MissingError, one_line, pip_install
from bench.grammar.values import suggestion
from bench.io.textfiles import open_text, quote
from protocols.owndata.entries import Faults

ENDINGS = (".csv", ".tsv", ".parquet")
MOST_ROWS = 10_000_000
_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}
_SAMPLE = 1 << 16
_RESTORATION = " LR pictures and their ground truth are measured by the protocol csv-restoration."
_ALIASES = {"yaw_deg": "yaw"}  # the name of the yaw in run folders


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        place: ``row 3``; in a text file the line on which the row ends, counted from 1 with the header.
        cells: text by column, white space at both ends removed; an empty cell has no entry.
    """

    place: str
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: names in lower case, with ``_`` for spaces, in order.
        rows: without blank ones.
        faults: rows that are longer than the header.
    """

    columns: tuple[str, ...]
    rows: list[Row]
    faults: Faults


def find_table(root: Path, file: str, *, protocol: str, needed: Sequence[str]) -> Path:
    """The table in a data root.

    Args:
        root: the folder.
        file: its name, relative to the root; empty for the only table with the needed columns.
        protocol: for the advice of messages.
        needed: columns by which a table is recognised.

    Raises:
        DataError: it is absent or outside the root, or there are none or several.
    """
    if file:
        path = root / file
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise DataError(f"{protocol}: file={file} leads out of the data root; name a file in {root}.")
        if not path.is_file():
            raise DataError(f"{path} does not exist. {protocol}:file=NAME names the list below the data root.")
        return path
    tables = [p for p in sorted(root.iterdir()) if p.suffix.lower() in ENDINGS and not p.name.startswith(".")]
    fitting = [path for path in tables if set(needed) <= set(_columns_of(path))] if len(tables) > 1 else tables
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(quote(path.name) for path in (fitting or tables)[:5])
    if not tables:
        raise DataError(
            f"{root} holds no table: no file with the ending .csv, .tsv or .parquet. `bench data init` writes one."
        )
    if fitting:
        raise DataError(f"{root} holds {len(fitting)} lists: {listed}. Name one by {protocol}:file=NAME.")
    raise DataError(f"{root} holds {listed}, none of which has the columns {', '.join(needed)}.")


def read_table(path: Path, needed: Sequence[str], known: Sequence[str]) -> Table:
    """Read a table.

    A CSV file may be separated by commas, semicolons or tabs: by what separates the needed columns in its first line.

    Args:
        path: the file.
        needed: columns that must be there.
        known: columns with a meaning, for suggestions.

    Raises:
        DataError: it cannot be read, has no header, lacks a needed column, or has a column twice or no rows.
        MissingError: it is a Parquet file and no package reads it.
    """
    if path.suffix.lower() == ".parquet":
        columns, rows, faults = _read_parquet(path)
    else:
        columns, rows, faults = _read_text(path)
    _check_header(path, columns, needed, known)
    if not rows:
        raise DataError(f"{path} has a header and no rows. Add one row for each picture.")
    return Table(columns, rows, faults)


def _check_header(path: Path, columns: Sequence[str], needed: Sequence[str], known: Sequence[str]) -> None:
    expected = f"Expected a header such as {','.join(needed)} in the first line."
    if not set(columns) & set(known):
        raise DataError(f"{path} has no header: its first line is {quote(','.join(columns))}. {expected}")
    absent = [name for name in needed if name not in columns]
    if absent:
        hints = "".join(suggestion(name, [c for c in columns if c not in known]) for name in absent)
        raise DataError(
            f"{path} has no column {' and no column '.join(absent)}; its columns are {quote(','.join(columns))}."
            f"{hints} {expected}{_RESTORATION if {'lr', 'hr'} <= set(columns) else ''}"
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise DataError(f"{path} has the column {quote(twice[0])} twice. Rename or remove one.")


def _columns_of(path: Path) -> tuple[str, ...]:
    """Columns of a table; none where it cannot be read."""
    try:
        if path.suffix.lower() == ".parquet":
            return _read_parquet(path)[0]
        with open_text(path) as file:
            return _header(next(_reader(path, file), []))
    except (DataError, MissingError, csv.Error):
        return ()


def _read_text(path: Path) -> tuple[tuple[str, ...], list[Row], Faults]:
    faults, rows = Faults(), []
    with open_text(path) as file:
        reader = _reader(path, file)
        try:
            columns = _header(next(reader, []))
            if not columns:
                raise DataError(f"{path} is empty. Expected a header and one row for each picture.")
            for values in reader:
                if not any(value.strip() for value in values):
                    continue
                place = f"row {reader.line_num}"
                if len(values) > len(columns) and any(value.strip() for value in values[len(columns) :]):
                    advice = "Put cells that hold the separator into double quotes."
                    faults.add("rows with more cells than the header", f"{place}: {len(values)} cells", advice)
                cells = {name: text.strip() for name, text in zip(columns, values, strict=False) if text.strip()}
                rows.append(Row(place, cells))
                _demand_size(path, len(rows))
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: {error}. Save it as CSV again.") from None
    return columns, rows, faults


def _reader(path: Path, file: Any) -> Any:
    """A `csv.reader`, separated by the candidate that splits the first line into most cells."""
    first = file.readline(_SAMPLE)
    file.seek(0)
    candidates = _DELIMITERS.get(path.suffix.lower(), ",;\t")
    return csv.reader(file, delimiter=max(candidates, key=first.count), strict=True)


def _column(cell: str) -> str:
    """Name of a column: lower case, ``_`` for spaces, so that a figure's name has one group and one value."""
    name = "_".join(cell.lower().split())
    return _ALIASES.get(name, name)


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    names = [_column(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _read_parquet(path: Path) -> tuple[tuple[str, ...], list[Row], Faults]:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise MissingError(
            f"{path} is a Parquet file, which needs the package pyarrow: {pip_install('pyarrow')}. Or save it as CSV."
        ) from None
    except Exception as error:  # noqa: BLE001  # readers raise many classes for a damaged file
        raise DataError(f"{path} cannot be read as Parquet: {one_line(error)}") from None
    _demand_size(path, len(frame))
    columns = tuple(_column(str(name)) for name in frame.columns)
    rows = [
        Row(
            f"row {number}", {name: text for name, value in zip(columns, values, strict=True) if (text := _text(value))}
        )
        for number, values in enumerate(frame.itertuples(index=False, name=None), 1)
    ]
    return columns, rows, Faults()


def _text(value: object) -> str:
    """A cell of Parquet as CSV would hold it; empty for a missing value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text in ("<NA>", "NaT") else text


def _demand_size(path: Path, rows: int) -> None:
    if rows > MOST_ROWS:
        raise DataError(f"{path} has more than {MOST_ROWS:,} rows. Split it.")
