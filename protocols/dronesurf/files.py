"""The files of DroneSURF: videos, coordinate files, gallery and split."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from bench.io.textfiles import quote, read_lines
from protocols.base.root import entries_in, escaped_name, folders_in, inside_of, relative_name

Scenario = Literal["active", "passive"]
Part = Literal["train", "test"]

SPLIT = "train_test_split.csv"
COORDINATES = "coordinates.txt"
_KIND = re.compile("tracking|activity", re.IGNORECASE)
_GALLERY = re.compile(r"(hr)?[ _-]*gallery", re.IGNORECASE)
_PEOPLE = re.compile(r"\d+(\s*,\s*\d+)*", re.ASCII)
_PERSON = re.compile(r"person[ _-]*(\d+)", re.IGNORECASE | re.ASCII)
_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".m4v")
_PARTS = frozenset({"train", "val", "test", "original"})  # folders of re-releases above those of people


class Video(NamedTuple):
    """One video; ``path`` may be absent where only its coordinates exist."""

    key: str
    path: Path
    scenario: Scenario
    time: str
    place: str
    people: tuple[int, ...]


class Track(NamedTuple):
    """The coordinate file of one person in one video."""

    video: Video
    subject: int
    path: Path


@dataclass
class Listing:
    """Content of the data root, sorted; by kind of fault, the names of files left out."""

    videos: list[Video] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    gallery: dict[int, list[Path]] = field(default_factory=dict)
    split: dict[int, Part] | None = None
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def holds_dronesurf(folder: Path) -> bool:
    """Whether a folder holds one named with Tracking or Activity, and folders of times and places below it."""
    return any(_KIND.search(kind.name) and any(map(folders_in, folders_in(kind))) for kind in folders_in(folder))


def scan(root: Path) -> Listing:
    """List a located root.

    Raises:
        DataError: the split has no test subject or contradicts itself.
    """
    listing = Listing()
    for kind in _folders(root, root, listing):
        if _KIND.search(kind.name):
            for time in _folders(root, kind, listing):
                for place in _folders(root, time, listing):
                    for people in _folders(root, place, listing):
                        _videos(root, people, listing)
    listing.gallery = _gallery(root, listing)
    if (root / SPLIT).is_file():
        listing.split = read_split(root / SPLIT, listing)
    return listing


def scenario_of(folder: str) -> Scenario:
    """The scenario of a folder: by the word beside Tracking or Activity in its name, else by that word itself."""
    word = _KIND.sub("", folder).lower()
    if "passive" in word or "random" in word:
        return "passive"
    return "active" if "active" in word or "tracking" in folder.lower() else "passive"


def read_split(path: Path, listing: Listing) -> dict[int, Part]:
    """Subjects by part: rows of a number and a word that begins with ``tr`` or ``te``; a first row may be a header.

    Raises:
        DataError: no row names a test subject, or a subject is in both parts.
    """
    parts: dict[int, Part] = {}
    for number, line in read_lines(path):
        match = re.fullmatch(
            r'\s*"?(?:person|subject)?\s*(\d{1,15})"?\s*[,;\s]\s*"?(tr|te)[a-z]*"?\s*', line, re.I | re.ASCII
        )
        if not match:
            if number > 1:
                listing.faults[f"lines of {SPLIT} without a subject and its part"].append(
                    f"line {number}: {quote(line)}"
                )
            continue
        subject, part = int(match[1]), "train" if match[2].lower() == "tr" else "test"
        if parts.get(subject, part) != part:
            raise DataError(f"{path} puts subject {subject} in both training and test set.")
        parts[subject] = part  # type: ignore[assignment]  # one of the two words
    if "test" not in parts.values():
        raise DataError(f"{path} names no test subject; expected rows such as 12,test.")
    return parts


def _videos(root: Path, folder: Path, listing: Listing) -> None:
    if not _PEOPLE.fullmatch(folder.name):
        listing.faults["folders whose name lists no people"].append(relative_name(root, folder))
        return
    people = tuple(sorted({int(number) for number in re.findall(r"\d+", folder.name)}))
    kind, time, place = folder.relative_to(root).parts[:3]
    video_files: dict[str, Path] = {}
    for path in _files(root, folder, listing):
        if path.suffix.lower() in _VIDEOS:
            video_files.setdefault(path.stem, path)
    coordinate_folders = {path.name: path for path in _folders(root, folder, listing)}
    for name in sorted({*video_files, *coordinate_folders}):
        path = video_files.get(name, folder / f"{name}.mp4")
        key = escaped_name((folder / name).relative_to(root).as_posix())
        video = Video(key, path, scenario_of(kind), time.lower(), place, people)
        inner = coordinate_folders.get(name)
        tracks = _tracks(root, video, inner, listing) if inner else []
        if name not in video_files and not tracks:
            continue  # a folder of something else
        listing.videos.append(video)
        listing.tracks += tracks
        if name not in video_files:
            listing.faults["videos that are absent"].append(key)
        absent = set(people) - {track.subject for track in tracks}
        if not tracks:
            listing.faults["videos without coordinates"].append(key)
        elif absent:
            listing.faults["people of a video without coordinates"] += [f"{key}: {one}" for one in sorted(absent)]


def _tracks(root: Path, video: Video, folder: Path, listing: Listing) -> list[Track]:
    tracks: dict[int, Track] = {}
    for inner in _folders(root, folder, listing):
        match, path = _PERSON.fullmatch(inner.name), inner / COORDINATES
        if not match:
            continue
        subject = int(match[1])
        if not path.is_file() or not inside_of(root, path):
            continue  # reported as a person without coordinates
        if subject in tracks:
            listing.faults["second folders of a person in a video"].append(relative_name(root, inner))
            continue
        tracks[subject] = Track(video, subject, path)
        if subject not in video.people:
            listing.faults["people with coordinates that the video's folder does not name"].append(
                relative_name(root, inner)
            )
    return [tracks[subject] for subject in sorted(tracks)]


def _gallery(root: Path, listing: Listing) -> dict[int, list[Path]]:
    images: dict[int, list[Path]] = defaultdict(list)
    for top in _folders(root, root, listing):
        if not _GALLERY.fullmatch(top.name):
            continue
        for folder, names, files in os.walk(top):
            names.sort()
            for path in sorted(Path(folder) / name for name in files if not name.startswith(".")):
                if path.suffix.lower() not in IMAGE_ENDINGS:
                    continue
                parts = [part for part in path.relative_to(top).with_suffix("").parts if part.lower() not in _PARTS]
                number = re.search(r"\d+", parts[0], re.ASCII) if parts else None
                if not inside_of(root, path):
                    listing.faults["links out of the data root"].append(relative_name(root, path))
                elif number is None:
                    listing.faults["gallery images whose name contains no person"].append(relative_name(root, path))
                else:
                    images[int(number[0])].append(path)
    return dict(sorted(images.items()))


def _folders(root: Path, folder: Path, listing: Listing) -> list[Path]:
    return [Path(entry.path) for entry in entries_in(root, folder, listing.faults) if entry.is_dir()]


def _files(root: Path, folder: Path, listing: Listing) -> list[Path]:
    return [Path(entry.path) for entry in entries_in(root, folder, listing.faults) if entry.is_file()]
