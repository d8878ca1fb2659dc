"""The XML files of MMI: what a session holds, which emotion is shown, which action units move when."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from bench.errors import DataError

_MOST_BYTES = 4_000_000

NEUTRAL, ONSET, APEX, OFFSET = 0, 1, 2, 3
"""Types of markers: from this frame on the unit is at rest, rises, is at its height, falls."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An action unit of a clip.

    Attributes:
        number: as written; a side may be added to it (``12L``).
        markers: (frame from 0, type) in the order of frames; empty where the clip isn't coded in time.
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
        filename: of the video or picture; empty where it isn't given.
        view: 0 frontal, 1 another single view, 2 two half-width pictures side by side; None where it isn't given.
        annotations: file names.
    """

    filename: str
    view: int | None
    annotations: tuple[str, ...]


def read_tracks(path: Path) -> tuple[Track, ...]:
    """Tracks of a ``session.xml``.

    Raises:
        DataError: with a short reason that names no file: absent, no XML, no track, view is no number of 0 to 2.
    """
    tracks = []
    for node in _named(_parsed(path), "track"):
        view = _attribute(node, "view")
        if view not in ("", "0", "1", "2"):
            raise DataError("view is none of 0, 1, 2")
        names = tuple(_attribute(child, "filename") for child in _named(node, "annotation"))
        tracks.append(Track(_attribute(node, "filename"), int(view) if view else None, tuple(filter(None, names))))
    if not tracks:
        raise DataError("no track in it")
    return tuple(tracks)


def read_annotation(path: Path) -> tuple[int | None, tuple[Unit, ...]]:
    """Emotion code (None: no emotion is given) and action units of a clip's annotation, or of its temporal coding.

    Raises:
        DataError: with a short reason that names no file: absent, no XML, an emotion, frame or type that is no number.
    """
    root = _parsed(path)
    emotion: int | None = None
    for node in _named(root, "metatag"):
        if _attribute(node, "name").lower() == "emotion" and _attribute(node, "value"):
            emotion = _number(_attribute(node, "value"), "emotion")
    units = []
    for node in _named(root, "actionunit"):
        marks = [
            (
                _number(_attribute(m, "frame"), "frame") - 1,
                _number(_attribute(m, "type"), "marker type"),
            )  # from 1 there
            for m in _named(node, "marker")
        ]
        if any(frame < 0 or kind not in (NEUTRAL, ONSET, APEX, OFFSET) for frame, kind in marks):
            raise DataError("marker before the first frame or of an unknown type")
        units.append(Unit(_attribute(node, "number"), tuple(sorted(marks))))
    return emotion, tuple(units)


def _number(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DataError(f"{what} is no whole number") from None


class _NoDoctype(ET.TreeBuilder):
    """Builds a tree; refuses documents that could define entities, which may blow up or read other files."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        del name, pubid, system
        raise DataError("document type in it; refused")


def _parsed(path: Path) -> ET.Element[Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError("far too large")
        parser = ET.XMLParser(target=_NoDoctype())
        parser.feed(path.read_bytes())
        root: ET.Element[Any] = parser.close()
    except FileNotFoundError:
        raise DataError("file not found") from None
    except OSError as error:
        raise DataError(f"file not readable ({error.strerror})") from None
    except (ET.ParseError, ValueError, LookupError):  # ValueError, LookupError: an encoding that isn't known
        raise DataError("not XML") from None
    return root


def _named(root: ET.Element[Any], name: str) -> list[ET.Element[Any]]:
    """The element and those in it of a name, whatever its case."""
    return [node for node in root.iter() if isinstance(node.tag, str) and node.tag.lower() == name]


def _attribute(node: ET.Element[Any], name: str) -> str:
    return next((value.strip() for key, value in node.attrib.items() if key.lower() == name), "")
