"""The XML files of MMI: the recordings of a session, the emotion shown, the timing of action units."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from bench.errors import DataError
from bench.io.filekinds import HEAD, kind_of, read_plain
from bench.io.textfiles import whole_number

_MOST_BYTES = 4_000_000

NEUTRAL, ONSET, APEX, OFFSET = 0, 1, 2, 3
"""Types of markers: from this frame on the unit is neutral, in its onset, at its apex, in its offset."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An action unit of a clip.

    Attributes:
        number: as written, possibly with a side (``12L``).
        markers: (frame from 0, type) in the order of frames; empty where the clip has no temporal coding.
    """

    number: str
    markers: tuple[tuple[int, int], ...] = ()

    def type_at(self, frame: int) -> int:
        """Type of the last marker up to a frame; `NEUTRAL` before the first."""
        return next((kind for start, kind in reversed(self.markers) if start <= frame), NEUTRAL)


@dataclass(frozen=True, slots=True)
class Track:
    """A recording that ``session.xml`` names.

    Attributes:
        filename: of the video or still; empty where it is not given.
        view: 0 frontal, 1 another single view, 2 two half-width views side by side; None where it is not given.
        annotations: file names.
    """

    filename: str
    view: int | None
    annotations: tuple[str, ...]


def read_tracks(path: Path) -> tuple[Track, ...]:
    """Tracks of a ``session.xml``.

    Raises:
        DataError: with a short reason without file names: absent, not XML, no track, or a view other than 0, 1, 2.
    """
    tracks = []
    for node in _named(_parsed(path), "track"):
        view = _attribute(node, "view")
        if view not in ("", "0", "1", "2"):
            raise DataError("view is not 0, 1 or 2")
        names = tuple(_attribute(child, "filename") for child in _named(node, "annotation"))
        tracks.append(Track(_attribute(node, "filename"), int(view) if view else None, tuple(filter(None, names))))
    if not tracks:
        raise DataError("no track in it")
    return tuple(tracks)


def read_annotation(path: Path) -> tuple[int | None, tuple[Unit, ...]]:
    """Read the emotion code (None where there is none) and action units of a clip's annotation or temporal coding.

    An action unit that is listed twice is one unit, with the markers of both.

    Raises:
        DataError: with a short reason without file names: absent, not XML, an emotion, frame or type that is not a
            whole number, a marker outside a unit, or a unit with two types of markers at one frame.
    """
    root = _parsed(path)
    emotion: int | None = None
    for node in _named(root, "metatag"):
        if _attribute(node, "name").lower() == "emotion" and _attribute(node, "value"):
            emotion = _number(_attribute(node, "value"), "emotion")
    units: dict[str, set[tuple[int, int]]] = {}
    inside = 0
    for node in _named(root, "actionunit"):
        inside += len(_named(node, "marker"))
        marks = [
            (_number(_attribute(m, "frame"), "frame") - 1, _number(_attribute(m, "type"), "marker type"))
            for m in _named(node, "marker")  # whose frames count from 1
        ]
        if any(frame < 0 or kind not in (NEUTRAL, ONSET, APEX, OFFSET) for frame, kind in marks):
            raise DataError("marker before the first frame or of an unknown type")
        units.setdefault(_attribute(node, "number"), set()).update(marks)
    if inside != len(_named(root, "marker")):
        raise DataError("marker outside an action unit")
    if any(len({frame for frame, _ in marked}) < len(marked) for marked in units.values()):
        raise DataError("two types of markers at one frame")
    return emotion, tuple(Unit(number, tuple(sorted(marked))) for number, marked in units.items())


def _number(text: str, what: str) -> int:
    number = whole_number(text)
    if number is None:
        raise DataError(f"{what} is not a whole number")
    return number


class _NoDoctype(ET.TreeBuilder):
    """Builds a tree; refuses document types, whose entities may expand without bound or read other files."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        del name, pubid, system
        raise DataError("it has a document type; refused")


def _parsed(path: Path) -> ET.Element[Any]:
    data = read_plain(path, _MOST_BYTES)
    kind = kind_of(data[:HEAD])
    if kind is not None:
        raise DataError(f"{kind}, not XML")
    try:
        parser = ET.XMLParser(target=_NoDoctype())
        parser.feed(data)
        root: ET.Element[Any] = parser.close()
    except (ET.ParseError, ValueError, LookupError):  # ValueError, LookupError: an unknown encoding
        raise DataError("not XML") from None
    if any((text or "").strip() for node in root.iter() for text in (node.tail, node.text if len(node) else "")):
        raise DataError("text between its elements, of which one may be damaged")
    return root


def _named(root: ET.Element[Any], name: str) -> list[ET.Element[Any]]:
    """The element and its descendants with a tag, in any case."""
    return [node for node in root.iter() if isinstance(node.tag, str) and node.tag.lower() == name]


def _attribute(node: ET.Element[Any], name: str) -> str:
    return next((value.strip() for key, value in node.attrib.items() if key.lower() == name), "")
