"""Files of Celebrities in Frontal-Profile: images, lists of images, pairs in folds, fiducial points."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import DataError
from bench.io.textfiles import finite_number, quote, read_lines, whole_number
from protocols.base.root import MOST_NAME, escaped_name, folders_in, inside_of

View = Literal["frontal", "profile"]
Pairs = Literal["FP", "FF"]

VIEWS: tuple[View, ...] = ("frontal", "profile")
LISTS: dict[View, str] = {"frontal": "Pair_list_F.txt", "profile": "Pair_list_P.txt"}
OFFICIAL = {"people": 500, "frontal": 5000, "profile": 2000}
FOLDS, A_FOLD = 10, 350
FIDUCIALS = 30
_IMAGE = re.compile(r"\d{2,3}\.(?:jpg|jpeg|png)", re.IGNORECASE)
_INSPECTED = 5  # folders, to decide whether they are folders of people
_LARGEST_COORDINATE = 1e5  # pixels


@dataclass(frozen=True, slots=True)
class Photograph:
    """One image: the person's folder, frontal or profile, the path."""

    person: str
    view: View
    path: Path

    @property
    def key(self) -> str:
        """Unique in the data set."""
        return f"{self.person}/{self.view}/{self.path.name}"


People = dict[str, dict[View, list[Photograph]]]
"""Photographs by person, then frontal or profile."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photographs, whether the lists give them the same person, and the fold from 0."""

    first: Photograph
    second: Photograph
    same: bool
    fold: int


def holds_cfp(folder: Path) -> bool:
    """Whether a folder holds Data/Images with folders of people that have both views."""
    people = folders_in(folder / "Data" / "Images")[:_INSPECTED]
    return any((person / view).is_dir() for person in people for view in VIEWS)


def read_people(root: Path) -> People:
    """Photographs by person and view, sorted.

    Raises:
        DataError: there are none, or a link leads out of the root.
    """
    people: People = {}
    for folder in folders_in(root / "Data" / "Images"):
        by_view: dict[View, list[Photograph]] = {view: _photographs(root, folder, view) for view in VIEWS}
        if any(by_view.values()):
            people[escaped_name(folder.name)] = by_view
    if not people:
        raise DataError(f"{root / 'Data' / 'Images'} holds no image such as 001/frontal/01.jpg.")
    return people


def _photographs(root: Path, folder: Path, view: View) -> list[Photograph]:
    place = folder / view
    try:
        names = sorted(name for name in os.listdir(place) if _IMAGE.fullmatch(name))
    except OSError:
        return []
    if not inside_of(root, place):
        raise DataError(f"{escaped_name(folder.name)}/{view} is a link that leads out of {root}.")
    for name in names:
        if (place / name).is_symlink() and not inside_of(root, place / name):
            raise DataError(f"{escaped_name(folder.name)}/{view}/{name} is a link that leads out of {root}.")
    return [Photograph(escaped_name(folder.name), view, place / name) for name in names]


def read_list(root: Path, view: View) -> list[Photograph]:
    """Read Pair_list_F.txt or Pair_list_P.txt: lines ``k ../Data/Images/001/frontal/01.jpg``, k counted from 1.

    Returns:
        The photographs, number k at index k - 1; their files may be absent.

    Raises:
        DataError: the list is absent, damaged or out of order, or names an image of the other view or outside
            Data/Images.
    """
    path = root / "Protocol" / LISTS[view]
    images = root / "Data" / "Images"
    photographs: list[Photograph] = []
    for line, text in _lines(path):
        fields = text.split(maxsplit=1)
        number = whole_number(fields[0])
        if len(fields) != 2 or number is None or any(len(part) > MOST_NAME for part in _split(fields[1])):
            raise DataError(f"{path}, line {line}: {quote(text)} is not a number and a path.")
        if number != len(photographs) + 1:
            raise DataError(
                f"{path}, line {line}: number {number}, expected {len(photographs) + 1}; lines are missing."
            )
        file = Path(os.path.normpath(path.parent / "/".join(_split(fields[1]))))
        parts = file.relative_to(images).parts if file.is_relative_to(images) else ()
        if len(parts) != 3 or parts[1] != view:
            raise DataError(f"{path}, line {line}: {quote(fields[1])} is not an image in Data/Images/<person>/{view}.")
        if not inside_of(root, file):
            raise DataError(f"{path}, line {line}: {quote(fields[1])} is a link that leads out of {root}.")
        photographs.append(Photograph(escaped_name(parts[0]), view, file))
    if not photographs:
        raise DataError(f"{path} is empty.")
    return photographs


def read_pairs(root: Path, pairs: Pairs) -> list[Pair]:
    """Read the pairs of all folds: Split/<pairs>/<01..>/same.txt and diff.txt, lines ``a,b``.

    ``a`` counts in the list of frontal images from 1, ``b`` in that of profile images (``FP``) or in the same (``FF``).

    Raises:
        DataError: a list is absent, damaged or empty, a number lies outside its list, or a pair of same.txt shows two
            people, or one of diff.txt the same person.
    """
    frontal = read_list(root, "frontal")
    other = frontal if pairs == "FF" else read_list(root, "profile")
    split = root / "Protocol" / "Split" / pairs
    folders = [folder for folder in folders_in(split) if folder.name.isascii() and folder.name.isdigit()]
    if len(folders) < 2:
        raise DataError(
            f"{split} holds {len(folders)} folds (folders 01, 02...); it needs two or more, the official set has ten."
        )
    read = []
    for fold, folder in enumerate(folders):
        for name, same in (("same.txt", True), ("diff.txt", False)):
            path = folder / name
            rows = _lines(path)
            if not rows:
                raise DataError(f"{path} is empty.")
            for line, text in rows:
                first, second = _numbers(path, line, text, len(frontal), len(other))
                pair = Pair(frontal[first - 1], other[second - 1], same, fold)
                if (pair.first.person == pair.second.person) != same:
                    raise DataError(
                        f"{path}, line {line}: {quote(text)} are {pair.first.key} and {pair.second.key}, "
                        f"{'two people' if same else 'one person'}. Are lists and pairs of different releases?"
                    )
                read.append(pair)
    return read


def read_fiducials(root: Path, photograph: Photograph) -> list[tuple[float, float]] | None:
    """The 30 points of a photograph, (x, y) pixels; None where their file is absent or damaged."""
    path = root / "Data" / "Fiducials" / photograph.person / photograph.view / f"{photograph.path.stem}.txt"
    if not path.is_file() or not inside_of(root, path):
        return None
    try:
        rows = [[finite_number(cell) for cell in line.split(",")] for _, line in read_lines(path)]
    except DataError:
        return None
    points = [
        (row[0], row[1])
        for row in rows
        if len(row) == 2
        and row[0] is not None
        and row[1] is not None
        and max(map(abs, (row[0], row[1]))) < _LARGEST_COORDINATE
    ]
    return points if len(points) == len(rows) == FIDUCIALS else None


def _numbers(path: Path, line: int, text: str, most_first: int, most_second: int) -> tuple[int, int]:
    fields = text.split(",")
    numbers = [whole_number(field) for field in fields]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        raise DataError(f"{path}, line {line}: {quote(text)} is not two numbers a,b.")
    first, second = numbers[0], numbers[1]
    for number, most in ((first, most_first), (second, most_second)):
        if not 1 <= number <= most:
            raise DataError(f"{path}, line {line}: {number} lies outside its list, which has {most} images.")
    return first, second


def _split(path: str) -> list[str]:
    return path.replace("\\", "/").split("/")


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are not blank, with their numbers."""
    return read_lines(path, absent="is absent; it is one of the lists of CFP's Protocol folder.")
