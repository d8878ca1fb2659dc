"""The ``coordinates.txt`` files of DroneSURF: lines with five whole numbers among words, commas and brackets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.io.textfiles import quote, read_lines, whole_number

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?![\w.])|(?<=[Ff]rame)\d+(?![\w.])", re.ASCII)
_LARGEST = 10**6  # frame number or coordinate


class Face(NamedTuple):
    """A face in a frame: the frame number of the file, and the box from its smaller to its larger corner, pixels."""

    frame: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width, height."""
        return float(self.left), float(self.top), float(self.right - self.left), float(self.bottom - self.top)


@dataclass
class Coordinates:
    """The faces of one person in one video.

    Attributes:
        faces: by ascending frame.
        faults: number of faulty lines, by kind.
        first: the first line without five whole numbers, shortened, with its file and line number; empty for none.
    """

    faces: list[Face] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    first: str = ""


NO_FACE = "coordinate files without a face"
NO_NUMBERS = "lines without five whole numbers"
SWAPPED = "boxes whose corners were swapped (corrected)"
NO_SIZE = "boxes of size zero"
OUTSIDE = "boxes wholly left of or above the frame"
TWICE = "frames listed twice for a person"


def read_coordinates(path: Path) -> Coordinates:
    """Read a file.

    Corners may be in any order. A box of size zero, or one that ends left of or above the frame, is left out, as is a
    second line for a frame.

    Raises:
        DataError: it cannot be read; see `bench.io.textfiles.read_text`.
    """
    coordinates = Coordinates()
    seen: dict[int, Face] = {}
    for number, line in read_lines(path):
        face, faults = parse_line(line)
        if NO_NUMBERS in faults and not coordinates.first:
            coordinates.first = f"{path.parent.name}/{path.name}, line {number}: {quote(line)}"
        if face is not None and face.frame in seen:
            face, faults = None, [TWICE]
        coordinates.faults.update(faults)
        if face is not None:
            seen[face.frame] = face
    coordinates.faces = [seen[frame] for frame in sorted(seen)]
    if not coordinates.faces:
        coordinates.faults[NO_FACE] += 1
    return coordinates


def parse_line(line: str) -> tuple[Face | None, list[str]]:
    """The face of a line, or None; and the kinds of its faults."""
    numbers = [whole_number(number) for number in _NUMBER.findall(line)]
    valid = [number for number in numbers if number is not None and abs(number) <= _LARGEST]
    if len(valid) != 5 or len(numbers) != 5 or valid[0] < 0:
        return None, [NO_NUMBERS]
    frame, x1, y1, x2, y2 = valid
    face = Face(frame, min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    if face.left == face.right or face.top == face.bottom:
        return None, [NO_SIZE]
    if face.right <= 0 or face.bottom <= 0:
        return None, [OUTSIDE]
    return face, [SWAPPED] if x1 > x2 or y1 > y2 else []
