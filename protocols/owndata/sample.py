"""Samples of own data: drawn people in folders, and the same pictures with a table."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from protocols.sample.files import jpeg, write_bytes, write_rows
from protocols.sample.painter import Painter, Progress, face_box, five_points, painted, silent
from protocols.sample.photo import cut, low_resolution
from protocols.sample.summary import Sample, SampleSummary, demand, person

MINIMUM, DEFAULT = 3, 12
_PAINTED, _ENROLLED, _SEARCHED = 128, 112, 24
_PROBES = 2
_FEWEST_OF_PAIRS, _MOST_FOLDS = 4, 3
_CAMERAS = ("door", "hall")


def write_folder(
    root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None
) -> SampleSummary:
    """Write ``gallery/``, ``probe/`` and ``distractor/``.

    Args:
        root: folder to fill.
        identities: people; one picture of each is enrolled and two are searched. As many others are distractors.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts.

    Raises:
        UsageError: too few identities.
    """
    return _write(root, "folder", identities, seed, paint, progress)[0]


def write_csv(
    root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None
) -> SampleSummary:
    """Write the pictures of `write_folder` and ``faces.csv``, with yaw and a group; see there."""
    summary, rows = _write(root, "csv", identities, seed, paint, progress)
    write_rows(root / "faces.csv", ("path", "identity", "role", "yaw", "camera"), rows)
    return summary


def write_pairs(
    root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None
) -> SampleSummary:
    """Write the pictures of `write_folder` and ``pairs.csv``: each probe with its mate and with another person.

    The pairs are in folds of different people; see `write_folder`.
    """
    demand("pairs", identities, _FEWEST_OF_PAIRS, seed)
    summary, rows = _write(root, "pairs", identities, seed, paint, progress)
    people = [str(row[1]) for row in rows if row[2] == "gallery"]
    folds = min(_MOST_FOLDS, identities // 2)
    pairs: list[tuple[object, ...]] = []
    for number, name in enumerate(people):
        other = people[number + folds] if number + folds < identities else people[number % folds]
        for place in range(1, _PROBES + 1):
            probe = f"probe/{name}/{place}.jpg"
            pairs.append((f"gallery/{name}/1.jpg", probe, 1, number % folds))
            pairs.append((f"gallery/{other}/1.jpg", probe, 0, number % folds))
    write_rows(root / "pairs.csv", ("a", "b", "same", "fold"), pairs)
    return summary


def _write(
    root: Path, database: str, identities: int, seed: int, paint: Painter, progress: Progress | None
) -> tuple[SampleSummary, list[tuple[object, ...]]]:
    demand(database, identities, MINIMUM, seed)
    pictures: list[tuple[str, str | None, str, Look]] = []
    for number in range(1, identities + 1):
        name = f"person {number:03d}"
        pictures.append((f"gallery/{name}/1.jpg", name, "gallery", _look(seed, number, 0)))
        for place in range(1, _PROBES + 1):
            pictures.append((f"probe/{name}/{place}.jpg", name, "probe", _look(seed, number, place)))
    for number in range(1, identities + 1):
        look = _look(seed, identities + number, 0)
        pictures.append((f"distractor/{number:03d}.jpg", None, "distractor", look))
    rng = np.random.default_rng((seed, 11))
    rows: list[tuple[object, ...]] = []
    with (progress or silent)(f"draw the {database} sample", len(pictures)) as advance:
        images = painted([look for *_, look in pictures], paint, advance)
        for index, ((path, who, role, look), image) in enumerate(zip(pictures, images, strict=True)):
            face = cut(image, face_box(five_points(paint, look)))
            height = _SEARCHED if role == "probe" else _ENROLLED
            write_bytes(root / path, jpeg(low_resolution(face, rng, height), 92))
            probe = role == "probe"
            rows.append((path, who, role, round(look.yaw_deg), _CAMERAS[index % 2] if probe else None))
    counts = {role: sum(p[2] == role for p in pictures) for role in ("gallery", "probe", "distractor")}
    summary = SampleSummary(
        database=database, identities=identities, seed=seed, images=len(pictures), counts=counts, options={}
    )
    return summary, rows


def _look(seed: int, number: int, place: int) -> Look:
    """A snapshot: near frontal where it is enrolled, turned by 0, 20 or 40 degrees where it is searched."""
    digest = hashlib.sha256(f"{seed} {number} {place}".encode()).digest()
    yaw = 0.0 if place == 0 else (-40.0, -20.0, 0.0, 20.0, 40.0)[digest[0] % 5]
    return Look(
        identity=person(seed, number),
        variation=place,
        yaw_deg=yaw,
        expression=EXPRESSIONS[digest[1] % 2 * 4],
        strength=0.5,
        illumination=digest[2] % ILLUMINATIONS,
        size=_PAINTED,
    )


FOLDER = Sample("folder", write_folder, MINIMUM, DEFAULT)
CSV = Sample("csv", write_csv, MINIMUM, DEFAULT)
PAIRS = Sample("pairs", write_pairs, _FEWEST_OF_PAIRS, DEFAULT)
