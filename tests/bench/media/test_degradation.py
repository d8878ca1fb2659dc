"""LR faces of photographs: the plain kernel equals the protocols', shares are what they say, bytes come out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.media.degradation import KERNELS, PLAIN, Degradation, Shrinking, degrade, shrink
from bench.media.low_resolution import to_low_resolution


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    rough = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)
    return np.kron(rough, np.ones((1, 16, 16, 1), np.uint8))


def plain(images: NDArray[np.uint8], side: int = 16) -> NDArray[np.float32]:
    return degrade(images, side, np.random.default_rng(0), PLAIN)


@pytest.mark.parametrize("side", [12, 16, 32])
def test_without_degradation_faces_equal_those_of_protocols(images: NDArray[np.uint8], side: int) -> None:
    expected = np.stack([to_low_resolution(image, side) for image in images[:4]]).transpose(0, 3, 1, 2)
    assert np.array_equal(np.rint(plain(images[:4], side) * 255).astype(np.uint8), expected)


CHANGES = (
    Shrinking("area"), Shrinking("bilinear"), Shrinking(blur_px=3.0), Shrinking(noise=4.0), Shrinking(jpeg=70)
)  # fmt: skip


@pytest.mark.parametrize("shrinking", CHANGES, ids=str)
def test_each_degradation_changes_the_face_a_little(images: NDArray[np.uint8], shrinking: Shrinking) -> None:
    changed = shrink(images[0], 16, 16, shrinking, np.random.default_rng(0)).astype(int)
    difference = np.abs(changed - shrink(images[0], 16, 16, Shrinking()))
    assert 0 < difference.mean() < 50


def test_sizes_are_height_and_width_and_a_kernel_that_does_not_exist_is_refused(images: NDArray[np.uint8]) -> None:
    for kernel in KERNELS:
        assert shrink(images[0], 12, 20, Shrinking(kernel)).shape == (12, 20, 3)
    with pytest.raises(UsageError, match="known are bicubic, bilinear, area"):
        Shrinking("lanczos")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="jpeg is 96"):
        Shrinking(jpeg=96)
    with pytest.raises(UsageError, match="random generator"):
        shrink(images[0], 12, 20, Shrinking(noise=1.0))


def test_the_share_is_that_of_the_images(images: NDArray[np.uint8]) -> None:
    many = np.concatenate([images] * 5)
    degraded = degrade(many, 16, np.random.default_rng(1), replace(PLAIN, area=0.25))
    changed = (np.abs(degraded - plain(many)).max((1, 2, 3)) > 0).mean()
    assert changed == pytest.approx(0.25, abs=0.09)


def test_values_are_bytes_between_0_and_1_and_follow_the_seed(images: NDArray[np.uint8]) -> None:
    one, same = (degrade(images, 20, np.random.default_rng(3), Degradation()) for _ in range(2))
    other = degrade(images, 20, np.random.default_rng(4), Degradation())
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.dtype == np.float32 and one.shape == (40, 3, 20, 20) and one.min() >= 0 and one.max() <= 1
    assert np.allclose(one * 255, np.rint(one * 255), atol=1e-4)
