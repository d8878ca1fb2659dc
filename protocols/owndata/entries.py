"""The list of pictures that a folder and a CSV file both become, and the faults found on the way."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import DataError
from bench.io.textfiles import quote
from bench.types import CheckLine, Media, Points, Role

ROLES: tuple[Role, ...] = ("gallery", "probe", "distractor")
SHOWN = 5
"""Examples that are kept of each fault."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture of the user's data.

    Attributes:
        place: where it is listed, for messages: ``row 3``, or its path.
        name: path from the data root, ``/`` between folders, safe to print.
        path: the file.
        role: gallery, probe or distractor.
        identity: the person; None for a distractor of unknown identity.
        template: name of the template of several pictures; empty where the picture is a template of its own.
        medium: the photograph or video, for fusion by media; empty where none is given.
        frame: of a video, from 0; None for a picture.
        box: left, top, width, height of the face in pixels of the picture.
        points: five points in pixels of the picture.
        attributes: yaw in degrees and values of groups.
        media: what a run reads, where a manifest gives it whole; None where it follows from the other fields.
    """

    place: str
    name: str
    path: Path
    role: Role
    identity: str | None
    template: str = ""
    medium: str = ""
    frame: int | None = None
    box: Box | None = None
    points: Points | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    media: Media | None = None

    @property
    def key(self) -> str:
        """Name, and frame and box where they are given: unique in a study."""
        if self.media is not None:
            return self.media.key
        frame = "" if self.frame is None else f"#{self.frame}"
        return self.name + frame + ("" if self.box is None else "@" + ",".join(f"{value:g}" for value in self.box))


@dataclass
class Fault:
    """One kind of fault.

    Attributes:
        what: the fault, to follow a number: ``rows with an unknown role``.
        advice: what to do.
        count: how often it occurs.
        examples: the first few places.
    """

    what: str
    advice: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Faults:
    """Faults by kind. They are collected so that one run of the check shows all of them."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, what: str, example: str, advice: str) -> None:
        """Count a fault and keep its place if it is one of the first."""
        fault = self._faults.setdefault(what, Fault(what, advice))
        fault.count += 1
        if len(fault.examples) < SHOWN:
            fault.examples.append(example)

    def refuse(self, source: Path) -> None:
        """Raise a DataError that names every fault with its first places and what to do, if there are any."""
        if not self._faults:
            return
        sentences = []
        for fault in self._faults.values():
            more = f" and {fault.count - len(fault.examples):,} more" if fault.count > len(fault.examples) else ""
            sentences.append(f"{fault.count:,} {fault.what} ({'; '.join(fault.examples)}{more}). {fault.advice}")
        raise DataError(f"{source} cannot be used: {' '.join(sentences)}")

    def lines(self) -> list[CheckLine]:
        """One ``damaged`` line for each fault."""
        return [
            CheckLine("damaged", fault.what, f"{fault.count:,}: {fault.advice}", "none", tuple(fault.examples))
            for fault in self._faults.values()
        ]


@dataclass(frozen=True)
class Listing:
    """The pictures of a data root.

    Attributes:
        source: the folder or file that lists them.
        entries: in the order of their keys within each role.
        faults: what must be corrected before a run.
        notes: sentences for the user.
        groups: names of the attributes by which figures are broken down.
        galleries: templates of each gallery by its name; empty for one gallery of all.
        open_set: whether the list says that a probe may have no mate.
    """

    source: Path
    entries: tuple[Entry, ...]
    faults: Faults
    notes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    galleries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_set: bool = False


def composed(text: str) -> str:
    """A name in composed Unicode (NFC): macOS writes accents apart from their letters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def named(count: int, noun: str, names: list[str]) -> str:
    """A count with a noun and the first few names in brackets."""
    first = ", ".join(quote(name) for name in sorted(names)[:SHOWN])
    return f"{count:,} {noun} ({first}{', ...' if len(names) > SHOWN else ''})"
