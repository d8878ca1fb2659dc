"""Canaries: detectors of hallucinators that fail silently. A finding has a name and says what was seen.

`inspect_outputs` compares outputs with inputs. `inspect_again` hallucinates some images a second time, in another order
and other batches: an output must depend on its image alone. `inspect_gallery` compares outputs with gallery images: a
hallucinator that returns those measures what it remembers, not what it restores.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.images import resize
from bench.interfaces import ByteImages
from bench.pipeline.chain import Chain

Outputs = Sequence[ByteImages | None]
ImagePair = tuple[ByteImages, ByteImages]
"""An input and its output."""
INTERPOLATING = ("none", "bicubic")
"""Hallucinators that are plain interpolation by name."""

_EQUAL_LEVELS = 1.0  # grey levels: two roundings of one value differ by one at most
_MOST_SHARE = 0.9  # share of images in which a fault must show
_SWAP_GAIN = 0.7  # the error with swapped channels must be smaller than this share of the error without
_SWAP_MIN_LEVELS = 4.0  # grey levels: mean |red - blue| of an input must be larger for a swap to show

SECOND_PASS_IMAGES = 16
"""Images of the second pass, at most."""
SECOND_PASS_SECONDS = 10.0
"""After this time no further batch is begun; at least three images are compared."""
_SECOND_PASS_LEVELS = 2  # grey levels: rounding in a network differs with the batch, and so does that to 8 bits
_SECOND_PASS_SHARE = 0.1  # of the images: in a single one rounding may change a decision of the network
_SECOND_PASS_BATCHES = (1, 2, 3, 5, 5)

GALLERY_SIDE = 32
"""Pixels a side at which images are compared, in grey."""
_GALLERY_RULES = ((0.98, 0.05), (0.93, 0.25))
"""Correlation of an output and a gallery image, each without the part along the input, and the share of outputs (two at
least) that must reach it: few exact copies, or many noisy ones. Networks that restore reach 0.9 at most."""
_MIN_CONTRAST = 0.05  # share of an image's contrast: less is rounding, or the input is nearly the gallery image


class Finding(NamedTuple):
    """The name of a canary and what it saw."""

    name: str
    detail: str


def inspect_outputs(pairs: Sequence[ImagePair], *, interpolation_expected: bool = False) -> list[Finding]:
    """Compare the outputs of a chain with its inputs.

    Args:
        pairs: pairs of the decoded input and the output, RGB uint8 (h, w, 3) and (H, W, 3).
        interpolation_expected: the chain is plain interpolation, so equality with bicubic is no finding.

    Returns:
        Findings named ``output-equals-input``, ``output-equals-bicubic``, ``flat-output``, ``constant-output`` and
        ``swapped-channels``; empty where nothing is odd or there is no pair.
    """
    if not pairs:
        return []
    total = len(pairs)
    findings = []
    same = sum(_equal(lr, out) for lr, out in pairs)
    if same >= _MOST_SHARE * total:
        findings.append(Finding("output-equals-input", f"{same} of {total} outputs equal their input"))
    plain = sum(_equal(resize(lr, *out.shape[:2]), out) for lr, out in pairs)
    if plain >= _MOST_SHARE * total and same < _MOST_SHARE * total and not interpolation_expected:
        findings.append(Finding("output-equals-bicubic", f"{plain} of {total} outputs equal a bicubic resize"))
    flat = sum(
        bool(out.std(axis=(0, 1)).max() < _EQUAL_LEVELS) and bool(lr.std(axis=(0, 1)).max() >= _EQUAL_LEVELS)
        for lr, out in pairs
    )
    if flat >= _MOST_SHARE * total:
        findings.append(Finding("flat-output", f"{flat} of {total} outputs are one flat colour"))
    elif _all_alike([out for _, out in pairs]) and not _all_alike([lr for lr, _ in pairs]):
        findings.append(Finding("constant-output", f"all {total} outputs are the same image though the inputs differ"))
    swapped = sum(_fits_better_swapped(lr, out) for lr, out in pairs)
    if swapped > total / 2:
        findings.append(
            Finding("swapped-channels", f"{swapped} of {total} outputs fit their input with red and blue swapped")
        )
    return findings


def _equal(one: ByteImages, other: ByteImages) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(np.int16) - other).max()) <= _EQUAL_LEVELS


def _all_alike(images: Sequence[ByteImages]) -> bool:
    return len(images) > 1 and all(_equal(images[0], image) for image in images[1:])


def _fits_better_swapped(lr: ByteImages, out: ByteImages) -> bool:
    """Whether the output, shrunk to the input's size, fits it better with red and blue swapped; means are removed."""
    small = resize(out, *lr.shape[:2]).astype(np.float64)
    target = lr.astype(np.float64)
    if np.abs(target[..., 0] - target[..., 2]).mean() < _SWAP_MIN_LEVELS:
        return False
    return _error(small[..., ::-1], target) < _SWAP_GAIN * _error(small, target)


def _error(image: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float(np.abs((image - image.mean()) - (target - target.mean())).mean())


def inspect_again(
    chain: Chain,
    images: Sequence[ByteImages],
    outputs: Outputs,
    *,
    batch_size: int,
    fresh: Callable[[], Chain] | None = None,
) -> list[Finding]:
    """Hallucinate the first images again, without a cache, and compare with the outputs of the run.

    Where outputs agree, one pass is computed. Where they do not, more passes find out why.

    Args:
        chain: the chain of the run.
        images: its inputs, RGB uint8 (h, w, 3) each.
        outputs: of the run, RGB uint8 (H, W, 3) each, or None where it failed.
        batch_size: images in a batch of the run.
        fresh: builds the chain again, to distinguish a random output from a state; None does not.

    Returns:
        At most one finding: ``depends-on-batch``, ``keeps-state``, ``random-output``.
    """
    number = min(SECOND_PASS_IMAGES, len(images))
    places = list(range(number))[::-1]
    again: dict[int, ByteImages | None] = {}
    began = time.perf_counter()
    for size in _SECOND_PASS_BATCHES:
        part = places[len(again) : len(again) + size]
        if not part or (len(again) >= 3 and time.perf_counter() - began > SECOND_PASS_SECONDS):
            break
        again.update(zip(part, chain.hallucinate([images[i] for i in part], batch_size=size)[0], strict=True))
    compared = sorted(again)
    other = _count_unequal([again[i] for i in compared], [outputs[i] for i in compared])
    if not _are_many(other, len(compared)):
        return []
    seen = f"{other} of {len(compared)} first outputs differ from a second pass in another order and other batches"
    first, second = (chain.hallucinate([images[i] for i in compared], batch_size=batch_size)[0] for _ in range(2))
    if _count_unequal(first, second):
        if fresh is not None:
            one, two = (fresh().hallucinate([images[i] for i in compared], batch_size=batch_size)[0] for _ in range(2))
            if not _count_unequal(one, two):
                return [Finding("keeps-state", f"{seen}: an output depends on what was hallucinated before")]
            return [Finding("random-output", f"{seen}, and so do two fresh starts: an output is random")]
        return [Finding("random-output", f"{seen}, and so do two equal passes: an output is random, or keeps a state")]
    if _count_unequal(first, [again[i] for i in compared]):
        return [Finding("depends-on-batch", f"{seen}: an output depends on the images beside it, or on their order")]
    return [Finding("keeps-state", f"{seen}, which agrees with itself: an output depends on what was done before")]


def _are_many(number: int, total: int) -> bool:
    return number > 0 and number >= _SECOND_PASS_SHARE * total


def _count_unequal(one: Outputs, other: Outputs) -> int:
    """How many images differ by more than rounding."""
    return sum(not _within_rounding(a, b) for a, b in zip(one, other, strict=True))


def _within_rounding(one: ByteImages | None, other: ByteImages | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and int(np.abs(one.astype(np.int16) - other).max()) <= _SECOND_PASS_LEVELS


class Enrolled(NamedTuple):
    """A gallery image and its key."""

    key: str
    image: ByteImages


def inspect_gallery(pairs: Sequence[ImagePair], gallery: Sequence[Enrolled]) -> list[Finding]:
    """Compare outputs with gallery images, each without the part that the input explains.

    From an output and from every gallery image the projection on the input, on the mean output and on the mean gallery
    image is subtracted (least squares, in grey, at `GALLERY_SIDE` pixels), because all faces are alike. Where an output
    is a gallery image, or a mixture of one with the input, the residuals of both are equal. The residual of an input
    that is a gallery image is zero, so equal images on both sides are no finding.

    Args:
        pairs: pairs of input and output, RGB uint8.
        gallery: images of the gallery, of any size.

    Returns:
        ``returns-gallery``, or nothing.
    """
    if len(pairs) < 2 or len(gallery) < 2:
        return []
    faces = np.stack([_grey_vector(item.image) for item in gallery])
    outputs = [_grey_vector(out) for _, out in pairs]
    means = (faces.mean(axis=0), np.mean(outputs, axis=0))
    best = [
        _best_match(out, faces, _basis([_grey_vector(lr), *means])) for (lr, _), out in zip(pairs, outputs, strict=True)
    ]
    for least, share in _GALLERY_RULES:
        places = [place for score, place in best if score >= least]
        if len(places) >= max(2, share * len(pairs)):
            named = ", ".join(gallery[place].key for place in list(dict.fromkeys(places))[:3])
            what = f"{len(places)} of {len(pairs)} outputs are gallery images, or mixtures of one with the input"
            return [Finding("returns-gallery", f"{what} ({named})")]
    return []


def _best_match(out: NDArray[np.float64], faces: NDArray[np.float64], basis: NDArray[np.float64]) -> tuple[float, int]:
    """Highest correlation of the residuals of an output and a gallery image, and the place of that image."""
    residual = out - basis.T @ (basis @ out)
    size, sizes = float(np.linalg.norm(residual)), np.linalg.norm(faces, axis=1)
    left = np.sqrt(np.maximum(sizes**2 - np.square(faces @ basis.T).sum(axis=1), 0.0))
    usable = left > _MIN_CONTRAST * sizes
    if size <= _MIN_CONTRAST * float(np.linalg.norm(out)) or not usable.any():
        return 0.0, 0
    scores = np.where(usable, faces @ residual / np.maximum(left * size, 1e-12), -1.0)  # it is orthogonal to the basis
    place = int(scores.argmax())
    return float(scores[place]), place


def _basis(vectors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Orthonormal rows that span the vectors."""
    used = [vector for vector in vectors if np.linalg.norm(vector) > 0]
    if not used:
        return np.zeros((0, len(vectors[0])))
    _, sizes, rows = np.linalg.svd(np.stack(used), full_matrices=False)
    basis: NDArray[np.float64] = rows[sizes > 1e-6 * sizes[0]]
    return basis


def _grey_vector(image: ByteImages) -> NDArray[np.float64]:
    """Grey values at `GALLERY_SIDE` pixels a side, less their mean."""
    small = resize(image, GALLERY_SIDE, GALLERY_SIDE).astype(np.float64).mean(axis=2).ravel()
    centred: NDArray[np.float64] = small - small.mean()
    return centred
