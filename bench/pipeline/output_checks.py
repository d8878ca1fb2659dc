"""Detectors of hallucinators that fail silently: each finding has a name and says what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.images import resize
from bench.interfaces import ByteImages

View = tuple[ByteImages, ByteImages]
INTERPOLATING = ("none", "bicubic")
"""Hallucinators that are plain interpolation by name."""

_SAME = 1.0  # grey levels: two roundings of one value may differ by one
_MOST = 0.9  # share of images that makes a habit
_SWAP_GAIN = 0.7  # swapped channels must fit that much better before we speak of a swap
_SWAP_LEVELS = 4.0  # and the colours must matter: mean |red - blue| of the input, grey levels


class Finding(NamedTuple):
    """Something a reader must know: the canary's name and what was seen."""

    name: str
    detail: str


def inspect_outputs(views: Sequence[View], *, interpolation_expected: bool = False) -> list[Finding]:
    """Look at what a chain made of its inputs.

    Args:
        views: pairs of the decoded input and the output, RGB uint8 (h, w, 3) and (H, W, 3).
        interpolation_expected: the chain is plain interpolation, so that finding is not one.

    Returns:
        Findings named ``output-equals-input``, ``output-equals-bicubic``, ``flat-output``, ``constant-output`` and
        ``swapped-channels``; empty when nothing is odd or there is nothing to look at.
    """
    if not views:
        return []
    total = len(views)
    findings = []
    same = sum(_equal(lr, out) for lr, out in views)
    if same >= _MOST * total:
        findings.append(Finding("output-equals-input", f"{same} of {total} outputs equal their input"))
    plain = sum(_equal(resize(lr, *out.shape[:2]), out) for lr, out in views)
    if plain >= _MOST * total and same < _MOST * total and not interpolation_expected:
        findings.append(Finding("output-equals-bicubic", f"{plain} of {total} outputs equal a bicubic resize"))
    flat = sum(
        bool(out.std(axis=(0, 1)).max() < _SAME) and bool(lr.std(axis=(0, 1)).max() >= _SAME) for lr, out in views
    )
    if flat >= _MOST * total:
        findings.append(Finding("flat-output", f"{flat} of {total} outputs are one flat colour"))
    elif _all_alike([out for _, out in views]) and not _all_alike([lr for lr, _ in views]):
        findings.append(Finding("constant-output", f"all {total} outputs are the same image though the inputs differ"))
    swapped = sum(_fits_better_swapped(lr, out) for lr, out in views)
    if swapped > total / 2:
        findings.append(
            Finding("swapped-channels", f"{swapped} of {total} outputs fit their input with red and blue swapped")
        )
    return findings


def _equal(one: ByteImages, other: ByteImages) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(np.int16) - other).max()) <= _SAME


def _all_alike(images: Sequence[ByteImages]) -> bool:
    return len(images) > 1 and all(_equal(images[0], image) for image in images[1:])


def _fits_better_swapped(lr: ByteImages, out: ByteImages) -> bool:
    """Whether the output, shrunk to the input's size, fits it better with red and blue swapped; mean grey set aside."""
    small = resize(out, *lr.shape[:2]).astype(np.float64)
    target = lr.astype(np.float64)
    if np.abs(target[..., 0] - target[..., 2]).mean() < _SWAP_LEVELS:
        return False
    return _error(small[..., ::-1], target) < _SWAP_GAIN * _error(small, target)


def _error(image: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float(np.abs((image - image.mean()) - (target - target.mean())).mean())
