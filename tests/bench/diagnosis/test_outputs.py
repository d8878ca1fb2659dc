"""What is odd about outputs, each oddity alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.diagnosis.outputs import output_faults
from bench.images import resize
from bench.interfaces import ByteImages
from bench.pipeline.output_checks import ImagePair


def _views(change: Callable[[ByteImages], ByteImages], people: int = 12) -> list[ImagePair]:
    faces = [draw_face(person, 0, 112) for person in range(people)]
    return [(resize(face, 16, 16), change(face)) for face in faces]


def _moved(face: ByteImages) -> ByteImages:
    out = np.zeros_like(face)
    out[10:, 8:] = face[:-10, :-8]
    return out


@pytest.mark.parametrize("change", [lambda face: face, _moved, lambda face: face[:, ::-1]])
def test_faces_that_are_enlarged_moved_or_mirrored_are_not_odd(change: Callable[[ByteImages], ByteImages]) -> None:
    assert output_faults(_views(change), moved=True) == []


def test_faces_that_stay_where_they_are_and_a_little_worse_are_not_odd() -> None:
    rng = np.random.default_rng(0)
    noisy = _views(lambda face: np.clip(face + rng.normal(0, 20, face.shape), 0, 255).astype(np.uint8))
    assert output_faults(noisy) == []


def test_outputs_in_another_order_and_outputs_of_nobody_are_named() -> None:
    views = _views(lambda face: face)
    shuffled = [(lr, views[place - 1][1]) for place, (lr, _) in enumerate(views)]
    assert any(cause.startswith("order: 12 of 12") for cause in output_faults(shuffled))
    rng = np.random.default_rng(0)
    noise = _views(lambda face: rng.integers(0, 256, face.shape).astype(np.uint8))
    assert any(cause.startswith("content:") for cause in output_faults(noise))


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda face: face[..., ::-1], "colour order"),
        (lambda face: _moved(face)[..., ::-1], "colour order"),
        (lambda face: (face * 0.1).astype(np.uint8), "scaling"),
        (lambda face: np.clip(face.astype(np.int64) * 2 - 255, 0, 255).astype(np.uint8), "scaling"),
        (lambda face: (face / 2 + 127).astype(np.uint8), "scaling"),
        (lambda face: (0.9 * draw_face(99, 0, 112) + 0.1 * face).astype(np.uint8), "hardly looks at its input"),
    ],
)
def test_each_oddity_is_named(change: Callable[[ByteImages], ByteImages], cause: str) -> None:
    result = output_faults(_views(change))
    assert any(cause in line for line in result), result


def test_of_three_images_nothing_is_reported() -> None:
    assert output_faults(_views(lambda face: face[..., ::-1], people=3)) == []
