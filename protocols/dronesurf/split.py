"""Who is compared in DroneSURF, and what its sources leave open: who is tested, and the first frame's number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocols.dronesurf.annotations import Coordinates
from protocols.dronesurf.files import Listing, Track

SUBJECTS, TRAINING, TEST = 58, 34, 24
VIDEOS, GALLERY_IMAGES = 200, 4


@dataclass(frozen=True)
class Chosen:
    """What is compared.

    Attributes:
        listing: of the folder.
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
    """24 of 58 parts of the subjects (at least one), those with the smallest SHA-256 of seed and number, ascending."""
    count = max(1, round(len(subjects) * TEST / SUBJECTS))

    def lot(subject: int) -> str:
        return hashlib.sha256(f"{seed} subject {subject}".encode()).hexdigest()

    return sorted(sorted(subjects, key=lot)[:count])


def frame_base(frames: Mapping[Path, Sequence[int]], count: Callable[[Path], int]) -> tuple[int, str]:
    """The number of a video's first frame, 0 or 1, and why.

    Args:
        frames: by video, the first and the last frame its coordinates name.
        count: frames of a video, 0 where it is none; called until one decides.

    Returns:
        0 where any video names frame 0; 1 where the last frame of one is as large as its number of frames; else 1,
        which is an assumption then.
    """
    if any(first == 0 for first, _ in frames.values()):
        return 0, "a frame 0 is listed"
    if any(last == count(path) for path, (_, last) in frames.items()):
        return 1, "the last frame listed of a video is the number of its frames"
    return 1, "assumed: no frame 0 is listed, and no video's last frame is"
