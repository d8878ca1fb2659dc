"""Detection and reading of the three releases of IJB-C."""

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
    """The lists of a release that a task needs."""
    pairs = task == "verification"
    if letter == "A":
        return (*official_lists.SEARCH_A.values(), *((official_lists.MATCHES_A,) if pairs else ()))
    if letter == "B":
        pair_lists = (*official_lists.PAIRS_B.values(), official_lists.MATCHES_B)
        return pair_lists if pairs else tuple(official_lists.SEARCH_B.values())
    return (loose_crops.MEDIA, *((loose_crops.MATCHES,) if pairs else loose_crops.SEARCH.values()))


def holds_ijbc(folder: Path) -> bool:
    """Whether a folder has a list of any release."""
    marks = {files_of(letter, task)[-1] for letter in _LETTERS for task in get_args(Task)}
    return any((folder / mark).is_file() for mark in (*sorted(marks), loose_crops.MEDIA))


def complete(root: Path, task: Task) -> list[Letter]:
    """Releases with all lists for a task, in order of preference: named media first, then whole images."""
    return [letter for letter in _LETTERS if not _absent(root, files_of(letter, task))]


def read_lists(root: Path, task: Task, release: Release = "auto") -> Lists:
    """Read the lists of one task.

    Args:
        root: the located root.
        task: of the run.
        release: whose lists to read; ``auto`` reads the first complete one.

    Raises:
        DataError: lists are absent or damaged.
    """
    available = complete(root, task)
    if release == "auto" and not available:
        missing = {letter: _absent(root, files_of(letter, task)) for letter in _LETTERS}
        nearest = min(_LETTERS, key=lambda letter: (len(missing[letter]) / len(files_of(letter, task)), letter))
        raise DataError(
            f"{root} holds no release with all lists for {task}; the most complete is release {nearest}, without "
            f"{', '.join(missing[nearest])}."
        )
    letter: Letter = available[0] if release == "auto" else release
    if letter not in available:
        raise DataError(
            f"{root} lacks {', '.join(_absent(root, files_of(letter, task)))} of release {letter} for {task}; complete "
            f"releases: {', '.join(available) or 'none'}."
        )
    lists = _READERS[letter](root, pairs=task == "verification")
    notes = [f"Read as release {letter} of IJB-C ({_NAMES[letter]})."]
    others = [other for other in available if other != letter]
    if others and release == "auto":
        notes.append(f"Lists of release {' and '.join(others)} exist too and were not used.")
    lists.notes[:0] = notes
    return lists


_NAMES: dict[Letter, str] = {
    "A": "whole images, older list names",
    "B": "whole images, test1 and test4",
    "C": "loose crops of insightface",
}


def _absent(root: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if not (root / name).is_file()]
