"""The packet Haar transform: by hand, against splitting level by level, and back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bench.errors import DataError
from hallucinators.waveletsrnet.haar import inverse, patterns, transform


def split(images: Tensor) -> list[Tensor]:
    """One level written out: mean, left against right, top against bottom, diagonal."""
    a, b = images[..., ::2, ::2], images[..., ::2, 1::2]
    c, d = images[..., 1::2, ::2], images[..., 1::2, 1::2]
    return [(a + b + c + d) / 2, (a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2]


def test_two_by_two_pixels_by_hand() -> None:
    image = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    assert transform(image, 1).flatten().tolist() == [6.0, -2.0, -3.0, 1.0]


def test_four_by_four_pixels_by_hand() -> None:
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 0, 1] = 4.0  # in the top-left quarter, top right of its four pixels
    signs = [1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1]
    assert transform(image, 2).flatten().tolist() == signs
    moved = image.roll(2, 3)  # into the top-right quarter: coarse digits 1 and 3 change sign
    flips = [1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1]
    assert transform(moved, 2).flatten().tolist() == [a * b for a, b in zip(signs, flips, strict=True)]


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_bands_are_those_of_splitting_every_band_again(levels: int) -> None:
    images = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    bands = [images]
    for _ in range(levels):  # the last split is the coarsest, and its number the first digit
        bands = [split(band)[number] for number in range(4) for band in bands]
    torch.testing.assert_close(transform(images, levels), torch.cat(bands, 1))


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_patterns_are_orthonormal_and_the_inverse_inverts(levels: int) -> None:
    flat = patterns(levels).flatten(1)
    torch.testing.assert_close(flat @ flat.mT, torch.eye(4**levels))
    torch.testing.assert_close(flat.abs(), torch.full_like(flat, 2.0**-levels))
    images = torch.rand(2, 3, 16, 8)
    bands = transform(images, levels)
    assert bands.shape == (2, 3 * 4**levels, 16 >> levels, 8 >> levels)
    torch.testing.assert_close(inverse(bands, levels), images)
    torch.testing.assert_close(bands.square().sum(), images.square().sum())


def test_the_first_triplet_is_the_mean_colour_of_each_block() -> None:
    images = torch.rand(1, 3, 16, 16)
    means = torch.nn.functional.avg_pool2d(images, 8)
    torch.testing.assert_close(transform(images, 3)[:, :3], 8 * means)


def test_autocast_does_not_round_the_bands() -> None:
    images = torch.rand(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        back = inverse(transform(images, 3), 3)
    torch.testing.assert_close(back, images)


def test_gradients_pass_after_a_first_use_without_them() -> None:
    patterns.cache_clear()
    with torch.inference_mode():
        transform(torch.rand(1, 3, 8, 8), 3)
    bands = torch.rand(1, 192, 1, 1, requires_grad=True)
    torch.autograd.backward(inverse(bands, 3).square().sum())
    torch.testing.assert_close(bands.grad, 2 * bands.detach())


def test_agrees_with_pywavelets() -> None:
    pywt = pytest.importorskip("pywt")
    images = torch.rand(1, 1, 16, 16, dtype=torch.float32)
    packets = pywt.WaveletPacket2D(images[0, 0].numpy(), "haar", maxlevel=3)
    names = ("a", "v", "h", "d")
    bands = transform(images, 3)[0]
    for index in range(64):
        path = "".join(names[index // 4**place % 4] for place in range(3))  # PyWavelets names the finest first
        torch.testing.assert_close(bands[index], torch.from_numpy(packets[path].data), atol=1e-5, rtol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="multiples of 8"):
        transform(torch.rand(1, 3, 12, 16), 3)
    with pytest.raises(DataError, match="64 bands"):
        inverse(torch.rand(1, 48, 4, 4), 3)
