"""A sample of Celebrities in Frontal-Profile: drawn people, ten frontal and four profile photographs each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from protocols.sample.files import jpeg, write_bytes, write_text
from protocols.sample.painter import Painter, Progress, five_points, painted, silent
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "cfp", 20, 20
FRONTAL, PROFILE, FOLDS, FIDUCIALS = 10, 4, 10, 30
_PAIRS = 7  # of a kind for each person of a fold, as in the official lists
_PAINTED = 160

View = Literal["frontal", "profile"]
_NUMBERS: dict[View, int] = {"frontal": FRONTAL, "profile": PROFILE}


class _Photograph(NamedTuple):
    subject: int
    view: View
    number: int

    @property
    def stem(self) -> str:
        return f"{self.subject:03d}/{self.view}/{self.number:02d}"


def write(root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None) -> SampleSummary:
    """Write a sample of CFP.

    Args:
        root: folder to fill.
        identities: people, assigned to ten folds in order; the remainder is in the last fold.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts: 14 photographs an identity, 7 pairs of each kind for each person of the smallest fold.

    Raises:
        UsageError: too few identities for ten folds of two, or more than the database has.
    """
    demand(NAME, identities, MINIMUM, seed, maximum=500)
    rng = np.random.default_rng((seed, 8))
    photographs = [
        _Photograph(subject, view, number)
        for subject in range(1, identities + 1)
        for view, count in _NUMBERS.items()
        for number in range(1, count + 1)
    ]
    looks = [_look(seed, photograph, rng) for photograph in photographs]
    with (progress or silent)("draw the CFP sample", len(looks)) as advance:
        for photograph, look, image in zip(photographs, looks, painted(looks, paint, advance), strict=True):
            write_bytes(root / "Data" / "Images" / f"{photograph.stem}.jpg", jpeg(image, 92))
            rows = "".join(f"{x:.4f},{y:.4f}\n" for x, y in _fiducials(five_points(paint, look)))
            write_text(root / "Data" / "Fiducials" / f"{photograph.stem}.txt", rows)
    names = "".join(f"Drawn Person {subject:03d}\n" for subject in range(1, identities + 1))
    write_text(root / "Data" / "list_name.txt", names)
    pairs = _write_protocol(root / "Protocol", photographs, identities, rng)
    return SampleSummary(
        database=NAME,
        identities=identities,
        seed=seed,
        images=len(photographs),
        counts={"frontal": FRONTAL * identities, "profile": PROFILE * identities, "pairs a list": pairs},
        options={},
    )


def _look(seed: int, photograph: _Photograph, rng: np.random.Generator) -> Look:
    frontal = photograph.view == "frontal"
    side = 1 if rng.random() < 0.5 else -1
    expression = EXPRESSIONS[int(rng.choice(len(EXPRESSIONS), p=(0.5, 0.03, 0.02, 0.03, 0.35, 0.03, 0.04)))]
    return Look(
        identity=person(seed, photograph.subject),
        variation=photograph.number + (0 if frontal else FRONTAL),
        yaw_deg=float(rng.normal(0, 7) if frontal else side * rng.uniform(75, 90)),
        pitch_deg=float(np.clip(rng.normal(0, 4), -10, 10)),
        expression=expression,
        strength=float(rng.uniform(0.3, 0.9)),
        illumination=int(rng.integers(0, ILLUMINATIONS)),
        size=_PAINTED,
    )


def _fiducials(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thirty points: the five, and an outline around them; the official order is another."""
    middle = points.mean(axis=0)
    reach = 1.3 * max(float(np.ptp(points[:, 0])), float(np.ptp(points[:, 1])))
    angles = np.linspace(0, 2 * np.pi, FIDUCIALS - len(points), endpoint=False)
    outline = middle + reach * np.column_stack([0.75 * np.cos(angles), np.sin(angles)])
    return np.concatenate([points, outline])


def _write_protocol(folder: Path, photographs: Sequence[_Photograph], identities: int, rng: np.random.Generator) -> int:
    """Write the lists of images and of pairs; returns the number of pairs of one experiment."""
    for view, letter in (("frontal", "F"), ("profile", "P")):
        stems = [photograph.stem for photograph in photographs if photograph.view == view]
        rows = "".join(f"{place} ../Data/Images/{stem}.jpg\n" for place, stem in enumerate(stems, 1))
        write_text(folder / f"Pair_list_{letter}.txt", rows)
    size = identities // FOLDS
    each = _PAIRS * size
    for fold in range(FOLDS):
        last = identities if fold == FOLDS - 1 else (fold + 1) * size
        subjects = range(fold * size + 1, last + 1)
        for name, second in (("FF", "frontal"), ("FP", "profile")):
            same, different = _pairs(subjects, second, each, rng)
            for kind, pairs in (("same", same), ("diff", different)):
                text = "".join(f"{one},{other}\n" for one, other in pairs)
                write_text(folder / "Split" / name / f"{fold + 1:02d}" / f"{kind}.txt", text)
    return 2 * each * FOLDS


def _pairs(
    subjects: Sequence[int], second: str, each: int, rng: np.random.Generator
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs of one person and of two, as numbers in the lists of images, from 1."""
    count = FRONTAL if second == "frontal" else PROFILE
    same = []
    for subject in subjects:
        numbers = combinations(range(FRONTAL), 2) if second == "frontal" else product(range(FRONTAL), range(PROFILE))
        same += [(_place(subject, i, FRONTAL), _place(subject, j, count)) for i, j in numbers]
    different = []
    for one, other in combinations(subjects, 2):
        chosen = rng.choice(FRONTAL * count, min(each, FRONTAL * count), replace=False)
        different += [(_place(one, n // count, FRONTAL), _place(other, n % count, count)) for n in map(int, chosen)]
    return _some(same, each, rng), _some(different, each, rng)


def _place(subject: int, number: int, count: int) -> int:
    return (subject - 1) * count + number + 1


def _some(rows: list[tuple[int, int]], count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    return [rows[place] for place in sorted(rng.choice(len(rows), count, replace=False))]


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
