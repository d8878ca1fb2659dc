from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.align.templates import ARCFACE_112, SPHEREFACE_112X96
from bench.errors import UsageError
from bench.interfaces import ALIGNERS
from bench.types import OK

FRAMES = ("lfw250", "utkface200", "celeba128", "tpgan128")


def ramp(height: int, width: int) -> np.ndarray:
    """Red grows with x, green with y: a chip tells where its pixels came from."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width) + 10
    image[..., 1] = np.arange(height)[:, None] + 10
    return image


def test_points_equal_to_the_template_cut_out_the_image_itself() -> None:
    points = [v for x, y in ARCFACE_112.points for v in ((x + 0.5) / 112, (y + 0.5) / 112)]
    image = ramp(112, 112)
    chips, outcomes = ALIGNERS["template"].create({"points": tuple(points)}).align([image], [None], ARCFACE_112)
    assert np.abs(chips[0].astype(int) - image).max() <= 1
    assert outcomes == [OK]


def test_fractions_hold_at_any_size() -> None:
    aligner = ALIGNERS["template"].create({"frame": "tpgan128"})
    small, large = ramp(64, 64), np.kron(ramp(64, 64), np.ones((2, 2, 1), np.uint8))
    chips, _ = aligner.align([small, large], [None, None], ARCFACE_112)
    inner = np.s_[30:90, 30:90, :2]
    assert np.abs(chips[0][inner].astype(int) - chips[1][inner]).mean() < 1


@pytest.mark.parametrize("frame", FRAMES)
def test_every_frame_fits_a_face_within_a_few_pixels(frame: str) -> None:
    from bench.media.similarity import fit_similarity

    aligner = ALIGNERS["template"].create({"frame": frame})
    image = np.zeros((128, 128, 3), np.uint8)
    points = np.array(aligner._in_pixels(image))
    matrix = fit_similarity(tuple(map(tuple, points)), ARCFACE_112.points)
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(moved - ARCFACE_112.points).max() < 8
    assert abs(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))) < 2  # upright


def test_a_frame_that_is_not_square_is_brought_back_to_its_proportions() -> None:
    """An image in the frame of a 112 x 96 chip, stored as a square, gives that chip back."""
    chip = ramp(112, 96)
    stored = cv2.resize(chip, (128, 128), interpolation=cv2.INTER_LINEAR)
    chips, outcomes = (
        ALIGNERS["template"].create({"frame": "sphereface112x96"}).align([stored], [None], SPHEREFACE_112X96)
    )
    assert chips.shape == (1, 112, 96, 3) and outcomes == [OK]
    inner = np.s_[3:-3, 3:-3]
    assert np.abs(chips[0][inner].astype(int) - chip[inner]).max() <= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": "[0.3,0.3,0.7]"}, "points holds 3 numbers"),
        ({"points": "[0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5]"}, "do not all coincide"),
        ({"points": "[nan,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5]"}, "finite"),
        ({"frame": "lfw255"}, "did you mean 'lfw250'"),
    ],
)
def test_unusable_points_are_a_usage_error(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ALIGNERS["template"].create(arguments)
