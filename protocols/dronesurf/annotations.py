"""One line of a ``coordinates.txt`` of DroneSURF: five whole numbers among words, commas and brackets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.io.textfiles import quoted, read_lines, whole_number

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?![\w.])|(?<=[Ff]rame)\d+(?![\w.])", re.ASCII)
_MOST = 10**6  # no frame number and no pixel is larger


class Face(NamedTuple):
    """A face in a frame: the frame's number as the file has it, and opposite corners in order, pixels."""

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
        faults: how many lines were otherwise, by kind.
        first: the first line without five whole numbers, quoted in short with its file and number; empty for none.
    """

    faces: list[Face] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    first: str = ""


NO_FACE = "coordinate files without a face"
NO_NUMBERS = "lines without five whole numbers"
SWAPPED = "boxes whose corners were swapped (put right)"
NO_SIZE = "boxes of size zero"
OUTSIDE = "boxes wholly left of or above the frame"
TWICE = "frames listed twice for a person"


def read_coordinates(path: Path) -> Coordinates:
    """Read a file.

    Corners may come in any order; a box without a size, or one that ends left of or above the frame, shows no face and
    is left out, as is a second line for a frame.

    Raises:
        DataError: it cannot be read; see `bench.io.textfiles.read_text`.
    """
    found = Coordinates()
    seen: dict[int, Face] = {}
    for number, line in read_lines(path):
        face, faults = parse_line(line)
        if NO_NUMBERS in faults and not found.first:
            found.first = f"{path.parent.name}/{path.name}, line {number}: {quoted(line)}"
        if face is not None and face.frame in seen:
            face, faults = None, [TWICE]
        found.faults.update(faults)
        if face is not None:
            seen[face.frame] = face
    found.faces = [seen[frame] for frame in sorted(seen)]
    if not found.faces:
        found.faults[NO_FACE] += 1
    return found


def parse_line(line: str) -> tuple[Face | None, list[str]]:
    """The face of a line, or None; and what was wrong with it."""
    numbers = [whole_number(number) for number in _NUMBER.findall(line)]
    known = [number for number in numbers if number is not None and abs(number) <= _MOST]
    if len(known) != 5 or len(numbers) != 5 or known[0] < 0:
        return None, [NO_NUMBERS]
    frame, x1, y1, x2, y2 = known
    face = Face(frame, min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    if face.left == face.right or face.top == face.bottom:
        return None, [NO_SIZE]
    if face.right <= 0 or face.bottom <= 0:
        return None, [OUTSIDE]
    return face, [SWAPPED] if x1 > x2 or y1 > y2 else []
