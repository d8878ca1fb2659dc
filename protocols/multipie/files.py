"""The files of CMU Multi-PIE, read off their official names; what does not fit is counted, never guessed at."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from protocols.base.root import inside_of, printable
from protocols.multipie.tables import CAMERAS, EXPRESSIONS, SESSIONS, SHOTS, SURVEILLANCE

_NAME = re.compile(r"(\d{3})_(\d{2})_(\d{2})_(\d{3})_(\d{2})", re.ASCII)
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff"})


class Take(NamedTuple):
    """What one camera saw of one recording: up to 20 shots within a second, over which the head stays where it is."""

    subject: int
    session: int
    recording: int
    camera: str

    @property
    def key(self) -> str:
        """As file names have it: ``001_01_01_051``."""
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
    """The shots that were looked for, in the order of their names, and by kind of fault what was left out."""

    shots: list[Shot] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def takes(self) -> dict[Take, list[Shot]]:
        """Shots by take."""
        found: dict[Take, list[Shot]] = defaultdict(list)
        for shot in self.shots:
            found[shot.take].append(shot)
        return dict(found)


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
    """List images; only folders that are wanted are walked, since the whole database has 35,000.

    Args:
        root: the folder that holds ``data``.
        sessions: wanted ones.
        subjects: whether a subject is wanted.
        recordings: whether a (session, recording) is wanted.
        cameras: wanted ones.
    """
    listing = Listing()
    for session in sorted(sessions):
        base = root / f"data/session{session:02d}/multiview"
        for subject, person in _numbered(root, base, 3, listing, "folders that are no subject"):
            if not subjects(subject):
                continue
            for recording, folder in _numbered(root, person, 2, listing, "folders that are no recording"):
                if (session, recording) not in EXPRESSIONS:
                    listing.faults["recordings that the table of sessions lacks"].append(_told(root, folder))
                elif recordings(session, recording):
                    _cameras(root, folder, Take(subject, session, recording, ""), cameras, listing)
    listing.shots.sort(key=lambda shot: shot.key)
    return listing


def _cameras(root: Path, folder: Path, take: Take, wanted: Collection[str], listing: Listing) -> None:
    for entry in _entries(root, folder, listing):
        if not entry.is_dir():
            continue
        if entry.name not in CAMERAS and entry.name not in SURVEILLANCE:
            listing.faults["cameras that are not among the 15"].append(_told(root, Path(entry.path)))
        elif entry.name in wanted:
            _shots(root, Path(entry.path), take._replace(camera=entry.name), listing)


def _shots(root: Path, folder: Path, take: Take, listing: Listing) -> None:
    seen: set[int] = set()
    for entry in _entries(root, folder, listing):
        stem, ending = os.path.splitext(entry.name)
        if ending.lower() not in _IMAGES or not entry.is_file():
            continue
        path, match = Path(entry.path), _NAME.fullmatch(stem)
        if not match:
            listing.faults["images of other names"].append(_told(root, path))
            continue
        shot = int(match[5])
        if stem[:-3] != take.key:
            part = "camera" if stem[:10] == take.key[:10] else "folder"
            listing.faults[f"images whose name tells of another {part} than theirs"].append(_told(root, path))
        elif shot not in SHOTS:
            listing.faults["shots that are not 00 to 19"].append(_told(root, path))
        elif shot in seen:
            listing.faults["second files of a shot"].append(_told(root, path))
        else:
            seen.add(shot)
            listing.shots.append(Shot(take, shot, path))


def _numbered(root: Path, folder: Path, digits: int, listing: Listing, fault: str) -> Iterator[tuple[int, Path]]:
    for entry in _entries(root, folder, listing):
        if entry.is_dir():
            name = entry.name
            if len(name) == digits and name.isascii() and name.isdigit():
                yield int(name), Path(entry.path)
            else:
                listing.faults[fault].append(_told(root, Path(entry.path)))


def _entries(root: Path, folder: Path, listing: Listing) -> list[os.DirEntry[str]]:
    """What a folder holds, sorted, without hidden names and without links that leave the root."""
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        listing.faults["folders that cannot be read"].append(f"{_told(root, folder)}: {error.strerror}")
        return []
    outside = {e.name for e in entries if e.is_symlink() and not inside_of(root, Path(e.path))}
    if outside:
        listing.faults["links out of the data root"] += [_told(root, folder / name) for name in sorted(outside)]
    return [e for e in entries if e.name not in outside]


def _told(root: Path, path: Path) -> str:
    return printable(path.relative_to(root).as_posix())
