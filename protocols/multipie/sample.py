"""A sample of CMU Multi-PIE: drawn people by session, recording, camera and flash, with the official names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from bench.errors import UsageError
from bench.faces.people.look import Expression, Look
from protocols.sample.files import png, write_bytes, write_text
from protocols.sample.painter import Painter, Progress, painted, silent
from protocols.sample.photo import backdrop, stand, tone_of
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "multipie", 4, 6
WIDTH, HEIGHT = 320, 240
CAMERAS = {
    "11_0": -90, "12_0": -75, "09_0": -60, "08_0": -45, "13_0": -30, "14_0": -15, "05_1": 0, "05_0": 15, "04_1": 30,
    "19_0": 45, "20_0": 60, "01_0": 75, "24_0": 90,
}  # fmt: skip
"""Cameras at head height and the yaw of a face in them."""
SURVEILLANCE = {"08_1": -45, "19_1": 45}
"""Cameras that look down from above, a quarter view each."""
RECORDINGS: dict[int, dict[int, tuple[str, Expression, float]]] = {
    1: {1: ("neutral", "neutral", 0.0), 2: ("smile", "happiness", 0.9)},
    2: {1: ("neutral", "neutral", 0.0), 2: ("surprise", "surprise", 0.9), 3: ("squint", "anger", 0.4)},
    3: {1: ("neutral", "neutral", 0.0), 2: ("smile", "happiness", 0.9), 3: ("disgust", "disgust", 0.9)},
    4: {1: ("neutral", "neutral", 0.0), 2: ("neutral", "neutral", 0.0), 3: ("scream", "fear", 1.0)},
}
"""Session to recording to the database's expression, and how the sample draws it."""
SHOTS = tuple(range(20))
_BEST_FLASHES = (0, 5, 6, 7, 8, 9, 10, 15)
_ELEVATION_DEG = -25.0  # a camera above sees a face that looks down
_PAINTED = 184
_FIRST_TEST, _LAST_ID = 201, 346
_FIRST_OF_SESSION_2 = 251  # who came after the first session

Shots = Literal["settings", "all"]


class _Shot(NamedTuple):
    subject: int
    session: int
    recording: int
    camera: str
    shot: int

    @property
    def path(self) -> str:
        folder = f"data/session{self.session:02d}/multiview/{self.subject:03d}/{self.recording:02d}/{self.camera}"
        name = f"{self.subject:03d}_{self.session:02d}_{self.recording:02d}_{self.camera.replace('_', '')}"
        return f"{folder}/{name}_{self.shot:02d}.png"


def write(
    root: Path,
    *,
    identities: int,
    seed: int,
    paint: Painter,
    progress: Progress | None = None,
    shots: Shots = "settings",
) -> SampleSummary:
    """Write a sample of Multi-PIE.

    Args:
        root: folder to fill.
        identities: subjects; the first half has ids from 001, the rest from 201, so that the usual splits (up to 150
            or 200 for training, the others for the test) find people on both sides.
        seed: of people and pictures.
        paint: the painter.
        progress: shows how far it is.
        shots: ``settings``: what the two usual settings need of pose and light, thinned: neutral recordings in all 13
            head-height cameras, in session 1 under 8 lights (every camera's best flash, no flash, and the two that
            are called frontal; all 20 in camera 05_1) and later under two; other expressions under flash 07; the
            cameras above under flash 07. ``all``: every camera, recording and shot.

    Returns:
        What was written.

    Raises:
        UsageError: too few or too many identities, or ``shots`` is neither.
    """
    demand(NAME, identities, MINIMUM, seed, maximum=2 * (_LAST_ID - _FIRST_TEST + 1))
    if shots not in ("settings", "all"):
        raise UsageError(f"multipie: shots is settings or all, not {shots!r}.")
    rng = np.random.default_rng((seed, 4))
    attended = _subjects(identities)
    wanted = [
        shot
        for subject, sessions in attended.items()
        for session in sessions
        for shot in _shots(subject, session, shots)
    ]
    looks = [_look(shot, seed) for shot in wanted]
    scenes: dict[tuple[int, int, str], int] = {}
    with (progress or silent)("draw the Multi-PIE sample", len(looks)) as advance:
        for shot, image in zip(wanted, painted(looks, paint, advance), strict=True):
            place = scenes.setdefault((shot.subject, shot.session, shot.camera), len(scenes))
            scene = backdrop(np.random.default_rng((seed, 4, place)), HEIGHT, WIDTH, tone_of(image))
            stand(scene, image, (WIDTH - _PAINTED) // 2, (HEIGHT - _PAINTED) // 2)
            write_bytes(root / shot.path, png(scene))
    rows = []
    for subject, sessions in attended.items():
        present = " ".join(str(int(session in sessions)) for session in RECORDINGS)
        rows.append(f"{subject:03d} {int(rng.integers(1945, 1990))} {rng.choice(['Male', 'Female'])} {present}\n")
    write_text(root / "meta" / "subject_list.txt", "".join(rows))
    counts = {f"session{session:02d}": sum(shot.session == session for shot in wanted) for session in RECORDINGS}
    return SampleSummary(
        database=NAME,
        identities=identities,
        seed=seed,
        images=len(wanted),
        counts={"subjects": len(attended), **counts},
        options={"shots": shots},
    )


def _subjects(identities: int) -> dict[int, tuple[int, ...]]:
    """Ids and the sessions they came to: everyone up to 250 to the first, some not to all, like the real ones."""
    training = identities // 2
    ids = [*range(1, training + 1), *range(_FIRST_TEST, _FIRST_TEST + identities - training)]
    if identities >= 6:
        ids[-1] = max(ids[-1], _FIRST_OF_SESSION_2)
    patterns = ((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 4), (1, 3))
    return {subject: patterns[(subject - 1) % 4] if subject < _FIRST_OF_SESSION_2 else (2, 3, 4) for subject in ids}


def _shots(subject: int, session: int, shots: Shots) -> Iterator[_Shot]:
    """The shots of one subject in one session, in the order of their names."""
    for recording, (expression, _, _) in RECORDINGS[session].items():
        for camera in sorted(CAMERAS | SURVEILLANCE):
            flashes: tuple[int, ...] = (7,)
            if shots == "all":
                flashes = SHOTS
            elif expression == "neutral" and camera in CAMERAS:
                flashes = _BEST_FLASHES if session == 1 else (0, 7)
                flashes = SHOTS if session == 1 and camera == "05_1" else flashes
            for flash in flashes:
                yield _Shot(subject, session, recording, camera, flash)


def _look(shot: _Shot, seed: int) -> Look:
    _, expression, strength = RECORDINGS[shot.session][shot.recording]
    above = shot.camera in SURVEILLANCE
    return Look(
        identity=person(seed, shot.subject),
        variation=shot.session * 10 + shot.recording,  # one pose held while all cameras and flashes go off
        yaw_deg=float((SURVEILLANCE if above else CAMERAS)[shot.camera]),
        pitch_deg=_ELEVATION_DEG if above else 0.0,
        expression=expression,
        strength=strength,
        illumination=lamp(shot.shot),
        size=_PAINTED,
    )


def lamp(shot: int) -> int:
    """The illumination that stands for a shot: 0 for the two without flash, else a lamp from left (1) to right (18).

    Flashes 01 to 13 are taken to stand from left to right with 07 in front, 14 to 18 above them likewise; this is the
    sample's own reading, not a measured geometry.
    """
    if shot in (0, 19):
        return 0
    place = (shot - 1) / 12 if shot <= 13 else (shot - 14) / 4
    return round(1 + 17 * place)


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
