"""What the tests of training share: a small pack of drawn heads, and its rendered views."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.pairs.pack import SIDE, Pack, pack, photographs
from bench.images import ByteImages, encode_png
from hallucinators.training.data.views import RenderedViews, ViewPlan, render_views

PEOPLE = 18  # by the hash of their names 14 are trained on and 4 are left out
PLAN = ViewPlan(yaws_deg=(0.0, 40.0), free=2)
"""Columns: frontal twice, 40 degrees to the left and to the right, two free ones."""


_PATH = Path(__file__).parents[1] / "bench" / "faces" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("drawn_heads", _PATH)
assert _SPEC and _SPEC.loader
_DRAWING = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_DRAWING)


class Known(Landmarker):
    """Knows the points of the photographs it is shown, in order."""

    def __init__(self, result: Sequence[Landmarks]) -> None:
        self._results = list(result)

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._results.pop(0) for _ in images]


def head(number: int) -> tuple[ByteImages, Landmarks]:
    """A drawn head, wider or higher and of another colour than the others, 128 x 128; and its points."""
    rng = np.random.default_rng(number)
    place = _DRAWING.drawn_place(side=SIDE)
    stretch = np.array([*rng.uniform(0.9, 1.1, 2), 1.0])
    middle = np.array([SIDE / 2, SIDE / 2, 0.0])
    landmarks = replace(place, points=((place.points - middle) * stretch + middle).astype(np.float32))
    image = _DRAWING.drawn_head(landmarks, SIDE).astype(np.float32) * rng.uniform(0.7, 1.0, 3)
    return image.astype(np.uint8), landmarks


def write_pack(folder: Path, numbers: Sequence[int] = range(PEOPLE)) -> Path:
    """Draw heads by number and pack them into ``faces.npz``."""
    drawn = [head(number) for number in numbers]
    for number, (image, _) in zip(numbers, drawn, strict=True):
        (folder / f"{number:03d}.png").write_bytes(encode_png(image))
    pack(photographs(folder), folder / "faces.npz", Known([landmarks for _, landmarks in drawn]))
    return folder / "faces.npz"


@pytest.fixture(scope="session")
def pack_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack's file; not to be changed."""
    return write_pack(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def packed(pack_file: Path) -> Pack:
    """The pack."""
    return Pack(pack_file)


@pytest.fixture(scope="session")
def trained_on(packed: Pack, tmp_path_factory: pytest.TempPathFactory) -> RenderedViews:
    """Views of the people trained on; not to be changed."""
    return render_views(packed, packed.indices(test=False), tmp_path_factory.mktemp("views") / "train", plan=PLAN)


@pytest.fixture(scope="session")
def validation_views(packed: Pack, tmp_path_factory: pytest.TempPathFactory) -> RenderedViews:
    """Views of the people left out."""
    return render_views(packed, packed.indices(test=True), tmp_path_factory.mktemp("views") / "left-out", plan=PLAN)
