"""Choices that the sources of DroneSURF leave open (test subjects, number of the first frame), and notes on faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocols.dronesurf.annotations import NO_NUMBERS, Coordinates
from protocols.dronesurf.files import Listing, Track
from protocols.views.seeded import draw_key

SUBJECTS, TRAINING, TEST = 58, 34, 24
VIDEOS, GALLERY_IMAGES = 200, 4


@dataclass(frozen=True)
class Chosen:
    """Gallery and probes of a run.

    Attributes:
        listing: content of the folder.
        tracks: of test subjects in the scenario, in order, with their coordinates.
        test: test subjects that can be enrolled.
        enrolled: subjects of the gallery.
        training: the others of the split.
        base: number of the first frame.
        official: whether the counts are the published ones.
        notes: sentences for the user.
    """

    listing: Listing
    tracks: tuple[tuple[Track, Coordinates], ...]
    test: frozenset[int]
    enrolled: tuple[int, ...]
    training: frozenset[int]
    base: int
    official: bool
    notes: tuple[str, ...]


def draw_test(subjects: Collection[int], seed: int) -> list[int]:
    """Draw the test subjects: a share of 24 / 58 of all (at least one), ascending."""
    count = max(1, round(len(subjects) * TEST / SUBJECTS))
    return sorted(sorted(subjects, key=lambda subject: draw_key(seed, "subject", subject))[:count])


def frame_base(frames: Mapping[Path, Sequence[int]], count: Callable[[Path], int]) -> tuple[int, str]:
    """The number of a video's first frame, 0 or 1, and why.

    Args:
        frames: by video, the first and the last frame in its coordinate files.
        count: number of frames of a video, 0 where it cannot be opened; called until one decides.

    Returns:
        0 where a frame 0 is listed; 1 where the last listed frame of a video equals its number of frames; else 1, by
        assumption.
    """
    if any(first == 0 for first, _ in frames.values()):
        return 0, "a frame 0 is listed"
    if any(last == count(path) for path, (_, last) in frames.items()):
        return 1, "the last frame listed of a video is the number of its frames"
    return 1, "assumed: neither a frame 0 nor the last frame of a video is listed"


def fault_notes(listing: Listing, tracks: Sequence[tuple[Track, Coordinates]], base: int) -> list[str]:
    """Notes about annotated frames that the videos lack, and about faults of files."""
    from bench.media.video import count_frames

    notes = []
    missing = sum(_frames_missing(coordinates, base, count_frames(track.video.path)) for track, coordinates in tracks)
    if missing:
        notes.append(f"{missing:,} annotated frames are not in their videos; they count as failures.")
    faults: Counter[str] = Counter({fault: len(names) for fault, names in listing.faults.items()})
    for _, coordinates in tracks:
        faults.update(coordinates.faults)
    examples = [coordinates.first for _, coordinates in tracks if coordinates.first]
    return notes + [
        f"Found {count:,} {fault}{f' ({examples[0]})' if examples and fault == NO_NUMBERS else ''}."
        for fault, count in sorted(faults.items())
    ]


def _frames_missing(coordinates: Coordinates, base: int, frames: int) -> int:
    """Number of annotated frames beyond the video's ``frames``; 0 where the video is absent (a fault of its own)."""
    return sum(not base <= face.frame < base + frames for face in coordinates.faces) if frames else 0
