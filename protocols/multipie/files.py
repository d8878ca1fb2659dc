"""The files of CMU Multi-PIE, parsed from their official names; files that do not fit are counted as faults."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.io.image_formats import IMAGE_ENDINGS
from protocols.base.root import entries_in, relative_name
from protocols.multipie.tables import CAMERAS, EXPRESSIONS, SESSIONS, SHOTS, SURVEILLANCE

_NAME = re.compile(r"(\d{3})_(\d{2})_(\d{2})_(\d{3})_(\d{2})", re.ASCII)


class Take(NamedTuple):
    """The images of one camera in one recording: up to 20 shots within a second, while the head does not move."""

    subject: int
    session: int
    recording: int
    camera: str

    @property
    def key(self) -> str:
        """As in file names: ``001_01_01_051``."""
        return f"{self.subject:03d}_{self.session:02d}_{self.recording:02d}_{self.camera.replace('_', '')}"


class Shot(NamedTuple):
    """One image."""

    take: Take
    shot: int
    path: Path

    @property
    def key(self) -> str:
        """The name of the file without its ending."""
        return f"{self.take.key}_{self.shot:02d}"


@dataclass
class Listing:
    """The requested shots in the order of their names; by kind of fault, the names of files left out."""

    shots: list[Shot] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def takes(self) -> dict[Take, list[Shot]]:
        """Shots by take."""
        grouped: dict[Take, list[Shot]] = defaultdict(list)
        for shot in self.shots:
            grouped[shot.take].append(shot)
        return dict(grouped)


def holds_multipie(folder: Path) -> bool:
    """Whether a folder holds ``data/session01/multiview`` or that of another session."""
    return any((folder / f"data/session{session:02d}/multiview").is_dir() for session in SESSIONS)


def scan(
    root: Path,
    *,
    sessions: Collection[int] = SESSIONS,
    subjects: Callable[[int], bool] = lambda subject: True,
    recordings: Callable[[int, int], bool] = lambda session, recording: True,
    cameras: Collection[str] = (*CAMERAS, *SURVEILLANCE),
) -> Listing:
    """List images; only requested folders are read, since the whole database has 35,000.

    Args:
        root: the folder that holds ``data``.
        sessions: sessions to list.
        subjects: whether to list a subject.
        recordings: whether to list a (session, recording).
        cameras: cameras to list.
    """
    listing = Listing()
    for session in sorted(sessions):
        base = root / f"data/session{session:02d}/multiview"
        for subject, person in _numbered(root, base, 3, listing, "folders that are not a subject"):
            if not subjects(subject):
                continue
            for recording, folder in _numbered(root, person, 2, listing, "folders that are not a recording"):
                if (session, recording) not in EXPRESSIONS:
                    listing.faults["recordings that the table of sessions lacks"].append(relative_name(root, folder))
                elif recordings(session, recording):
                    _cameras(root, folder, Take(subject, session, recording, ""), cameras, listing)
    listing.shots.sort(key=lambda shot: shot.key)
    return listing


def _cameras(root: Path, folder: Path, take: Take, wanted: Collection[str], listing: Listing) -> None:
    for entry in entries_in(root, folder, listing.faults):
        if not entry.is_dir():
            continue
        if entry.name not in CAMERAS and entry.name not in SURVEILLANCE:
            listing.faults["cameras that are not among the 15"].append(relative_name(root, Path(entry.path)))
        elif entry.name in wanted:
            _shots(root, Path(entry.path), take._replace(camera=entry.name), listing)


def _shots(root: Path, folder: Path, take: Take, listing: Listing) -> None:
    seen: set[int] = set()
    for entry in entries_in(root, folder, listing.faults):
        stem, ending = os.path.splitext(entry.name)
        if ending.lower() not in IMAGE_ENDINGS or not entry.is_file():
            continue
        path, match = Path(entry.path), _NAME.fullmatch(stem)
        if not match:
            listing.faults["images of other names"].append(relative_name(root, path))
            continue
        shot = int(match[5])
        if stem[:-3] != take.key:
            part = "camera" if stem[:10] == take.key[:10] else "folder"
            listing.faults[f"images whose name gives another {part} than theirs"].append(relative_name(root, path))
        elif shot not in SHOTS:
            listing.faults["shots that are not 00 to 19"].append(relative_name(root, path))
        elif shot in seen:
            listing.faults["second files of a shot"].append(relative_name(root, path))
        else:
            seen.add(shot)
            listing.shots.append(Shot(take, shot, path))


def _numbered(root: Path, folder: Path, digits: int, listing: Listing, fault: str) -> Iterator[tuple[int, Path]]:
    for entry in entries_in(root, folder, listing.faults):
        if entry.is_dir():
            name = entry.name
            if len(name) == digits and name.isascii() and name.isdigit():
                yield int(name), Path(entry.path)
            else:
                listing.faults[fault].append(relative_name(root, Path(entry.path)))
