"""Are the drawn people people, and are they nobody?

    BENCH_DATA=DIR python benchmarks/people.py [--identities 200] [--drawn 1000] [--photographs 3000]

Recognition among drawn people by two recognisers, by yaw and at 16 x 16; then, where ``BENCH_DATA`` holds ``utkface``,
how often a drawn face matches a training photograph above the verification threshold, beside how often two different
real people do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.faces.landmarks.mediapipe import FaceLandmarker
from bench.faces.landmarks.points import five_points
from bench.faces.people.look import Look
from bench.faces.people.model import People
from bench.images import ByteImages, read_image, resize
from bench.interfaces import ALIGNERS, RECOGNISERS, Recogniser
from bench.pipeline.build import Built, build
from bench.registry import Spec, load_plugins

SFACE_THRESHOLD = 0.363  # cosine; OpenCV's documentation of SFace
YAWS = (22, 40, 55, 75)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--identities", type=int, default=200)
    parser.add_argument("--drawn", type=int, default=1000)
    parser.add_argument("--photographs", type=int, default=3000)
    arguments = parser.parse_args()
    load_plugins()
    people = People()
    for name in ("sface", "dlib"):
        try:
            recognition(people, build(RECOGNISERS, Spec(name)), arguments.identities)
        except BenchError as error:
            print(f"{name}: {error}")
    folder = Path(os.environ.get("BENCH_DATA", "/nowhere")) / "utkface"
    if folder.is_dir():
        privacy(people, build(RECOGNISERS, Spec("sface")), folder, arguments.drawn, arguments.photographs)


def recognition(people: People, recogniser: Built[Recogniser], count: int) -> None:
    """Rank-1 of probes in another light and expression, by yaw, and shrunk to 16 x 16."""
    gallery = embed(people, [Look(identity=i) for i in range(count)], recogniser)

    def rank_1(looks: Sequence[Look], side: int | None = None) -> float:
        scores = embed(people, looks, recogniser, side) @ gallery.T
        return float((scores.argmax(1) == np.arange(count)).mean())

    def probes(yaw: float) -> list[Look]:
        return [
            Look(
                identity=i,
                variation=1,
                yaw_deg=yaw * (1 if i % 2 else -1),
                expression=("happiness", "surprise", "sadness", "anger")[i % 4],
                strength=0.7,
                illumination=(5, 8, 11, 14)[i // 4 % 4],
            )
            for i in range(count)
        ]

    figures = [f"frontal {rank_1(probes(0)):.1%}", f"frontal at 16 x 16 {rank_1(probes(0), 16):.1%}"]
    figures += [f"{yaw} degrees {rank_1(probes(yaw)):.1%}" for yaw in YAWS]
    print(f"{recogniser.spec}: rank-1 among {count} drawn people: {', '.join(figures)}", flush=True)


def privacy(people: People, recogniser: Built[Recogniser], folder: Path, drawn: int, photographs: int) -> None:
    """Matches of drawn faces with training photographs, and of different real people with each other."""
    landmarker = FaceLandmarker()
    files = sorted(folder.glob("*.jpg"))
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, min(photographs, len(files))).astype(int)]
    images, points = [], []
    for path in chosen:
        image = read_image(path)
        found = landmarker.find([image])[0]
        if found is not None and found.faces == 1:
            images.append(image)
            points.append(five_points(found.points)[:, :2].astype(np.float64))
    real = chips_to_vectors(images, points, recogniser)
    fake = embed(people, [Look(identity=10_000 + i) for i in range(drawn)], recogniser)
    between, among = fake @ real.T, real @ real.T
    np.fill_diagonal(among, -1)
    for name, scores in (("drawn against photographs", between), ("different real people", among)):
        above = scores >= SFACE_THRESHOLD
        total = scores.size - (len(scores) if name.startswith("different") else 0)
        print(
            f"{name}: {above.sum() / total:.4%} of {total:,} pairs reach {SFACE_THRESHOLD}; "
            f"{above.any(1).mean():.1%} of {len(scores)} have a match; highest {scores.max():.3f}"
        )


def embed(
    people: People, looks: Sequence[Look], recogniser: Built[Recogniser], side: int | None = None
) -> NDArray[np.float32]:
    """Unit embeddings of looks, aligned by their own points; shrunk to ``side`` and enlarged again first."""
    images = people(looks)
    if side:
        images = [resize(resize(image, side, side), *image.shape[:2]) for image in images]
    return chips_to_vectors(images, [people.points(look) for look in looks], recogniser)


def chips_to_vectors(
    images: Sequence[ByteImages], points: Sequence[NDArray[np.float64]], recogniser: Built[Recogniser]
) -> NDArray[np.float32]:
    """Unit embeddings of images by five points each."""
    aligner = build(ALIGNERS, Spec("landmarks")).component
    landmarks = [tuple((float(x), float(y)) for x, y in five) for five in points]
    chips, _ = aligner.align(images, landmarks, recogniser.component.face)
    vectors = np.concatenate([recogniser.component.embed(chips[i : i + 64]) for i in range(0, len(chips), 64)])
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


if __name__ == "__main__":
    main()
