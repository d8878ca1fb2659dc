"""PSNR and SSIM of image pairs by scikit-image; each function's name gives the convention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError

Image = NDArray[np.uint8]

_WINDOW = 11  # Wang's 11 x 11 Gaussian window: sigma 1.5, truncated at 3.5 sigma
_BT601 = (65.481, 128.553, 24.966)  # of 255; plus 16


def luma_bt601(image: Image) -> NDArray[np.float64]:
    """Return Y of YCbCr as MATLAB's ``rgb2ycbcr`` defines it, without its rounding to whole levels.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) float64 in [16, 235].

    Source: ITU-R BT.601-7, section 3.5; coefficients as in MATLAB's documentation of rgb2ycbcr.
    """
    return np.asarray(16 + image.astype(np.float64) @ np.array(_BT601) / 255)


def psnr_rgb_db(hr: Image, sr: Image, *, border: int = 0) -> float:
    """Return the PSNR over all pixels and the three channels together, in dB; data range 255.

    Args:
        hr: the reference, (H, W, 3) uint8 RGB.
        sr: the restored image, of the same shape.
        border: pixels removed on each side before the comparison.

    Returns:
        dB; ``inf`` where the images are equal.

    Raises:
        DataError: another dtype or layout, shapes that differ, or nothing left inside the border.
        UsageError: a negative border.

    Source: PSNR = 10 log10(255^2 / MSE) (no numbered equation).
    """
    return _psnr_db(*_inside(hr, sr, border, smallest=1))


def psnr_y_db(hr: Image, sr: Image, *, border: int = 0) -> float:
    """Return the PSNR of luma (`luma_bt601`), in dB; data range 255. Otherwise as `psnr_rgb_db`."""
    left, right = _inside(hr, sr, border, smallest=1)
    return _psnr_db(luma_bt601(left), luma_bt601(right))


def ssim_rgb_wang(hr: Image, sr: Image, *, border: int = 0) -> float:
    """Return the mean SSIM of the three channels with Wang's settings.

    Gaussian window 11 x 11, sigma 1.5, K1 0.01, K2 0.03, population covariance, data range 255; averaged where the
    window lies inside the image (5 pixels from each edge), then over channels.

    Args:
        hr: the reference, (H, W, 3) uint8 RGB.
        sr: the restored image, of the same shape.
        border: pixels removed on each side before the comparison.

    Returns:
        At most 1; 1 where the images are equal.

    Raises:
        DataError: another dtype or layout, shapes that differ, or less than 11 pixels inside the border.
        UsageError: a negative border.

    Source: Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity, eq. 13-17.
    """
    return _ssim(*_inside(hr, sr, border, smallest=_WINDOW), channel_axis=2)


def ssim_y_wang(hr: Image, sr: Image, *, border: int = 0) -> float:
    """Return the SSIM of luma (`luma_bt601`). Otherwise as `ssim_rgb_wang`."""
    left, right = _inside(hr, sr, border, smallest=_WINDOW)
    return _ssim(luma_bt601(left), luma_bt601(right), channel_axis=None)


def _inside(hr: Image, sr: Image, border: int, *, smallest: int) -> tuple[Image, Image]:
    for name, image in (("reference", hr), ("restored", sr)):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise DataError(f"The {name} image is {image.dtype} of shape {image.shape}; expected uint8 RGB (H, W, 3).")
    if hr.shape != sr.shape:
        raise DataError(f"The reference image is {hr.shape}, the restored one {sr.shape}; expected the same shape.")
    if border < 0:
        raise UsageError(f"The border is {border} pixels; expected at least 0.")
    height, width = hr.shape[0] - 2 * border, hr.shape[1] - 2 * border
    if min(height, width) < smallest:
        raise DataError(
            f"{max(height, 0)} x {max(width, 0)} pixels are left inside a border of {border}; expected at least "
            f"{smallest} x {smallest}."
        )
    chosen = np.s_[border : border + height, border : border + width]
    return hr[chosen], sr[chosen]


def _psnr_db(left: NDArray[Any], right: NDArray[Any]) -> float:
    from skimage.metrics import peak_signal_noise_ratio

    if np.array_equal(left, right):
        return math.inf  # scikit-image would warn of a division by zero
    return float(peak_signal_noise_ratio(left, right, data_range=255))  # type: ignore[no-untyped-call]  # no stubs


def _ssim(left: NDArray[Any], right: NDArray[Any], *, channel_axis: int | None) -> float:
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(  # type: ignore[no-untyped-call]  # no stubs
            left,
            right,
            data_range=255,
            channel_axis=channel_axis,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
