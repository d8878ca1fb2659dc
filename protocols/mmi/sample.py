"""A sample of MMI: short clips and stills of drawn people, neutral first, in the folders of a web download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from bench.faces.people.look import Expression, Look
from bench.interfaces import ByteImages
from protocols.sample.avi import avi
from protocols.sample.files import jpeg, write_bytes, write_text
from protocols.sample.painter import Painter, Progress, painted, silent
from protocols.sample.photo import backdrop, stand, tone_of
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "mmi", 3, 10
EMOTIONS: tuple[Expression, ...] = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
"""In the order of the emotion codes 1 to 6."""
ACTION_UNITS: dict[Expression, tuple[int, ...]] = {
    "anger": (4, 7, 23),
    "disgust": (9, 10, 17),
    "fear": (1, 2, 5, 20, 25),
    "happiness": (6, 12, 25),
    "sadness": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
}
_PAINTED = 192
_PER_SECOND = 24
_FIRST_SESSION = 1
_DUAL_YAW = 90.0

Kind = Literal["frontal", "turned", "dual", "still", "units"]


@dataclass(frozen=True, slots=True)
class _Session:
    """One session: subject, emotion, and the first frame of each phase of the clip (counted from 0)."""

    number: int
    subject: int
    clip: int
    kind: Kind
    emotion: Expression
    onset: int
    apex: int
    offset: int
    rest: int
    frames: int

    @property
    def stem(self) -> str:
        return f"S{self.subject:03d}-{self.clip:03d}"

    def strength(self, frame: int) -> float:
        """Strength of the expression: 0, rising from onset to apex, 1, falling from offset to rest, 0."""
        return float(np.interp(frame, (self.onset, self.apex, self.offset, self.rest), (0, 1, 1, 0)))


def write(root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None) -> SampleSummary:
    """Write a sample of MMI.

    Args:
        root: folder to fill.
        identities: subjects. Each has six frontal clips, one an emotion, and in turn a dual-view clip, a still or a
            clip of action units without an emotion.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts of the written files.

    Raises:
        UsageError: too few identities.
    """
    demand(NAME, identities, MINIMUM, seed, maximum=999)
    rng = np.random.default_rng((seed, 3))
    sessions = _plan(identities, rng)
    looks = [look for session in sessions for look in _looks(session, seed)]
    with (progress or silent)("draw the MMI sample", len(looks)) as advance:
        images = painted(looks, paint, advance)
        for session in sessions:
            folder = root / "Sessions" / str(session.number)
            frames = list(_frames(session, images, rng))
            if session.kind == "still":
                write_bytes(folder / f"{session.stem}.jpg", jpeg(frames[0], 92))
            else:
                write_bytes(folder / f"{session.stem}.avi", avi(frames, per_second=_PER_SECOND))
            _describe(folder, session)
        next(images, None)  # so that the painter reports its last batch
    kinds = [session.kind for session in sessions]
    counts = {kind: kinds.count(kind) for kind in ("frontal", "turned", "dual", "still", "units")}
    return SampleSummary(
        database=NAME,
        identities=identities,
        seed=seed,
        images=sum(session.frames for session in sessions),
        counts={"sessions": len(sessions), **counts},
        options={},
    )


def _plan(identities: int, rng: np.random.Generator) -> list[_Session]:
    sessions: list[_Session] = []
    for subject in range(1, identities + 1):
        shown: list[tuple[Kind, Expression]] = [("frontal", emotion) for emotion in EMOTIONS]
        if subject % 4 == 0:  # recorded with the camera on its side
            shown[3] = ("turned", EMOTIONS[3])
        extra: tuple[Kind, ...] = ("dual", "still", "units")
        shown.append((extra[(subject - 1) % 3], EMOTIONS[int(rng.integers(6))]))
        for clip, (kind, emotion) in enumerate(shown, start=1):
            still = kind == "still"
            onset, rise, hold, fall, rest = (int(n) for n in rng.integers(2, 5, 5))
            apex, offset = onset + rise, onset + rise + hold + 1
            sessions.append(
                _Session(
                    number=_FIRST_SESSION + len(sessions),
                    subject=subject,
                    clip=clip,
                    kind=kind,
                    emotion=emotion,
                    onset=0 if still else onset,
                    apex=0 if still else apex,
                    offset=0 if still else offset,
                    rest=0 if still else offset + fall,
                    frames=1 if still else offset + fall + rest + 1,
                )
            )
    return sessions


def _looks(session: _Session, seed: int) -> list[Look]:
    """One look a frame; in a dual view two, the frontal one first, then the profile."""
    base = Look(
        identity=person(seed, session.subject),
        variation=session.number,
        expression=session.emotion,
        size=_PAINTED,
    )
    looks = []
    for frame in range(session.frames):
        strength = 1.0 if session.kind == "still" else session.strength(frame)
        looks.append(replace(base, strength=strength))
        if session.kind == "dual":
            looks.append(replace(base, strength=strength, yaw_deg=_DUAL_YAW))
    return looks


def _frames(session: _Session, images: Iterator[ByteImages], rng: np.random.Generator) -> Iterator[ByteImages]:
    """Frames of a session: 640 x 480; rotated ones 720 x 576 on their side; dual ones 720 x 576 of two halves."""
    scenes: list[ByteImages] = []
    height, width = {"turned": (720, 576), "dual": (576, 360)}.get(session.kind, (480, 640))
    swap = session.kind == "dual" and session.subject % 2 == 0
    for _ in range(session.frames):
        halves = []
        for view in range(2 if session.kind == "dual" else 1):
            image = next(images)
            if len(scenes) == view:
                scenes.append(backdrop(rng, height, width, tone_of(image)))
            halves.append(_place_in_scene(scenes[view], image))
        if session.kind == "dual":
            yield np.concatenate(halves[::-1] if swap else halves, axis=1)
        elif session.kind == "turned":
            yield np.ascontiguousarray(np.rot90(halves[0]))  # anticlockwise: a clockwise quarter turn makes it upright
        else:
            yield halves[0]


def _place_in_scene(scene: ByteImages, image: ByteImages) -> ByteImages:
    """The image, enlarged, in the middle of a copy of the scene."""
    from PIL import Image

    height, width = scene.shape[:2]
    side = min(width, round(0.8 * height))
    large = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
    frame = scene.copy()
    stand(frame, large, (width - side) // 2, (height - side) // 2)
    return frame


def _describe(folder: Path, session: _Session) -> None:
    """Write session.xml, the annotation of the clip, and, for every second emotion clip, its temporal coding."""
    view = 2 if session.kind == "dual" else 0
    media = f"{session.stem}.{'jpg' if session.kind == 'still' else 'avi'}"
    write_text(
        folder / "session.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<session sessionId="{session.number}" sample="true">\n'
        f'  <track filename="{media}" view="{view}">\n'
        f'    <annotation filename="{session.stem}.xml"/>\n'
        "  </track>\n</session>\n",
    )
    units = "".join(f'  <ActionUnit Number="{unit}"/>\n' for unit in ACTION_UNITS[session.emotion])
    code = EMOTIONS.index(session.emotion) + 1
    emotion = "" if session.kind == "units" else f'  <Metatag Name="Emotion" Value="{code}"/>\n'
    write_text(
        folder / f"{session.stem}.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<Annotation>\n'
        f'  <Metatag Name="Subject" Value="{session.subject}"/>\n{emotion}{units}</Annotation>\n',
    )
    if session.kind != "still" and session.number % 2 == 1:
        begins = (0, session.onset, session.apex, session.offset, session.rest)
        types = (0, 1, 2, 3, 0)
        marks = "".join(
            f'    <Marker Frame="{frame + 1}" Type="{kind}"/>\n' for frame, kind in zip(begins, types, strict=True)
        )
        coded = "".join(
            f'  <ActionUnit Number="{unit}">\n{marks}  </ActionUnit>\n' for unit in ACTION_UNITS[session.emotion]
        )
        write_text(
            folder / f"{session.stem}-oao_aucs.xml",
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Annotation>\n{coded}</Annotation>\n',
        )


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
