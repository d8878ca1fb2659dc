"""Choices that the sources of DroneSURF leave open: the test subjects, and the number of the first frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocols.dronesurf.annotations import Coordinates
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
