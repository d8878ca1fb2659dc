"""The two MATLAB files of TinyFace: which image shows whom."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from bench.errors import DataError


def read_id_pairs(path: Path, names_key: str, ids_key: str) -> list[tuple[str, int]]:
    """Read image names and identities from one ``*_img_ID_pairs.mat``.

    Args:
        path: the file, MATLAB 4 to 7.2.
        names_key: variable with the names, a cell array (N, 1) of strings.
        ids_key: variable with the identities, numbers (N, 1), whole and at least 1.

    Returns:
        (file name, identity) in file order.

    Raises:
        DataError: the file is damaged, of version 7.3, holds other variables, or they contradict each other, name a
            path instead of a file, or name a file twice.
    """
    from scipy.io import loadmat

    try:
        with path.open("rb") as file:
            head = file.read(128)
        if b"MATLAB 7.3" in head:
            raise DataError(f"{path} is a MATLAB 7.3 (HDF5) file; save it with -v7 as in the official release.")
        content = loadmat(path)
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged file makes scipy raise nearly anything
        raise DataError(
            f"{path} cannot be read ({type(error).__name__}: {error}): it is damaged or no .mat file."
        ) from error
    found = sorted(key for key in content if not key.startswith("__"))
    absent = [key for key in (names_key, ids_key) if key not in content]
    if absent:
        raise DataError(f"{path} holds {found or 'nothing'}; expected {names_key!r} and {ids_key!r}.")
    names = [_text(cell, path) for cell in np.asarray(content[names_key]).ravel()]
    numbers = np.asarray(content[ids_key]).ravel()
    if len(names) != len(numbers):
        raise DataError(f"{path}: {len(names)} names in {names_key!r} but {len(numbers)} identities in {ids_key!r}.")
    if not names:
        raise DataError(f"{path}: {names_key!r} is empty.")
    whole = numbers.dtype.kind in "iuf" and np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    if not whole or numbers.min() < 1:
        raise DataError(f"{path}: {ids_key!r} must hold whole numbers of at least 1.")
    strange = [name for name in names if not _is_file_name(name)]
    if strange:
        raise DataError(
            f"{path}: {len(strange)} entries are no plain file names and could lead outside the image folder, "
            f"{strange[0]!r} first; refused."
        )
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # None is falsy
    if twice:
        raise DataError(f"{path} names {len(twice)} images more than once: {', '.join(twice[:5])}.")
    return list(zip(names, (int(number) for number in numbers), strict=True))


def _is_file_name(name: str) -> bool:
    """Whether a name stays in its folder on every system."""
    plain = PurePosixPath(name).name == name == PureWindowsPath(name).name
    return plain and name not in ("", ".", "..") and "\0" not in name


def _text(cell: object, path: Path) -> str:
    """The string in a cell, which scipy wraps in arrays."""
    while isinstance(cell, np.ndarray):
        if cell.size != 1:
            raise DataError(f"{path}: a cell holds {cell.size} values where one file name is expected.")
        cell = cell.ravel()[0]
    if not isinstance(cell, str):
        raise DataError(f"{path}: a cell holds {type(cell).__name__} where a file name is expected.")
    return cell.strip()
