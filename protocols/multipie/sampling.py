"""Which subjects and images of Multi-PIE are drawn: pure functions of the listing and the seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from protocols.multipie.files import Listing, Shot, Take
from protocols.multipie.tables import FRONTAL, is_neutral
from protocols.views.seeded import draw_key

GallerySession = Literal["earliest", "latest", "seeded"]


@dataclass(frozen=True)
class Chosen:
    """The images that a setting compares.

    Attributes:
        gallery: one image a subject.
        probes: in the order of their names.
        listing: the images they were chosen from.
        notes: differences from the published setting, and choices that its sources leave open.
        official: whether the counts are the published ones.
    """

    gallery: tuple[Shot, ...]
    probes: tuple[Shot, ...]
    listing: Listing
    notes: tuple[str, ...]
    official: bool

    def takes(self) -> dict[Take, list[Shot]]:
        """The takes of gallery and probes, with all their shots that were listed."""
        used = {shot.take for shot in (*self.gallery, *self.probes)}
        return {take: shots for take, shots in self.listing.takes().items() if take in used}


def draw_subjects(subjects: Collection[int], count: int, seed: int) -> list[int]:
    """Draw ``count`` subjects (all, where there are fewer), in ascending order."""
    return sorted(sorted(subjects, key=lambda subject: draw_key(seed, "subject", f"{subject:03d}"))[:count])


def draw_shots(shots: Sequence[Shot], count: int, seed: int) -> list[Shot]:
    """Draw ``count`` images of one subject, from the cameras in turn; sorted by name. Poses are equally frequent.

    The seed decides on session, recording and flash within a camera, and on the order of cameras.
    """
    piles: dict[str, list[Shot]] = defaultdict(list)
    for shot in sorted(shots, key=lambda s: draw_key(seed, "shot", s.key)):
        piles[shot.take.camera].append(shot)
    subject = f"{shots[0].take.subject:03d}" if shots else ""
    order = sorted(piles, key=lambda camera: draw_key(seed, "camera", subject, camera))
    deepest = max(map(len, piles.values()), default=0)
    turns = [piles[camera][turn] for turn in range(deepest) for camera in order if turn < len(piles[camera])]
    return sorted(turns[:count], key=lambda s: s.key)


def enrol(shots: Iterable[Shot], flash: int, which: GallerySession, seed: int) -> dict[int, Shot]:
    """The gallery image of each subject: frontal camera, neutral recording, the given flash.

    Args:
        shots: all images.
        flash: the shot, 0 to 19.
        which: the session, of those with such an image: ``earliest``, ``latest`` or ``seeded`` (drawn). Of two neutral
            recordings the first is used.
        seed: of the draw.
    """
    candidates: dict[int, list[Shot]] = defaultdict(list)
    for shot in shots:
        take = shot.take
        if take.camera == FRONTAL and shot.shot == flash and is_neutral(take.session, take.recording):
            candidates[take.subject].append(shot)
    return {subject: _choose_one(able, which, seed) for subject, able in sorted(candidates.items())}


def by_subject(shots: Iterable[Shot]) -> Mapping[int, list[Shot]]:
    """Shots of each subject."""
    grouped: dict[int, list[Shot]] = defaultdict(list)
    for shot in shots:
        grouped[shot.take.subject].append(shot)
    return grouped


def _choose_one(shots: Sequence[Shot], which: GallerySession, seed: int) -> Shot:
    if which == "seeded":
        return min(shots, key=lambda s: draw_key(seed, "gallery", s.key))
    sessions = [shot.take.session for shot in shots]
    session = min(sessions) if which == "earliest" else max(sessions)
    return min((shot for shot in shots if shot.take.session == session), key=lambda s: s.key)
