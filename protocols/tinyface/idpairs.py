"""The two MATLAB files of TinyFace: file names and identities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.io.textfiles import quote
from protocols.base.matfile import Value, read_mat
from protocols.base.root import is_plain_name


def read_id_pairs(path: Path, names_key: str, ids_key: str) -> list[tuple[str, int]]:
    """Read image names and identities from one ``*_img_ID_pairs.mat``.

    Args:
        path: the file, MATLAB 5 to 7.2.
        names_key: variable with the names, a cell array (N, 1) of strings.
        ids_key: variable with the identities, numbers (N, 1), whole and at least 1.

    Returns:
        (file name, identity) in file order.

    Raises:
        DataError: the file is damaged, of version 7.3 or without these variables; or they differ in length, name a path
            instead of a file, or name a file twice.
    """
    content, variables = read_mat(path, (names_key, ids_key))
    absent = [key for key in (names_key, ids_key) if key not in content]
    if absent:
        names_there = ", ".join(quote(name) for name in variables[:5]) or "nothing"
        raise DataError(f"{path} holds {names_there}; expected {names_key!r} and {ids_key!r}.")
    names = [_text(cell, path) for cell in content[names_key]]
    numbers = _numbers(content[ids_key], ids_key, path)
    if len(names) != len(numbers):
        raise DataError(f"{path}: {len(names)} names in {names_key!r} but {len(numbers)} identities in {ids_key!r}.")
    if not names:
        raise DataError(f"{path}: {names_key!r} is empty.")
    whole = numbers.dtype.kind in "iuf" and np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    if not whole or numbers.min() < 1:
        raise DataError(f"{path}: {ids_key!r} must hold whole numbers of at least 1.")
    unsafe = [name for name in names if not is_plain_name(name)]
    if unsafe:
        raise DataError(
            f"{path}: {len(unsafe)} entries are not plain file names and could lead outside the image folder, "
            f"{quote(unsafe[0])} first; refused."
        )
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # None is falsy
    if twice:
        raise DataError(
            f"{path} names {len(twice)} images more than once: {', '.join(quote(name) for name in twice[:3])}."
        )
    return list(zip(names, (int(number) for number in numbers), strict=True))


def _numbers(value: Value, key: str, path: Path) -> NDArray[Any]:
    if isinstance(value, np.ndarray):
        return value
    raise DataError(f"{path}: {key!r} must hold whole numbers of at least 1.")


def _text(cell: Value | str, path: Path) -> str:
    """The string of a cell, which may be nested in cells of one value."""
    while isinstance(cell, list):
        if len(cell) != 1:
            raise DataError(f"{path}: a cell holds {len(cell)} values where one file name is expected.")
        cell = cell[0]
    if not isinstance(cell, str):
        raise DataError(f"{path}: a cell holds numbers where a file name is expected.")
    return cell.strip()
