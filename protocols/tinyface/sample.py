"""A sample of TinyFace: drawn faces of 12 to 36 pixels in the official folders and .mat files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from protocols.sample.files import cells, jpeg, mat, write_bytes, write_text
from protocols.sample.painter import Painter, Progress, face_box, five_points, painted, silent
from protocols.sample.photo import cut, low_resolution
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "tinyface", 3, 40
_PAINTED = 96
_SMALLEST, _LARGEST = 14, 36
_FIRST_DISTRACTOR = 1_000_000
_README = """SAMPLE in the layout of TinyFace; see SAMPLE.txt.

Training_Set/<PersonID>/<PersonID>_<ImageName>.jpg    people that are not in the test set
Testing_Set/Gallery_Match/                            mated gallery
Testing_Set/Gallery_Distractor/                       people without a name
Testing_Set/Probe/                                    probes
Testing_Set/gallery_match_img_ID_pairs.mat            gallery_set (names), gallery_ids
Testing_Set/probe_img_ID_pairs.mat                    probe_set (names), probe_ids
Face_Identification_Evaluation/                       second copies of the two .mat files
"""


class _Picture(NamedTuple):
    path: str
    look: Look


def write(root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None) -> SampleSummary:
    """Write a sample of TinyFace.

    Args:
        root: folder to fill.
        identities: people of the test set; half as many (rounded up) are in the training set, five times as many are
            distractors.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts: 1 to 3 gallery images and 1 to 2 probes an identity, one image a distractor.

    Raises:
        UsageError: too few identities.
    """
    demand(NAME, identities, MINIMUM, seed)
    rng = np.random.default_rng((seed, 1))
    trained = (identities + 1) // 2
    ids = [int(number) for number in rng.permutation(identities + trained) + 1]
    test, train = sorted(ids[:identities]), sorted(ids[identities:])
    gallery = [_picture(f"Testing_Set/Gallery_Match/{i}", seed, i, n, rng) for i in test for n in range(_some(rng, 3))]
    probes = [_picture(f"Testing_Set/Probe/{i}", seed, i, 10 + n, rng) for i in test for n in range(_some(rng, 2))]
    training = [_picture(f"Training_Set/{i}/{i}", seed, i, n, rng) for i in train for n in range(1 + _some(rng, 3))]
    distractors = [
        _Picture(f"Testing_Set/Gallery_Distractor/{n}.jpg", _look(seed, _FIRST_DISTRACTOR + n, 0, rng))
        for n in range(1, 5 * identities + 1)
    ]
    pictures = [*gallery, *probes, *training, *distractors]
    with (progress or silent)("draw the TinyFace sample", len(pictures)) as advance:
        images = painted([picture.look for picture in pictures], paint, advance)
        for picture, image in zip(pictures, images, strict=True):
            face = cut(image, face_box(five_points(paint, picture.look)))
            height = round(float(np.exp(rng.uniform(np.log(_SMALLEST), np.log(_LARGEST)))))
            small = low_resolution(face, rng, height)
            write_bytes(root / picture.path, jpeg(small, int(rng.integers(60, 91))))
    for folder in ("Testing_Set", "Face_Identification_Evaluation"):
        _write_pairs(root / folder / "gallery_match_img_ID_pairs.mat", "gallery", gallery)
        _write_pairs(root / folder / "probe_img_ID_pairs.mat", "probe", probes)
    write_text(root / "readme.txt", _README)
    counts = {
        "gallery": len(gallery),
        "distractor": len(distractors),
        "probe": len(probes),
        "training": len(training),
        "test identities": len(test),
        "training identities": len(train),
    }
    return SampleSummary(
        database=NAME, identities=identities, seed=seed, images=len(pictures), counts=counts, options={}
    )


def _some(rng: np.random.Generator, most: int) -> int:
    """A number from 1 to ``most``."""
    return int(rng.integers(1, most + 1))


def _picture(stem: str, seed: int, identity: int, number: int, rng: np.random.Generator) -> _Picture:
    return _Picture(f"{stem}_{number + 1}.jpg", _look(seed, identity, number, rng))


def _look(seed: int, identity: int, number: int, rng: np.random.Generator) -> Look:
    """A snapshot: mostly near frontal, any light, often some expression."""
    expression = EXPRESSIONS[int(rng.choice(len(EXPRESSIONS), p=(0.5, 0.05, 0.05, 0.05, 0.2, 0.05, 0.1)))]
    return Look(
        identity=person(seed, identity),
        variation=number,
        yaw_deg=float(np.clip(rng.normal(0, 18), -50, 50)),
        pitch_deg=float(np.clip(rng.normal(0, 7), -20, 20)),
        roll_deg=float(np.clip(rng.normal(0, 6), -20, 20)),
        expression=expression,
        strength=float(rng.uniform(0.3, 1.0)),
        illumination=int(rng.integers(0, ILLUMINATIONS)),
        size=_PAINTED,
    )


def _write_pairs(path: Path, prefix: str, pictures: Sequence[_Picture]) -> None:
    names = [picture.path.rpartition("/")[2] for picture in pictures]
    ids = np.array([[int(name.partition("_")[0])] for name in names], np.uint16)
    write_bytes(path, mat({f"{prefix}_set": cells(names), f"{prefix}_ids": ids}))


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
