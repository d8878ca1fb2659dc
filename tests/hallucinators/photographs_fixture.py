"""A pack of drawn heads of named people in any pose, with made-up embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.align.templates import ARCFACE_112
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.pairs.describe import Describer
from bench.faces.pairs.grouping import Grouping
from bench.faces.pairs.pack import Pack, pack, photographs
from bench.images import ByteImages, FloatImages, encode_png
from bench.interfaces import Recogniser
from bench.types import WeightsFile
from tests.hallucinators import conftest as heads

PEOPLE, EACH = 8, 4
YAWS_DEG = (0.0, 20.0, -35.0, 50.0)


class Numbers(Recogniser):
    """Gives each photograph of a person nearly the person's own vector of 128 numbers."""

    face = ARCFACE_112
    embedding_size = 128

    def __init__(self) -> None:
        self.weights = (WeightsFile("numbers", "a" * 64, None),)
        self._next = 0

    def embed(self, chips: ByteImages) -> FloatImages:
        person, photograph = divmod(self._next, EACH)
        self._next += 1
        base = np.random.default_rng(person).normal(size=128)
        values = base / np.linalg.norm(base) + 0.02 * np.random.default_rng((person, photograph)).normal(size=128)
        return (1.4 * values / np.linalg.norm(values))[None].astype(np.float32)


class Known(Landmarker):
    """Knows the points of the photographs in the order in which it is shown them, with the yaws of `YAWS_DEG`."""

    def __init__(self, landmarks: Sequence[Landmarks]) -> None:
        self._landmarks = list(landmarks)

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._landmarks.pop(0) for _ in images]


def write_photographs(folder: Path, *, partition: Sequence[str] | None = None, labels: bool = True) -> Path:
    """Draw `EACH` photographs of `PEOPLE` people and pack them with surroundings into ``photographs.npz``."""
    landmarks, identities = [], []
    for person in range(PEOPLE):
        image, points = heads.head(person)
        for photograph in range(EACH):
            path = folder / f"p{person:02d}" / f"{photograph}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            rough = np.random.default_rng((person, photograph)).integers(-60, 60, (8, 8, 3))
            noise = np.kron(rough, np.ones((16, 16, 1), int))
            path.write_bytes(encode_png((image.astype(int) + noise).clip(0, 255).astype(np.uint8)))
            landmarks.append(replace(points, yaw_deg=YAWS_DEG[photograph]))
            identities.append(f"p{person:02d}" if labels else "")
    grouping = Grouping(
        Describer({"sface": Numbers(), "dlib": Numbers()}),
        rules=("bytes",),
        identities=identities,
        partition=partition or ["train"] * len(identities),
    )
    out = folder / "photographs.npz"
    pack(photographs(folder), out, Known(landmarks), most_yaw_deg=90.0, margin=16, grouping=grouping)
    return out


def open_photographs(folder: Path, **given: object) -> Pack:
    """The same, opened."""
    return Pack(write_photographs(folder, **given))  # type: ignore[arg-type]
