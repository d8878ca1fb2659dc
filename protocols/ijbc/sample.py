"""A sample of IJB-C: templates of stills and video frames of drawn people, in any of the three releases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from bench.interfaces import ByteImages
from protocols.ijbc.sample_lists import Face, Subject, Template, write_release_a, write_release_b, write_release_c
from protocols.sample.files import jpeg, png, write_bytes
from protocols.sample.painter import Advance, Painter, Progress, face_box, five_points, painted, silent
from protocols.sample.photo import backdrop, cut, distant, stand
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "ijbc", 4, 12
WIDTH, HEIGHT = 320, 256
_PAINTED = 160
_NONFACES = ("nonfaces/1.jpg", "nonfaces/2.jpg")
_LOOSE = 0.3  # of a box's sides, added on each in release C
_MISSED_EVERY, _MISSED_SCORE = 25, 0.1

Release = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True)
class _Planned:
    """A subject in an image that is still to be drawn."""

    subject: Subject
    filename: str
    sighting: int
    frame: int | None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A drawn face, and its five points in the image."""

    face: Face
    points: NDArray[np.float64]


Key = tuple[str, int]


def write(
    root: Path,
    *,
    identities: int,
    seed: int,
    paint: Painter,
    progress: Progress | None = None,
    release: Release = "B",
) -> SampleSummary:
    """Write a sample of IJB-C.

    Args:
        root: folder to fill, in place of ``IJB/IJB-C`` of release B or ``IJBC`` of release C.
        identities: subjects, half of them enrolled in gallery G1, the others in G2. Each has one gallery template of 2
            to 4 stills, and three probe templates: stills, frames of a video, and both.
        seed: of people and pictures; the same people and pictures in every release.
        paint: the painter.
        progress: shows the progress.
        release: ``B``: the newer protocol names; ``A``: the older ones; ``C``: loose crops and their lists.

    Returns:
        Counts of the written files.

    Raises:
        UsageError: too few identities, or no such release.
    """
    demand(NAME, identities, MINIMUM, seed)
    if release not in ("A", "B", "C"):
        raise UsageError(f"ijbc: release is A, B or C, not {release!r}.")
    rng = np.random.default_rng((seed, 6))
    plan = _plan(_subjects(identities, rng), rng)
    pictures: dict[str, list[_Planned]] = {}
    for _, planned in plan:
        for one in planned:
            pictures.setdefault(one.filename, []).append(one)
    with (progress or silent)("draw the IJB-C sample", sum(map(len, pictures.values()))) as advance:
        images, drawn = _paint(pictures, seed, paint, advance, rng)
    templates = [
        Template(number, part, tuple(drawn[one.filename, one.subject.number].face for one in planned))
        for number, (part, planned) in enumerate(plan, start=1)
    ]
    rows = sum(len(template.faces) for template in templates)
    if release == "C":
        _write_crops(root, templates, images, drawn, rng)
        written = rows
    else:
        for name in _NONFACES:
            images[name] = _grainy(backdrop(rng, HEIGHT, WIDTH), rng)
        for name, image in images.items():
            write_bytes(root / "images" / name, png(image) if name.endswith(".png") else jpeg(image, 90))
        (write_release_a if release == "A" else write_release_b)(root, templates, _NONFACES)
        written = len(images)
    parts = [template.part for template in templates]
    counts = {"gallery G1": parts.count("G1"), "gallery G2": parts.count("G2"), "probe": parts.count("probe")}
    return SampleSummary(
        database=NAME,
        identities=identities,
        seed=seed,
        images=written,
        counts={**counts, "rows": rows},
        options={"release": release},
    )


def _subjects(identities: int, rng: np.random.Generator) -> list[Subject]:
    """Subjects whose numbers have gaps; every second one shares gender and skin tone, which gives non-mated pairs."""
    numbers = sorted(int(number) for number in rng.permutation(10 * identities)[:identities] + 1)
    return [
        Subject(
            number,
            gender=place % 2,
            skin_tone=1 + place // 2 % 6,
            facial_hair=int(rng.integers(0, 4)),
            age=int(rng.integers(1, 7)),
        )
        for place, number in enumerate(numbers)
    ]


def _plan(subjects: Sequence[Subject], rng: np.random.Generator) -> list[tuple[str, list[_Planned]]]:
    """Part and images of every template; the probes of two consecutive subjects share one still."""
    stills = frames = sightings = 0
    group = ""  # the still shared with the previous subject

    def still(subject: Subject, name: str = "") -> _Planned:
        nonlocal stills, sightings
        if not name:
            stills += 1
            name = f"img/{stills}.jpg"
        sightings += 1
        return _Planned(subject, name, sightings, None)

    def video(subject: Subject) -> list[_Planned]:
        nonlocal frames, sightings
        sightings += 1
        first = int(rng.integers(1, 200))
        planned = []
        for number in range(int(rng.integers(2, 6))):
            frames += 1
            planned.append(_Planned(subject, f"frames/{frames}.png", sightings, first + 24 * number))
        return planned

    plan = []
    for place, subject in enumerate(subjects):
        plan.append(("G1" if place % 4 < 2 else "G2", [still(subject) for _ in range(int(rng.integers(2, 5)))]))
        shared = still(subject, group)
        group = shared.filename if place % 2 == 0 else ""
        plan.append(("probe", [shared, still(subject)]))
        plan.append(("probe", video(subject)))
        plan.append(("probe", [still(subject), *video(subject), *video(subject)]))
    return plan


def _paint(
    pictures: dict[str, list[_Planned]],
    seed: int,
    paint: Painter,
    advance: Advance,
    rng: np.random.Generator,
) -> tuple[dict[str, ByteImages], dict[Key, _Drawn]]:
    """Draw every image, and return the faces in it."""
    everyone = [planned for faces in pictures.values() for planned in faces]
    looks = [_look(seed, planned, rng) for planned in everyone]
    painting = zip(looks, painted(looks, paint, advance), strict=True)
    images: dict[str, ByteImages] = {}
    drawn: dict[Key, _Drawn] = {}
    for name, faces in pictures.items():
        scene = backdrop(rng, HEIGHT, WIDTH)
        indoor, lane = int(rng.integers(0, 2)), WIDTH // len(faces)
        for place, planned in enumerate(faces):
            look, image = next(painting)
            small = distant(image, float(rng.uniform(0.35, 0.9)))
            scale = small.shape[0] / image.shape[0]
            left = lane * place + int(rng.integers(0, lane - small.shape[1] + 1))
            top = int(rng.integers(0, HEIGHT - small.shape[0] + 1))
            stand(scene, small, left, top)
            points = five_points(paint, look) * scale + (left, top)
            face = Face(
                planned.subject,
                name,
                planned.sighting,
                planned.frame,
                _box(points),
                look.yaw_deg,
                look.roll_deg,
                indoor,
            )
            drawn[name, planned.subject.number] = _Drawn(face, points)
        images[name] = _grainy(scene, rng)
    next(painting, None)  # so that the painter reports its last batch
    return images, drawn


def _look(seed: int, planned: _Planned, rng: np.random.Generator) -> Look:
    spread = 15 if planned.frame is None else 30
    return Look(
        identity=person(seed, planned.subject.number),
        variation=int(planned.filename.partition("/")[2].partition(".")[0]) * 2 + (planned.frame is not None),
        yaw_deg=float(np.clip(rng.normal(0, spread), -75, 75)),
        pitch_deg=float(np.clip(rng.normal(0, 8), -20, 20)),
        roll_deg=float(np.clip(rng.normal(0, 6), -20, 20)),
        expression=EXPRESSIONS[int(rng.integers(len(EXPRESSIONS)))],
        strength=float(rng.uniform(0.0, 0.8)),
        illumination=int(rng.integers(0, ILLUMINATIONS)),
        size=_PAINTED,
    )


def _box(points: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Left, top, width, height in whole pixels, inside the image."""
    left, top, right, bottom = face_box(points)
    x, y = min(max(0, round(left)), WIDTH - 2), min(max(0, round(top)), HEIGHT - 2)
    return x, y, max(2, min(WIDTH, round(right)) - x), max(2, min(HEIGHT, round(bottom)) - y)


def _grainy(scene: ByteImages, rng: np.random.Generator) -> ByteImages:
    noisy = scene + 2 * rng.standard_normal(scene.shape, np.float32)
    image: ByteImages = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return image


def _write_crops(
    root: Path,
    templates: Sequence[Template],
    images: dict[str, ByteImages],
    drawn: dict[Key, _Drawn],
    rng: np.random.Generator,
) -> None:
    """Write one loose crop a row, and the lists; every 25th detection is a miss with a low score."""
    crops: dict[int, tuple[float, ...]] = {}
    for face in (face for template in templates for face in template.faces):
        number = len(crops) + 1
        x, y, width, height = face.box
        left, top = max(0, round(x - _LOOSE * width)), max(0, round(y - _LOOSE * height))
        right, bottom = min(WIDTH, round(x + (1 + _LOOSE) * width)), min(HEIGHT, round(y + (1 + _LOOSE) * height))
        crop = cut(images[face.filename], (left, top, right, bottom))
        score = _MISSED_SCORE if number % _MISSED_EVERY == 0 else float(rng.uniform(0.7, 1.0))
        crops[number] = (*(drawn[face.filename, face.subject.number].points - (left, top)).ravel(), score)
        write_bytes(root / "loose_crop" / f"{number}.jpg", jpeg(crop, 90))
    write_release_c(root, templates, crops)


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
