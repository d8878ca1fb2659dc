"""The XML files of MMI: the recordings of a session, the emotion shown, the timing of action units."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from bench.errors import DataError

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

    Raises:
        DataError: with a short reason without file names: absent, not XML, or an emotion, frame or type that is not a
            whole number.
    """
    root = _parsed(path)
    emotion: int | None = None
    for node in _named(root, "metatag"):
        if _attribute(node, "name").lower() == "emotion" and _attribute(node, "value"):
            emotion = _number(_attribute(node, "value"), "emotion")
    units = []
    for node in _named(root, "actionunit"):
        marks = [
            (_number(_attribute(m, "frame"), "frame") - 1, _number(_attribute(m, "type"), "marker type"))
            for m in _named(node, "marker")  # whose frames count from 1
        ]
        if any(frame < 0 or kind not in (NEUTRAL, ONSET, APEX, OFFSET) for frame, kind in marks):
            raise DataError("marker before the first frame or of an unknown type")
        units.append(Unit(_attribute(node, "number"), tuple(sorted(marks))))
    return emotion, tuple(units)


def _number(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DataError(f"{what} is not a whole number") from None


class _NoDoctype(ET.TreeBuilder):
    """Builds a tree; refuses document types, whose entities may expand without bound or read other files."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        del name, pubid, system
        raise DataError("it has a document type; refused")


def _parsed(path: Path) -> ET.Element[Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError("too large")
        parser = ET.XMLParser(target=_NoDoctype())
        parser.feed(path.read_bytes())
        root: ET.Element[Any] = parser.close()
    except FileNotFoundError:
        raise DataError("file not found") from None
    except OSError as error:
        raise DataError(f"file not readable ({error.strerror})") from None
    except (ET.ParseError, ValueError, LookupError):  # ValueError, LookupError: an unknown encoding
        raise DataError("not XML") from None
    return root


def _named(root: ET.Element[Any], name: str) -> list[ET.Element[Any]]:
    """The element and its descendants with a tag, in any case."""
    return [node for node in root.iter() if isinstance(node.tag, str) and node.tag.lower() == name]


def _attribute(node: ET.Element[Any], name: str) -> str:
    return next((value.strip() for key, value in node.attrib.items() if key.lower() == name), "")
