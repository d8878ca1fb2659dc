"""Samples that several tests read; made once, not to be changed."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.faces.people.look import Look
from bench.interfaces import ByteImages
from protocols.sample import Painter, SampleSummary, write_sample

Written = tuple[Path, SampleSummary]


def blocks(looks: Sequence[Look]) -> list[ByteImages]:
    """A painter for tests of names and lists: coarse blocks that depend on the look, no faces."""
    images = []
    for look in looks:
        rng = np.random.default_rng(list(hashlib.sha256(repr(look).encode()).digest()))
        coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
        rows = np.arange(look.size) * 8 // look.size
        images.append(coarse[np.ix_(rows, rows)])
    return images


@pytest.fixture(scope="session", autouse=True)
def cartoons() -> Iterator[None]:
    """Layouts are tested with the quick painter; the default one has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("protocols.sample.painter"), "DEFAULT_PAINTER", "cartoon")
        yield


@pytest.fixture(scope="session")
def quick_painter() -> Painter:
    """See `blocks`."""
    return blocks


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Written]:
    """Write a sample, or hand out the one written before with the same arguments."""
    made: dict[str, Written] = {}
    folder = tmp_path_factory.mktemp("samples")

    def get(name: str, *, identities: int, seed: int = 3, **options: str) -> Written:
        key = f"{name}-{identities}-{seed}-{options}"
        if key not in made:
            out = folder / str(len(made))
            paint = blocks if name == "multipie" else None  # many images, none of which a test looks into
            summary = write_sample(name, out, identities=identities, seed=seed, paint=paint, options=options)
            made[key] = out, summary
        return made[key]

    return get


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, str]]:
    """Hashes of all files below a folder by their path in it."""

    def hashes(root: Path) -> dict[str, str]:
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    return hashes
