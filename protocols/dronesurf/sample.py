"""A sample of DroneSURF: drawn people, small, in videos seen from above, with noisy annotation files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.faces.people.look import Look
from bench.interfaces import ByteImages
from protocols.sample.files import jpeg, write_bytes, write_rows, write_text
from protocols.sample.painter import Painter, Progress, face_box, five_points, painted, silent
from protocols.sample.photo import backdrop, distant, stand
from protocols.sample.summary import Sample, SampleSummary, demand, person
from protocols.sample.video import write_mp4

NAME, MINIMUM, DEFAULT = "dronesurf", 4, 8
WIDTH, HEIGHT = 640, 360
FRAMES = 12
GALLERY = 4
_PER_SECOND = 24
_PAINTED, _PAINTED_GALLERY = 96, 320
_TRAIN_SHARE = 34 / 58
_FIRST_FRAME = 1
# How lines of the real files are spelt varies; every line holds five tokens: frame, x1, y1, x2, y2.
_SPELLINGS = ("{} {} {} {} {}", "Frame{}, ({}, {}) ({}, {})", "frame{} [{}, {}, {}, {}]")


class _Video(NamedTuple):
    scenario: str
    time: str
    place: str
    people: tuple[int, ...]

    @property
    def folder(self) -> str:
        return f"{self.scenario}/{self.time}/{self.place}/{','.join(map(str, self.people))}"


def write(root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None) -> SampleSummary:
    """Write a sample of DroneSURF.

    Args:
        root: folder to fill.
        identities: subjects, a share of 34 / 58 for training. Each is in two videos of the active scenario; each video
            of the passive scenario shows two or three subjects of the same part, in two videos a group.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts of the written files.

    Raises:
        UsageError: too few identities.
        DataError: a video could not be written completely.
    """
    demand(NAME, identities, MINIMUM, seed, maximum=999)
    rng = np.random.default_rng((seed, 5))
    order = [int(number) for number in rng.permutation(identities) + 1]
    trained = min(max(round(identities * _TRAIN_SHARE), 2), identities - 2)
    parts = {"train": sorted(order[:trained]), "test": sorted(order[trained:])}
    videos = _videos(parts)
    portraits = [
        Look(
            identity=person(seed, subject),
            variation=number,
            yaw_deg=(0.0, 0.0, -20.0, 20.0)[number],
            illumination=(0, 10, 0, 0)[number],
            size=_PAINTED_GALLERY,
        )
        for subject in range(1, identities + 1)
        for number in range(GALLERY)
    ]
    clips = [_clip(video, number, seed, rng) for number, video in enumerate(videos)]
    total = len(portraits) + sum(len(clip) for clip in clips)
    with (progress or silent)("draw the DroneSURF sample", total) as advance:
        for place, image in enumerate(painted(portraits, paint, advance)):
            name = f"HR Gallery/{place // GALLERY + 1}/{place % GALLERY + 1}.jpg"
            write_bytes(root / name, jpeg(image, 95))
        for number, (video, looks) in enumerate(zip(videos, clips, strict=True)):
            images = list(painted(looks, paint, advance))
            _write_video(root, video, number, looks, images, paint, rng)
    rows = [(subject, part) for part, members in parts.items() for subject in members]
    write_rows(root / "train_test_split.csv", ("subject", "part"), sorted(rows))
    frames = len(videos) * FRAMES
    counts = {
        "gallery": len(portraits),
        "videos": len(videos),
        "frames": frames,
        "boxes": sum(len(video.people) for video in videos) * FRAMES,
        "training subjects": trained,
        "test subjects": identities - trained,
    }
    return SampleSummary(
        database=NAME, identities=identities, seed=seed, images=len(portraits) + frames, counts=counts, options={}
    )


def _videos(parts: dict[str, list[int]]) -> list[_Video]:
    """Morning at location 1 and evening at location 2; groups never mix training and test subjects."""
    when = (("Morning", "Location1"), ("Evening", "Location2"))
    videos = []
    for members in parts.values():
        groups = [tuple(members[start : start + 2]) for start in range(0, len(members) - 1, 2)]
        if len(members) % 2:
            groups[-1] += (members[-1],)
        for time, place in when:
            videos += [_Video("ActiveTracking", time, place, (subject,)) for subject in members]
            videos += [_Video("PassiveActivity", time, place, group) for group in groups]
    return sorted(videos)


def _clip(video: _Video, number: int, seed: int, rng: np.random.Generator) -> list[Look]:
    """Looks by frame, then by person; heads turn slowly, seen from above."""
    turns = [(rng.uniform(-30, 30), rng.uniform(-2, 2)) for _ in video.people]
    light = int(rng.integers(4, 16))
    return [
        Look(
            identity=person(seed, subject),
            variation=1000 + number,
            yaw_deg=float(start + step * frame),
            pitch_deg=-15.0,
            illumination=light,
            size=_PAINTED,
        )
        for frame in range(FRAMES)
        for subject, (start, step) in zip(video.people, turns, strict=True)
    ]


def _write_video(
    root: Path,
    video: _Video,
    number: int,
    looks: list[Look],
    images: list[ByteImages],
    paint: Painter,
    rng: np.random.Generator,
) -> None:
    """Draw the people of a video into its frames; write the video and the boxes of the faces."""
    name = f"video{number + 1:03d}"
    scene = backdrop(rng, HEIGHT, WIDTH)
    lane = WIDTH // len(video.people)
    heights = rng.uniform(*((26, 44) if video.scenario == "ActiveTracking" else (16, 30)), len(video.people))
    starts = rng.uniform((0.35, 0.4), (0.65, 0.6), (len(video.people), 2))
    steps = rng.uniform((-4, -2), (4, 2), (len(video.people), 2))
    frames: list[ByteImages] = []
    boxes: dict[int, list[tuple[int, ...]]] = {subject: [] for subject in video.people}
    for frame in range(FRAMES):
        view = scene.copy()
        for place, subject in enumerate(video.people):
            at = frame * len(video.people) + place
            left, top, right, bottom = face_box(five_points(paint, looks[at]))
            small = distant(images[at], float(heights[place]) / (bottom - top))
            scale = small.shape[0] / images[at].shape[0]
            x, y = (starts[place] * (lane, HEIGHT) + (lane * place, 0) + steps[place] * frame).astype(int)
            corner_x, corner_y = x - small.shape[1] // 2, y - small.shape[0] // 2
            stand(view, small, corner_x, corner_y, head_only=True)
            x1, y1 = round(corner_x + left * scale), round(corner_y + top * scale)
            x2, y2 = round(corner_x + right * scale), round(corner_y + bottom * scale)
            boxes[subject].append((frame + _FIRST_FRAME, x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)))
        noisy = view + 3 * rng.standard_normal(view.shape, np.float32)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    write_mp4(root / video.folder / f"{name}.mp4", frames, per_second=_PER_SECOND)
    spelling = _SPELLINGS[number % len(_SPELLINGS)]
    for subject, lines in boxes.items():
        text = "".join(spelling.format(*line) + "\n" for line in lines)
        write_text(root / video.folder / name / f"Person{subject}" / "coordinates.txt", text)


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
