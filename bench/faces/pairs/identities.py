"""Identity labels and published parts of photographs: folders of people, or lists beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.errors import DataError
from bench.io.textfiles import quote, read_lines

FOLDER = "folder"
"""The word for identities that are the photographs' folders, as in LFW."""
PUBLISHED = {"0": "train", "1": "validation", "2": "test"}
"""Codes of ``list_eval_partition.txt`` of CelebA."""
_COLUMNS = ("identity", "partition")


def read_identities(source: str, folder: Path, files: Sequence[Path]) -> list[str]:
    """The identity label of each photograph, empty where it has none.

    Args:
        source: ``folder``, or a list: a file of lines ``NAME IDENTITY``, such as CelebA's ``identity_CelebA.txt``, or
            a CSV with a column ``identity``.
        folder: of the photographs; a name is relative to it, or a bare file name.
        files: the photographs.

    Raises:
        DataError: the list cannot be read or names none of the photographs.
    """
    if source == FOLDER:
        return [path.parent.relative_to(folder).as_posix() if path.parent != folder else "" for path in files]
    return _by_name(Path(source), folder, files)


def read_partition(source: Path, folder: Path, files: Sequence[Path]) -> list[str]:
    """The published part of each photograph: ``train``, ``validation``, ``test``; empty where it has none.

    Args:
        source: CelebA's ``list_eval_partition.txt`` or a list of its form: 0 is train, 1 validation, 2 test.
        folder: of the photographs.
        files: the photographs.

    Raises:
        DataError: the list cannot be read, names none of the photographs, or has another code.
    """
    codes = _by_name(source, folder, files)
    unknown = sorted({code for code in codes if code} - set(PUBLISHED))
    if unknown:
        raise DataError(f"{source}: {quote(unknown[0])} is no part; the codes are 0 train, 1 validation, 2 test.")
    return [PUBLISHED.get(code, "") for code in codes]


def _by_name(source: Path, folder: Path, files: Sequence[Path]) -> list[str]:
    """The value of each photograph in a list, empty where it has none."""
    values: dict[str, str] = {}
    column = 1
    for number, line in read_lines(source):
        cells = [cell.strip() for cell in (line.split(",") if "," in line else line.split())]
        if number == 1 and any(cell.lower() in _COLUMNS for cell in cells):
            column = next(place for place, cell in enumerate(cells) if cell.lower() in _COLUMNS)
            continue
        if number == 1 and len(cells) == 1 or not any(cells):  # a count, or an empty line
            continue
        if len(cells) <= column or not cells[0] or not cells[column]:
            raise DataError(f"{source}, line {number}: {quote(line)} is not a photograph's name and its value.")
        if values.setdefault(cells[0], cells[column]) != cells[column]:
            raise DataError(f"{source}, line {number}: {quote(cells[0])} is listed twice with two values.")
    counts = Counter(path.name for path in files)  # a bare name that several photographs have says nothing
    bare = {path: values.get(path.name, "") if counts[path.name] == 1 else "" for path in files}
    labels = [values.get(path.relative_to(folder).as_posix(), bare[path]) for path in files]
    if not any(labels):
        raise DataError(f"{source} names none of the {len(files):,} photographs in {folder}.")
    return labels
