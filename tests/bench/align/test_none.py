from __future__ import annotations

import numpy as np
import pytest

from bench.align.none import WholeImage
from bench.images import resize
from bench.interfaces import ALIGNERS
from bench.types import OK, FaceTemplate

FACE = FaceTemplate(12, 10, ((0, 0),) * 5)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("kernel", ["opencv", "pillow"])
def test_images_of_any_size_become_chips_of_the_template(kernel: str) -> None:
    images = [noise(5, 7), noise(30, 4), noise(12, 10), noise(2, 2)]
    chips, outcomes = ALIGNERS["none"].create({"kernel": kernel}).align(images, [None] * 4, FACE)
    assert chips.shape == (4, 12, 10, 3)
    assert chips.dtype == np.uint8
    assert outcomes == [OK] * 4


def test_an_image_of_the_chips_size_is_left_alone() -> None:
    image = noise(12, 10)
    assert np.array_equal(WholeImage().align([image], [None], FACE)[0][0], image)


def test_a_larger_image_is_antialiased_with_either_kernel() -> None:
    image = np.zeros((24, 20, 3), np.uint8)
    image[:, ::2] = 255  # one-pixel stripes: sampled, they would stay black or white
    chip = WholeImage(kernel="opencv").align([image], [None], FACE)[0][0]
    assert np.array_equal(chip, resize(image, 12, 10))
    assert 100 < chip[4:8, 4:6].mean() < 155


def test_enlarging_by_two_uses_the_weights_of_the_named_kernel() -> None:
    # an impulse doubled in size: the sample a quarter of a pixel away weighs w(1/4) of the Keys kernel,
    # w(t) = (a+2)|t|^3 - (a+3)t^2 + 1; the same along the other axis
    image = np.zeros((6, 5, 3), np.uint8)
    image[3, 2] = 200
    for kernel, a in (("opencv", -0.75), ("pillow", -0.5)):
        weight = (a + 2) / 64 - (a + 3) / 16 + 1
        chip = WholeImage(kernel=kernel).align([image], [None], FACE)[0][0]
        assert abs(int(chip[6, 4, 0]) - 200 * weight**2) <= 1


def test_a_chip_depends_on_its_own_image_alone() -> None:
    images = [noise(5, 7, seed) for seed in range(4)]
    together = WholeImage().align(images, [None] * 4, FACE)[0]
    alone = WholeImage().align(images[2:3], [None], FACE)[0]
    assert np.array_equal(together[2], alone[0])
