"""Which release of IJB-C a folder holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, get_args

from bench.errors import DataError
from protocols.ijbc import loose_crops, official_lists
from protocols.ijbc.rows import Letter, Lists

Task = Literal["identification", "verification"]
Release = Literal["auto", "A", "B", "C"]

INSIDE = ("IJB-C", "IJBC", "ijbc", "IJB/IJB-C", "ijb/IJBC")
_LETTERS: tuple[Letter, ...] = get_args(Letter)
_READERS: dict[Letter, Callable[..., Lists]] = {
    "A": official_lists.read_a,
    "B": official_lists.read_b,
    "C": loose_crops.read_c,
}


def files_of(letter: Letter, task: Task) -> tuple[str, ...]:
    """The lists that a task needs of a release."""
    pairs = task == "verification"
    if letter == "A":
        return (*official_lists.SEARCH_A.values(), *((official_lists.MATCHES_A,) if pairs else ()))
    if letter == "B":
        own = (*official_lists.PAIRS_B.values(), official_lists.MATCHES_B)
        return own if pairs else tuple(official_lists.SEARCH_B.values())
    return (loose_crops.MEDIA, *((loose_crops.MATCHES,) if pairs else loose_crops.SEARCH.values()))


def holds_ijbc(folder: Path) -> bool:
    """Whether a folder has a list of any release."""
    marks = {files_of(letter, task)[-1] for letter in _LETTERS for task in get_args(Task)}
    return any((folder / mark).is_file() for mark in (*sorted(marks), loose_crops.MEDIA))


def complete(root: Path, task: Task) -> list[Letter]:
    """Releases all of whose lists for a task are there, the preferred one first: media named, then whole pictures."""
    return [letter for letter in _LETTERS if not _absent(root, files_of(letter, task))]


def read_lists(root: Path, task: Task, release: Release = "auto") -> Lists:
    """Read the lists of one task.

    Args:
        root: the located root.
        task: which.
        release: which release, or the first complete one.

    Raises:
        DataError: lists are absent or damaged.
    """
    there = complete(root, task)
    if release == "auto" and not there:
        wanting = {letter: _absent(root, files_of(letter, task)) for letter in _LETTERS}
        nearest = min(_LETTERS, key=lambda letter: (len(wanting[letter]) / len(files_of(letter, task)), letter))
        raise DataError(
            f"{root} holds no release with all lists for {task}; nearest is release {nearest}, without "
            f"{', '.join(wanting[nearest])}."
        )
    letter: Letter = there[0] if release == "auto" else release
    if letter not in there:
        raise DataError(
            f"{root} lacks {', '.join(_absent(root, files_of(letter, task)))} of release {letter} for {task}; complete "
            f"there: {', '.join(there) or 'none'}."
        )
    lists = _READERS[letter](root, pairs=task == "verification")
    told = [f"Read as release {letter} of IJB-C ({_NAMES[letter]})."]
    others = [other for other in there if other != letter]
    if others and release == "auto":
        told.append(f"Lists of release {' and '.join(others)} are there too and were not used.")
    lists.notes[:0] = told
    return lists


_NAMES: dict[Letter, str] = {
    "A": "whole pictures, older list names",
    "B": "whole pictures, test1 and test4",
    "C": "loose crops of insightface",
}


def _absent(root: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if not (root / name).is_file()]
