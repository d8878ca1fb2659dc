from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from bench.errors import DataError, UsageError
from bench.metrics.quality import (
    luma_bt601,
    psnr_rgb_db,
    psnr_y_db,
    ssim_rgb_wang,
    ssim_y_wang,
)

MEASURES = [psnr_rgb_db, psnr_y_db, ssim_rgb_wang, ssim_y_wang]


def pair(seed=0, shape=(24, 31, 3)):
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    smooth = 127 + 90 * np.sin(rows / 5)[..., None] * np.cos(columns / 4 + 1)[..., None] * np.array([1, 0.8, -0.6])
    noisy = smooth + rng.normal(0, 12, shape)
    return smooth.clip(0, 255).astype(np.uint8), noisy.clip(0, 255).astype(np.uint8)


def ssim_of_plane(x, y):
    """Wang's equations written out: Gaussian moments, then the mean over the region where the window fits."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(plane):
        return correlate1d(correlate1d(plane, window, axis=0), window, axis=1)[5:-5, 5:-5]

    x, y = x.astype(np.float64), y.astype(np.float64)
    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (((2 * mx * my + c1) * (2 * cov + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean()


def psnr_of(x, y):
    return 10 * math.log10(255**2 / np.mean((x.astype(np.float64) - y.astype(np.float64)) ** 2))


def plain_luma(image):
    r, g, b = np.moveaxis(image.astype(np.float64), 2, 0)
    return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255


@pytest.mark.parametrize("border", [0, 4])
def test_each_measure_equals_its_formula_written_out(border):
    hr, sr = pair()
    inner = np.s_[border : 24 - border, border : 31 - border]
    x, y = hr[inner], sr[inner]
    assert psnr_rgb_db(hr, sr, border=border) == pytest.approx(psnr_of(x, y), abs=1e-10)
    assert psnr_y_db(hr, sr, border=border) == pytest.approx(psnr_of(plain_luma(x), plain_luma(y)), abs=1e-10)
    expected = np.mean([ssim_of_plane(x[..., c], y[..., c]) for c in range(3)])
    assert ssim_rgb_wang(hr, sr, border=border) == pytest.approx(expected, abs=1e-7)
    assert ssim_y_wang(hr, sr, border=border) == pytest.approx(ssim_of_plane(plain_luma(x), plain_luma(y)), abs=1e-7)


def test_one_level_everywhere_is_48_13_db():
    hr = np.full((12, 12, 3), 100, np.uint8)
    assert psnr_rgb_db(hr, hr + np.uint8(1)) == pytest.approx(20 * math.log10(255))


def test_equal_images_have_infinite_psnr_and_unit_ssim():
    hr, _ = pair()
    assert psnr_rgb_db(hr, hr.copy()) == psnr_y_db(hr, hr.copy()) == math.inf
    assert ssim_rgb_wang(hr, hr.copy()) == pytest.approx(1.0, abs=1e-12)
    assert ssim_y_wang(hr, hr.copy()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_measures_are_symmetric(measure):
    hr, sr = pair()
    assert measure(hr, sr) == pytest.approx(measure(sr, hr), abs=1e-12)


def test_swapped_channels_change_the_rgb_measures():
    hr, sr = pair()
    assert psnr_rgb_db(hr, sr[..., ::-1].copy()) < psnr_rgb_db(hr, sr) - 3
    assert ssim_rgb_wang(hr, sr[..., ::-1].copy()) < ssim_rgb_wang(hr, sr) - 0.1


def test_luma_of_black_white_and_primaries_is_that_of_bt601():
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert luma_bt601(colours)[0] == pytest.approx([16, 235, 81.481, 144.553, 40.966])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("hr", "sr", "message"),
    [
        (np.zeros((16, 16, 3), np.float32), np.zeros((16, 16, 3), np.uint8), "reference image is float32"),
        (np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8), "restored image"),
        (np.zeros((16, 16, 4), np.uint8), np.zeros((16, 16, 4), np.uint8), r"expected uint8 RGB \(H, W, 3\)"),
        (np.zeros((16, 16, 3), np.uint8), np.zeros((16, 17, 3), np.uint8), "same shape"),
        (np.zeros((0, 16, 3), np.uint8), np.zeros((0, 16, 3), np.uint8), "0 x 16 pixels are left"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(measure, hr, sr, message):
    with pytest.raises(DataError, match=message):
        measure(hr, sr)


def test_a_border_that_leaves_too_little_is_refused():
    hr, sr = pair()
    with pytest.raises(DataError, match="10 x 17 pixels are left inside a border of 7; expected at least 11 x 11"):
        ssim_rgb_wang(hr, sr, border=7)
    with pytest.raises(DataError, match="0 x 1 pixels"):
        psnr_rgb_db(hr, sr, border=15)
    with pytest.raises(UsageError, match="-1"):
        psnr_y_db(hr, sr, border=-1)
