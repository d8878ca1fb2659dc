"""Small components for tests of runs: nothing to download, figures in milliseconds, gone after the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from bench.errors import MissingError
from bench.images import resize
from bench.interfaces import HALLUCINATORS, PROTOCOLS, RECOGNISERS, REGISTRIES, EvalProtocol, Hallucinator, Recogniser
from bench.registry import load_plugins
from bench.types import CheckLine, FaceTemplate, IdentificationSet, ImageSpec, Media

POINTS = ((5.0, 6.0), (10.0, 6.0), (8.0, 9.0), (6.0, 12.0), (10.0, 12.0))
PEOPLE = 4


class Toy(EvalProtocol):
    """Four people of coloured noise, two gallery and two probe images each; ``joined``: one gallery template each."""

    dataset = "toys"
    how_to_get = "Toys are made, not got."
    reads: ClassVar[list[Path]] = []

    def __init__(self, *, people: int = PEOPLE, joined: bool = False) -> None:
        self.people, self.joined = people, joined

    def locate(self, root: Path) -> Path:
        if not (root / f"{self.dataset}.txt").is_file():
            raise MissingError(f"No {self.dataset} in {root}.\n{self.how_to_get}")
        return root

    def is_sample(self, root: Path) -> bool:
        return (root / "SAMPLE").is_file()

    def write_sample(self, out: Path) -> None:
        write_toys(out, name=self.dataset)
        (out / "SAMPLE").touch()

    def read(self, root: Path) -> IdentificationSet:
        self.reads.append(root)

        def media(role: str) -> tuple[Media, ...]:
            return tuple(
                Media(
                    f"{role}/{i}_{k}.png",
                    root / role / f"{i}_{k}.png",
                    role,  # type: ignore[arg-type]
                    str(i),
                    f"{role}/{i}" if self.joined and role == "gallery" else f"{role}/{i}_{k}",
                )
                for i in range(self.people)
                for k in range(2)
            )

        return IdentificationSet(media("gallery"), media("probe"), official=not self.is_sample(root))

    def check(self, root: Path, progress: object = None) -> list[CheckLine]:
        return [CheckLine("ok", "toys", "there")]


class Counted(Hallucinator):
    """Enlarges; counts the faces it was given."""

    output_spec = ImageSpec(16)
    faces: ClassVar[list[int]] = []

    def __init__(self, *, gain: float = 1.0, mode: str = "plain", broken: bool = False) -> None:
        self.gain, self.broken = gain, broken

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        if self.broken:
            raise RuntimeError("broken")
        self.faces.append(len(lr))
        large = np.repeat(np.repeat(lr, 16 // lr.shape[2], 2), 16 // lr.shape[3], 3)
        return np.clip(large * np.float32(self.gain), 0, 1)


class Pixels(Recogniser):
    """The chip's own pixels, shrunk."""

    face = FaceTemplate(16, 16, POINTS)
    stop: ClassVar[list[BaseException]] = []

    def __init__(self, *, side: int = 4, fault: str = "") -> None:
        self.side, self.fault = side, fault
        self.embedding_size = 3 * side * side

    def embed(self, chips: np.ndarray) -> np.ndarray:
        if self.fault:
            raise ValueError(self.fault)
        if self.stop:
            raise self.stop[0]
        small: Sequence[np.ndarray] = [resize(chip, self.side, self.side) for chip in chips]
        return np.stack(small).reshape(len(chips), -1).astype(np.float32) - 100


def write_toys(root: Path, *, name: str = "toys", seed: int = 0, people: int = PEOPLE) -> Path:
    """Write the images that the protocol ``toys`` (or ``games``) reads."""
    rng = np.random.default_rng(seed)
    for identity in range(people):
        face = rng.integers(30, 220, (8, 8, 3))
        for role in ("gallery", "probe"):
            for k in range(2):
                (root / role).mkdir(parents=True, exist_ok=True)
                pixels = np.clip(face + rng.normal(0, 30, face.shape), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / role / f"{identity}_{k}.png")
    (root / f"{name}.txt").touch()
    return root


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Protocols ``toys`` and ``games``, hallucinator ``counted``, recogniser ``pixels``: registered for one test."""
    load_plugins()
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    for counter in (Toy.reads, Counted.faces, Pixels.stop):
        counter.clear()  # type: ignore[attr-defined]
    PROTOCOLS.register("toys", summary="Toys.")(Toy)
    PROTOCOLS.register("games", summary="Toys by another name.")(
        type("Games", (Toy,), {"dataset": "games", "flip": "sum"})
    )
    HALLUCINATORS.register("counted", summary="Counts.")(Counted)
    RECOGNISERS.register("pixels", summary="Pixels.")(Pixels)
    return SimpleNamespace(protocol=Toy, hallucinator=Counted, recogniser=Pixels, write=write_toys)


@pytest.fixture
def toy_root(tmp_path: Path) -> Path:
    """Toys that are no sample."""
    return write_toys(tmp_path / "toy-data")
