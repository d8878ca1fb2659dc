"""The 1:1 pairs of IJB-C: 15.7 million lines of two template numbers, with or without a label."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.io.textfiles import check_text
from protocols.ijbc.rows import Ints
from protocols.ijbc.tables import is_header, parsed, whole_numbers

if TYPE_CHECKING:
    from pandas.io.parsers.readers import TextFileReader

_LINES = 1_000_000
_LONGEST_LINE = 10_000


@dataclass(frozen=True)
class Pairs:
    """P pairs in the order of their file.

    Attributes:
        first: number of the enrolled template, int64 (P,).
        second: number of the verified template.
        same: bool (P,); None where the file has no labels.
    """

    first: Ints
    second: Ints
    same: NDArray[np.bool_] | None


def read_pairs(path: Path, *, labelled: bool, lines: int = _LINES) -> Pairs:
    """Read a list of pairs, separated by commas or blanks, with or without a header.

    Args:
        path: the file.
        labelled: whether each line ends in 0 or 1.
        lines: read at a time.

    Raises:
        DataError: the file is absent, empty or damaged, or a line does not hold two (labelled: three) whole numbers.
    """
    columns = 3 if labelled else 2
    separator, header = _shape(path, columns)
    options: dict[str, Any] = {"sep": separator, "header": None, "skiprows": int(header), "skip_blank_lines": True}
    parts: list[Ints] = []
    try:
        reader = cast("TextFileReader", parsed(path, **options, dtype=np.int64, chunksize=lines))
        with reader, warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # pandas warns where it casts a value that is not finite
            for chunk in reader:
                if chunk.shape[1] != columns:
                    raise DataError(f"{path} has {chunk.shape[1]} columns; expected {columns} whole numbers a line.")
                parts.append(chunk.to_numpy(np.int64))
    except (ValueError, OverflowError, RuntimeWarning):
        _explain(path, columns, options)
    if not parts:
        raise DataError(f"{path} holds no pairs.")
    first, second = (np.concatenate([part[:, column] for part in parts]) for column in (0, 1))
    if not labelled:
        return Pairs(first, second, None)
    labels = np.concatenate([part[:, 2] for part in parts])
    invalid = int(((labels != 0) & (labels != 1)).sum())
    if invalid:
        raise DataError(f"{path}: {invalid:,} labels are neither 0 nor 1.")
    return Pairs(first, second, labels == 1)


def indices_of(numbers: Ints, templates: list[int]) -> Ints:
    """Index of each number among the templates, -1 where it is not one of them; int64 (P,)."""
    order = np.argsort(np.array(templates, np.int64), kind="stable")
    ordered = np.array(templates, np.int64)[order]
    if not len(ordered):
        return np.full(len(numbers), -1, np.int64)
    at = np.minimum(np.searchsorted(ordered, numbers), len(ordered) - 1)
    indices: Ints = np.where(ordered[at] == numbers, order[at], -1)
    return indices


def people_by_pairs(pairs: Pairs) -> dict[int, str]:
    """A person for each template of labelled pairs: connected by positive labels, templates are of one person.

    Raises:
        DataError: the pairs have no labels.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if pairs.same is None:
        raise DataError("People cannot be derived from pairs without labels.")
    numbers = np.unique(np.concatenate([np.unique(pairs.first), np.unique(pairs.second)]))
    one, other = (np.searchsorted(numbers, column[pairs.same]) for column in (pairs.first, pairs.second))
    links = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(numbers), len(numbers)))
    _, groups = connected_components(links, directed=False)
    lowest = np.full(len(numbers), -1, np.int64)
    lowest[groups[::-1]] = numbers[::-1]  # the last one written is the lowest
    return {t: f"of template {lowest[g]}" for t, g in zip(numbers.tolist(), groups.tolist(), strict=True)}


def _shape(path: Path, columns: int) -> tuple[str, bool]:
    """The separator, and whether the first line is a header."""
    if not path.exists():
        raise DataError(f"{path} does not exist; it lists the pairs.")
    check_text(path)
    with path.open(encoding="utf-8-sig") as file:
        line = file.readline(_LONGEST_LINE).strip()
    separator = "," if "," in line else r"\s+"
    cells = line.replace(",", " ").split()
    if len(cells) > 2 * columns:  # pandas would make a column of each
        raise DataError(f"{path} has {len(cells)} or more columns; expected {columns} whole numbers a line.")
    return separator, is_header(cells)


def _explain(path: Path, columns: int, options: dict[str, Any]) -> None:
    """Raise DataError that names the first line which pandas cannot read as whole numbers."""
    frame = parsed(path, **options, dtype=str)
    if frame.shape[1] != columns:
        raise DataError(f"{path} has {frame.shape[1]} columns; expected {columns} whole numbers a line.")
    for column in range(columns):
        whole_numbers(path, frame[column], f"column {column + 1}")
    raise DataError(f"{path} cannot be read as {columns} whole numbers a line.")
