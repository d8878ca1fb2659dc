"""Lists of pairs in the format of LFW (pairs.txt), which other data sets use too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from bench.io.textfiles import quote, read_lines
from protocols.base.root import MOST_NAME

_MOST_FOLDS, _MOST_PAIRS = 1000, 10_000_000


@dataclass(frozen=True, slots=True)
class NamedPair:
    """One pair of a list: two images, each a person and a number from 1, and the fold from 0."""

    first: tuple[str, int]
    second: tuple[str, int]
    fold: int

    @property
    def same(self) -> bool:
        """Whether both images are of the same person."""
        return self.first[0] == self.second[0]


def read_pairs(path: Path, *, fold: int = 0) -> list[NamedPair]:
    """Read pairs.txt (View 2) or a list of View 1.

    The first line holds the number of folds and the number of pairs of each kind in a fold (``10 300``), or the latter
    alone (one fold). Each fold then lists its pairs of one person (``name i j``), then those of two (``name i name
    j``).

    Args:
        path: the list.
        fold: number of the first fold.

    Raises:
        DataError: it is not such a list, or incomplete; the text names the line.
    """
    rows = [(line, text.split()) for line, text in read_lines(path)]
    folds, each = _header(path, rows[0][1] if rows else [])
    if len(rows) - 1 != folds * 2 * each:
        raise DataError(
            f"{path} has {len(rows) - 1:,} pairs; its first line says {folds} x 2 x {each:,} = {folds * 2 * each:,}. "
            "It is truncated, or is another list."
        )
    pairs = []
    for index, (line, fields) in enumerate(rows[1:]):
        same = index % (2 * each) < each
        pair = _pair(fields, fold + index // (2 * each), same)
        if pair is None:
            expected = "name i j" if same else "name i name j, two people"
            raise DataError(f"{path}, line {line}: {quote(' '.join(fields))} is not {expected}.")
        pairs.append(pair)
    return pairs


def _header(path: Path, fields: Sequence[str]) -> tuple[int, int]:
    numbers = [int(field) for field in fields if field.isascii() and field.isdigit() and len(field) < 10]
    if len(numbers) != len(fields) or len(numbers) not in (1, 2) or min(numbers) < 1:
        raise DataError(
            f"{path} begins with {quote(' '.join(fields))}; expected the numbers of folds and of pairs, or "
            "the number of pairs."
        )
    folds, each = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    if folds > _MOST_FOLDS or each > _MOST_PAIRS:
        raise DataError(f"{path} begins with {folds} folds of {each} pairs, which is impossible.")
    return folds, each


def _pair(fields: Sequence[str], fold: int, same: bool) -> NamedPair | None:
    if len(fields) != (3 if same else 4):
        return None
    one, i, other, j = (fields[0], fields[1], fields[0], fields[2]) if same else fields
    names_fit = all(
        name not in (".", "..") and not set(name) & set("/\\\0") and len(os.fsencode(name)) < MOST_NAME - 9
        for name in (one, other)
    )
    if not names_fit or (one == other) != same:
        return None
    numbers = [int(n) if n.isascii() and n.isdigit() and len(n) < 5 else 0 for n in (i, j)]
    if min(numbers) < 1 or (same and numbers[0] == numbers[1]):
        return None
    return NamedPair((one, numbers[0]), (other, numbers[1]), fold)
