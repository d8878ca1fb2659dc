"""Does a hallucinator show images of the gallery? Then recognition measures what it remembers, not what it restores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.images import resize
from bench.interfaces import ByteImages
from bench.pipeline.output_checks import Finding, View

SIDE = 32
"""Pixels a side at which images are compared, in grey."""
_RULES = ((0.98, 0.05), (0.93, 0.25))
"""Correlation of what an output and a gallery image have beside the input, and the share of outputs, two at least, that
must have it: few exact copies, or many that are noisy. Networks that restore have 0.9 at most."""
_LEAST = 0.05  # share of an image's contrast: less is rounding, or an input that is nearly the gallery image itself


class Enrolled(NamedTuple):
    """A gallery image and its key."""

    key: str
    image: ByteImages


def inspect_gallery(views: Sequence[View], gallery: Sequence[Enrolled]) -> list[Finding]:
    """Compare outputs with gallery images, each without what the input shows already.

    From an output and from every gallery image the part along the plain input is taken off (least squares, in grey, at
    `SIDE` pixels), and the part along the average output and the average gallery image as well: faces are alike as
    faces. Where an output is a gallery image, or a mixture of one with the input, what is left of both is the same. An
    input that is a gallery image leaves nothing of it, so equal images on both sides are no finding.

    Args:
        views: pairs of input and output, RGB uint8.
        gallery: images of the gallery, of any size.

    Returns:
        ``returns-gallery``, or nothing.
    """
    if len(views) < 2 or len(gallery) < 2:
        return []
    faces = np.stack([_vector(item.image) for item in gallery])
    outputs = [_vector(out) for _, out in views]
    usual = (faces.mean(axis=0), np.mean(outputs, axis=0))
    best = [_best(out, faces, _basis([_vector(lr), *usual])) for (lr, _), out in zip(views, outputs, strict=True)]
    for least, share in _RULES:
        places = [place for score, place in best if score >= least]
        if len(places) >= max(2, share * len(views)):
            named = ", ".join(gallery[place].key for place in list(dict.fromkeys(places))[:3])
            what = f"{len(places)} of {len(views)} outputs are gallery images, or mixtures of one with the input"
            return [Finding("returns-gallery", f"{what} ({named})")]
    return []


def _best(out: NDArray[np.float64], faces: NDArray[np.float64], basis: NDArray[np.float64]) -> tuple[float, int]:
    """Highest correlation of what an output and a gallery image have beside the basis, and which image it is."""
    rest = out - basis.T @ (basis @ out)
    size, sizes = float(np.linalg.norm(rest)), np.linalg.norm(faces, axis=1)
    left = np.sqrt(np.maximum(sizes**2 - np.square(faces @ basis.T).sum(axis=1), 0.0))
    usable = left > _LEAST * sizes
    if size <= _LEAST * float(np.linalg.norm(out)) or not usable.any():
        return 0.0, 0
    scores = np.where(usable, faces @ rest / np.maximum(left * size, 1e-12), -1.0)  # the rest is at right angles
    place = int(scores.argmax())
    return float(scores[place]), place


def _basis(vectors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Orthonormal rows that span the vectors."""
    used = [vector for vector in vectors if np.linalg.norm(vector) > 0]
    if not used:
        return np.zeros((0, len(vectors[0])))
    _, sizes, rows = np.linalg.svd(np.stack(used), full_matrices=False)
    found: NDArray[np.float64] = rows[sizes > 1e-6 * sizes[0]]
    return found


def _vector(image: ByteImages) -> NDArray[np.float64]:
    """Grey values at `SIDE` pixels a side, about their mean."""
    small = resize(image, SIDE, SIDE).astype(np.float64).mean(axis=2).ravel()
    centred: NDArray[np.float64] = small - small.mean()
    return centred
