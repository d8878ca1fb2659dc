"""A sample of Labeled Faces in the Wild: drawn people in 250 x 250 photographs, with the lists of both views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from bench.interfaces import ByteImages
from protocols.sample.files import jpeg, write_bytes, write_text
from protocols.sample.painter import Painter, Progress, five_points, painted, silent
from protocols.sample.photo import backdrop, stand, tone_of
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "lfw", 20, 40
SIDE, FOLDS = 250, 10
FOLDER = "lfw-deepfunneled"
_PAINTED = 160
_EYES, _MOUTH_Y = (126.2, 113.0), 158.9  # where deep-funneled faces stand on average
_TRAINED = 0.7  # share of people in the lists that View 1 is trained on
_SYLLABLES = ("ba", "do", "fe", "gi", "ka", "lo", "me", "nu", "ra", "si", "ta", "vo")

Person = tuple[str, int]
"""Name and number of photographs."""


def write(root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None) -> SampleSummary:
    """Write a sample of LFW.

    Args:
        root: folder to fill.
        identities: people with two to four photographs; a quarter as many have one, as most people of LFW do.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts. pairs.txt has ten folds of disjoint people.

    Raises:
        UsageError: too few identities for ten folds of two.
    """
    demand(NAME, identities, MINIMUM, seed, maximum=len(_SYLLABLES) ** 3)
    rng = np.random.default_rng((seed, 7))
    counts = [*rng.integers(2, 5, identities), *[1] * (identities // 4)]
    people: list[Person] = [(_name(number), int(count)) for number, count in enumerate(counts)]
    looks, paths = [], []
    for number, (name, count) in enumerate(people):
        for place in range(1, count + 1):
            looks.append(_look(seed, number, place, rng))
            paths.append(f"{FOLDER}/{name}/{name}_{place:04d}.jpg")
    with (progress or silent)("draw the LFW sample", len(looks)) as advance:
        for look, path, image in zip(looks, paths, painted(looks, paint, advance), strict=True):
            write_bytes(root / path, jpeg(_photograph(image, five_points(paint, look), rng), 90))
    pairs = _write_lists(root, people, identities, rng)
    return SampleSummary(
        database=NAME,
        identities=identities,
        seed=seed,
        images=len(looks),
        counts={"people": len(people), "pairs": pairs},
        options={},
    )


def _name(number: int) -> str:
    """First and last name of a person; unique, and not the name of anybody."""
    digits = (number % 12, number // 12 % 12, number // 144)
    return f"Drawn_{''.join(_SYLLABLES[digit] for digit in digits).capitalize()}"


def _look(seed: int, number: int, image: int, rng: np.random.Generator) -> Look:
    """A press photograph: near frontal, often smiling."""
    expression = EXPRESSIONS[int(rng.choice(len(EXPRESSIONS), p=(0.45, 0.03, 0.02, 0.03, 0.4, 0.03, 0.04)))]
    return Look(
        identity=person(seed, number),
        variation=image,
        yaw_deg=float(np.clip(rng.normal(0, 12), -35, 35)),
        pitch_deg=float(np.clip(rng.normal(0, 5), -15, 15)),
        expression=expression,
        strength=float(rng.uniform(0.3, 0.9)),
        illumination=int(rng.integers(0, ILLUMINATIONS)),
        size=_PAINTED,
    )


def _photograph(image: ByteImages, points: NDArray[np.float64], rng: np.random.Generator) -> ByteImages:
    """Place a square face in a photograph so that eyes and mouth are where deep funneling puts them."""
    from PIL import Image

    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    scale = float(np.clip((_MOUTH_Y - _EYES[1]) / max(mouth[1] - eyes[1], 1.0), 0.4, 2.0))
    side = round(image.shape[0] * scale)
    scale = side / image.shape[0]
    scene = backdrop(rng, SIDE, SIDE, tone_of(image))
    square = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
    stand(scene, square, round(_EYES[0] - eyes[0] * scale), round(_EYES[1] - eyes[1] * scale))
    return scene


def _write_lists(root: Path, people: Sequence[Person], several: int, rng: np.random.Generator) -> int:
    """Write the lists of both views; returns the number of pairs of View 2."""
    folds: list[list[Person]] = [[] for _ in range(FOLDS)]
    for place, one in enumerate(people):  # people with several photographs come first, so each fold has two of them
        folds[place % FOLDS].append(one)
    cut = round(several * _TRAINED)
    singles = people[several:]
    half = len(singles) // 2
    views = {"Train": [*people[:cut], *singles[:half]], "Test": [*people[cut:several], *singles[half:]]}
    each = min(len(_same(fold)) for fold in folds)
    body = "".join(_pairs(fold, each, rng) for fold in folds)
    write_text(root / "pairs.txt", f"{FOLDS}\t{each}\n{body}")
    write_text(root / "people.txt", f"{FOLDS}\n" + "".join(f"{len(fold)}\n{_rows(fold)}" for fold in folds))
    write_text(root / "lfw-names.txt", _rows(people))
    for view, members in views.items():
        number = min(len(_same(members)), 2 * FOLDS)
        write_text(root / f"pairsDev{view}.txt", f"{number}\n{_pairs(members, number, rng)}")
        write_text(root / f"peopleDev{view}.txt", f"{len(members)}\n{_rows(members)}")
    return 2 * FOLDS * each


def _rows(people: Sequence[Person]) -> str:
    return "".join(f"{name}\t{count}\n" for name, count in sorted(people))


def _same(people: Sequence[Person]) -> list[tuple[str, int, int]]:
    return [(name, i, j) for name, count in people for i, j in combinations(range(1, count + 1), 2)]


def _pairs(people: Sequence[Person], each: int, rng: np.random.Generator) -> str:
    """Draw ``each`` pairs of one person and as many of two."""
    same = _same(people)
    chosen = sorted(rng.choice(len(same), each, replace=False))
    rows = ["\t".join(map(str, same[index])) for index in chosen]
    return "".join(f"{row}\n" for row in [*rows, *_different(people, each, rng)])


def _different(people: Sequence[Person], each: int, rng: np.random.Generator) -> Iterator[str]:
    """Image pairs of two people; no two people are paired again before all others were."""
    couples = [couple for _ in range(each) for couple in rng.permutation(list(combinations(range(len(people)), 2)))]
    for one, other in couples[:each]:
        (name, count), (second, most) = people[one], people[other]
        yield f"{name}\t{rng.integers(1, count + 1)}\t{second}\t{rng.integers(1, most + 1)}"


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
