"""Who and what is drawn from Multi-PIE: pure functions of the listing and the seed.

Things are ordered by the SHA-256 of the seed and their name, so a draw is the same on every machine and with every
version of every library, and what is absent from a copy does not change what else is drawn.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from protocols.multipie.files import Listing, Shot
from protocols.multipie.tables import FRONTAL, is_neutral

GallerySession = Literal["earliest", "latest", "seeded"]


@dataclass(frozen=True)
class Chosen:
    """What a setting compares.

    Attributes:
        gallery: one image a subject.
        probes: in the order of their names.
        listing: what was looked at to choose them.
        notes: what differs from the setting as published, and what its sources leave open.
        official: whether the counts are the published ones.
    """

    gallery: tuple[Shot, ...]
    probes: tuple[Shot, ...]
    listing: Listing
    notes: tuple[str, ...]
    official: bool


def lot(seed: int, *words: object) -> str:
    """The lot of a thing; the smallest is drawn first."""
    return hashlib.sha256(" ".join(map(str, (seed, *words))).encode("utf-8", "surrogateescape")).hexdigest()


def draw_subjects(subjects: Collection[int], count: int, seed: int) -> list[int]:
    """``count`` subjects (all, where there are fewer), in ascending order."""
    return sorted(sorted(subjects, key=lambda subject: lot(seed, "subject", f"{subject:03d}"))[:count])


def draw_shots(shots: Sequence[Shot], count: int, seed: int) -> list[Shot]:
    """``count`` images of one subject, camera by camera in turn, so that every pose is as frequent; sorted by name.

    Within a camera the lot decides on session, recording and flash, and among cameras on whose turn is first.
    """
    piles: dict[str, list[Shot]] = defaultdict(list)
    for shot in sorted(shots, key=lambda s: lot(seed, "shot", s.key)):
        piles[shot.take.camera].append(shot)
    subject = f"{shots[0].take.subject:03d}" if shots else ""
    order = sorted(piles, key=lambda camera: lot(seed, "camera", subject, camera))
    deepest = max(map(len, piles.values()), default=0)
    turns = [piles[camera][turn] for turn in range(deepest) for camera in order if turn < len(piles[camera])]
    return sorted(turns[:count], key=lambda s: s.key)


def enrol(shots: Iterable[Shot], flash: int, which: GallerySession, seed: int) -> dict[int, Shot]:
    """The gallery image of each subject: frontal camera, neutral recording, the flash asked for.

    Args:
        shots: of any kind.
        flash: the shot, 0 to 19.
        which: the session among those that have such an image: ``earliest``, ``latest``, or by the ``seeded`` lot. Of
            two neutral recordings the first.
        seed: of the lot.
    """
    able: dict[int, list[Shot]] = defaultdict(list)
    for shot in shots:
        take = shot.take
        if take.camera == FRONTAL and shot.shot == flash and is_neutral(take.session, take.recording):
            able[take.subject].append(shot)
    return {subject: _chosen(found, which, seed) for subject, found in sorted(able.items())}


def by_subject(shots: Iterable[Shot]) -> Mapping[int, list[Shot]]:
    """Shots of each subject."""
    found: dict[int, list[Shot]] = defaultdict(list)
    for shot in shots:
        found[shot.take.subject].append(shot)
    return found


def _chosen(shots: Sequence[Shot], which: GallerySession, seed: int) -> Shot:
    if which == "seeded":
        return min(shots, key=lambda s: lot(seed, "gallery", s.key))
    sessions = [shot.take.session for shot in shots]
    session = min(sessions) if which == "earliest" else max(sessions)
    return min((shot for shot in shots if shot.take.session == session), key=lambda s: s.key)
