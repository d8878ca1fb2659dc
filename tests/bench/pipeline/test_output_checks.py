"""Every silent failure is caught by its name, and an honest hallucinator is left in peace."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.images import resize
from bench.interfaces import ByteImages
from bench.pipeline.output_checks import inspect_outputs

FACES = [draw_face(person, 0, 16) for person in range(12)]


def sharpened(lr: ByteImages) -> ByteImages:
    large = resize(lr, 64, 64).astype(np.int16)
    soft = resize(resize(lr, 8, 8), 64, 64)
    return np.clip(large + (large - soft) // 2, 0, 255).astype(np.uint8)


def found(make: Callable[[ByteImages], ByteImages]) -> set[str]:
    return {finding.name for finding in inspect_outputs([(lr, make(lr)) for lr in FACES])}


def test_an_honest_hallucinator_raises_nothing() -> None:
    assert found(sharpened) == set()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("output-equals-input", lambda lr: lr.copy()),
        ("output-equals-bicubic", lambda lr: resize(lr, 64, 64)),
        ("flat-output", lambda lr: np.full((64, 64, 3), lr.mean(), np.uint8)),
        ("constant-output", lambda lr: sharpened(FACES[0])),
        ("swapped-channels", lambda lr: sharpened(lr)[:, :, ::-1]),
    ],
)
def test_each_fault_is_caught_by_its_name(name: str, make: Callable[[ByteImages], ByteImages]) -> None:
    assert found(make) == {name}


def test_plain_interpolation_is_no_finding_where_it_is_what_was_asked_for() -> None:
    views = [(lr, resize(lr, 64, 64)) for lr in FACES]
    assert inspect_outputs(views, interpolation_expected=True) == []


def test_nothing_to_look_at_is_no_finding() -> None:
    assert inspect_outputs([]) == []


def test_grey_images_are_never_called_swapped() -> None:
    grey = [np.repeat(face[:, :, :1], 3, axis=2) for face in FACES]
    assert inspect_outputs([(lr, sharpened(lr)) for lr in grey]) == []


def test_drawn_faces_repeat_by_seed_and_differ_by_person_and_image() -> None:
    assert np.array_equal(draw_face(3, 1, 32), draw_face(3, 1, 32))
    assert not np.array_equal(draw_face(3, 1, 32), draw_face(3, 2, 32))
    assert np.abs(draw_face(3, 1, 32).astype(int) - draw_face(4, 1, 32)).mean() > 5
