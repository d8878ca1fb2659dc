"""The drawn TinyFace that other tests and the continuous integration stand on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from bench.images import read_image, resize
from bench.types import Media
from protocols.tinyface.protocol import TinyFace


def test_the_same_arguments_draw_the_same_images(tinyface_fixture: ModuleType, tmp_path: Path) -> None:
    drawn = []
    for folder in ("a", "b", "c"):
        seed = 1 if folder == "c" else 0
        root = tinyface_fixture.write_tinyface(tmp_path / folder, identities=2, distractors=1, seed=seed)
        drawn.append([path.read_bytes() for path in sorted(root.rglob("*.jpg"))])
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_pixels_alone_find_people_above_chance(tinyface_fixture: ModuleType, tmp_path: Path) -> None:
    data = TinyFace().read(tinyface_fixture.write_tinyface(tmp_path, identities=12))

    def pixels(media: tuple[Media, ...]) -> np.ndarray:
        return np.stack([resize(read_image(one.path), 24, 24).ravel() for one in media]).astype(float)

    gallery = data.gallery + data.distractors
    distances = ((pixels(data.probes)[:, None] - pixels(gallery)[None]) ** 2).sum(axis=2)
    nearest = [gallery[index].identity for index in distances.argmin(axis=1)]
    hits = sum(result == probe.identity for result, probe in zip(nearest, data.probes, strict=True))
    assert hits / len(data.probes) > 0.5  # chance is 2 of 34


def test_sizes_are_those_of_tiny_faces(small_tinyface: Path) -> None:
    data = TinyFace().read(small_tinyface)
    sides = {side for one in data.gallery + data.probes for side in read_image(one.path).shape[:2]}
    assert 12 <= min(sides) <= max(sides) <= 36


def test_the_script_writes_a_set_that_can_be_read(tinyface_fixture: ModuleType, tmp_path: Path) -> None:
    script = str(tinyface_fixture.__file__)
    arguments = [str(tmp_path / "tinyface"), "--identities", "3", "--distractors", "4"]
    subprocess.run([sys.executable, script, *arguments], check=True)
    data = TinyFace().read(TinyFace().locate(tmp_path))
    assert (len(data.gallery), len(data.probes), len(data.distractors)) == (6, 6, 4)
