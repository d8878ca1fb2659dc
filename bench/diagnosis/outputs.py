"""Faults of the outputs of a chain, as causes of bad figures: colours, brightness, contrast, equal images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.images import resize
from bench.interfaces import ByteImages
from bench.pipeline.output_checks import ImagePair

_MIN_IMAGES = 4
_SIDE = 16  # pixels: images are compared at this size, where a small shift of the face has little effect
_COLOURS = 4.0  # grey levels: smallest difference of red and blue at which a swap is seen
_SWAP_GAIN = 0.6  # the difference of mean colours with red and blue swapped must be below this share
_BRIGHTNESS = 45.0  # grey levels between the means of inputs and outputs
_CONTRAST = (0.4, 2.0)  # ratio of the standard deviations of outputs and inputs
_CLIPPED = 0.3  # share of values at 0 or 255 beyond that of the inputs
_UNLIKE = 0.5  # correlation of an output with its input, mean over images
_ALIKE = 0.3  # differences between outputs as a share of those between inputs


def output_faults(views: Sequence[ImagePair], *, moved: bool = False) -> list[str]:
    """Compare the outputs of a chain with its inputs.

    Args:
        views: pairs of the decoded input and the output, RGB uint8 (h, w, 3) and (H, W, 3).
        moved: whether the chain moves faces; their content is not compared then.

    Returns:
        Causes, one phrase each with the numbers seen and what to look at; empty where nothing is odd, or for fewer than
        four images.
    """
    if len(views) < _MIN_IMAGES:
        return []
    lr, out = _middles([image for image, _ in views]), _middles([image for _, image in views])
    checks = (_swapped(lr, out), _scaled(lr, out, views), _alike(lr, out), "" if moved else _unlike(lr, out))
    return [cause for cause in checks if cause]


def _swapped(lr: NDArray[np.float64], out: NDArray[np.float64]) -> str:
    """Whether mean colours fit better with red and blue swapped; independent of the position of the face."""
    one, other = _mean_colours(lr), _mean_colours(out)
    if np.abs(one[:, 0] - one[:, 2]).mean() < _COLOURS:
        return ""
    plain, swapped = float(np.abs(one - other).mean()), float(np.abs(one - other[:, ::-1]).mean())
    if swapped >= _SWAP_GAIN * plain:
        return ""
    return (
        f"colour order: mean colours of the outputs are {swapped:.0f} grey levels from the inputs' with red and blue "
        f"swapped, and {plain:.0f} as they are (the network takes or gives BGR)"
    )


def _scaled(lr: NDArray[np.float64], out: NDArray[np.float64], views: Sequence[ImagePair]) -> str:
    before, after = float(lr.mean()), float(out.mean())
    contrast = float(_deviation(out)), float(_deviation(lr))
    clipped = _share_clipped([image for _, image in views]) - _share_clipped([image for image, _ in views])
    low, high = _CONTRAST
    ratio = contrast[0] / max(contrast[1], 1.0)
    if abs(after - before) < _BRIGHTNESS and low <= ratio <= high and clipped < _CLIPPED:
        return ""
    more = f", and {clipped:.0%} more of their values are 0 or 255" if clipped >= _CLIPPED else ""
    return (
        f"scaling: outputs have mean {after:.0f} and standard deviation {contrast[0]:.0f}, inputs {before:.0f} and "
        f"{contrast[1]:.0f}{more} (a range of [0, 1] taken for [-1, 1] or 0..255, or the reverse)"
    )


def _alike(lr: NDArray[np.float64], out: NDArray[np.float64]) -> str:
    inputs, outputs = _between(lr), _between(out)
    if inputs < 1.0 or outputs >= _ALIKE * inputs:
        return ""
    return (
        f"the hallucinator hardly looks at its input: outputs of different faces differ by {outputs:.0f} grey levels, "
        f"the inputs by {inputs:.0f} (weights that were not loaded, or inputs of another range than it was trained on)"
    )


def _unlike(lr: NDArray[np.float64], out: NDArray[np.float64]) -> str:
    """Whether outputs do not show their inputs, but those of other images (the order was lost) or none."""
    matrix = _correlations(out - out.mean(axis=0), lr - lr.mean(axis=0))  # without what all faces have in common
    diagonal, best = np.diag(matrix), matrix.max(axis=1)
    others = int(((best > 0.5) & (diagonal < best - 0.4)).sum())
    if others > len(matrix) / 2:
        return (
            f"order: {others} of {len(matrix)} outputs show the input of another image (the order in a batch was lost)"
        )
    alike = float(np.diag(_correlations(out, lr)).mean())
    if alike >= _UNLIKE:
        return ""
    return f"content: outputs hardly show their inputs (correlation {alike:.2f} on average)"


def _correlations(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of every image with every other one: float64 (N, N)."""
    left, right = _standardised(one), _standardised(other)
    correlations: NDArray[np.float64] = left @ right.T / left.shape[1]
    return correlations


def _standardised(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels of each image less their mean, over their standard deviation: float64 (N, side * side * 3)."""
    flat: NDArray[np.float64] = images.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    spread: NDArray[np.float64] = flat.std(axis=1, keepdims=True)
    return np.divide(flat, np.maximum(spread, 1e-9))


def _middles(images: Sequence[ByteImages]) -> NDArray[np.float64]:
    """The middle halves of images, shrunk: float64 (N, side, side, 3); borders of another frame have no part."""
    cut = []
    for image in images:
        height, width = image.shape[:2]
        top, left = height // 4, width // 4
        middle = np.ascontiguousarray(image[top : max(top + 1, height - top), left : max(left + 1, width - left)])
        cut.append(resize(middle, _SIDE, _SIDE))
    return np.stack(cut).astype(np.float64)


def _mean_colours(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean red, green and blue of each image less its grey: float64 (N, 3)."""
    colours: NDArray[np.float64] = images.mean(axis=(1, 2))
    grey: NDArray[np.float64] = colours.mean(axis=1, keepdims=True)
    return np.subtract(colours, grey)


def _deviation(images: NDArray[np.float64]) -> np.float64:
    """Standard deviation within an image, mean over images."""
    return np.float64(images.std(axis=(1, 2, 3)).mean())


def _between(images: NDArray[np.float64]) -> float:
    """Standard deviation between images, mean over pixels; each image's own mean set aside."""
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    return float(centred.std(axis=0).mean())


def _share_clipped(images: Sequence[ByteImages]) -> float:
    return float(np.mean([((image == 0) | (image == 255)).mean() for image in images]))
