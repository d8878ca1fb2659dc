"""Whether a network may take several images at once: each row must be what its image alone gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import ContractError
from bench.interfaces import ByteImages, FloatImages
from bench.recognisers.networks.network_file import check_embedding_size

BATCH = 8
"""Images a call: larger batches push the activations out of the processor's cache and run slower."""
MIXES = "an embedding depends on the other images of its batch"
"""Why images go one by one."""
_TOLERANCE = 1e-4  # of a row's largest value: rounding stays below, what leaks from other images of a batch above


def distinct_images(height: int, width: int, count: int = BATCH) -> ByteImages:
    """Images that differ in brightness, colour, shape and grain; uint8 (``count``, H, W, 3)."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    images = []
    for index in range(count):
        middle, colours = generator.uniform(0.3, 0.7, 2), generator.uniform(20, 235, (2, 3))
        disc = np.hypot(x - middle[0], y - middle[1]) < generator.uniform(0.2, 0.4)
        slope = (x * np.cos(index) + y * np.sin(index)) * generator.uniform(0, 80)
        grain = generator.normal(0, 12, (height, width, 3))
        images.append(np.where(disc[..., None], colours[0], colours[1]) + slope[..., None] + grain)
    return np.rint(images).clip(0, 255).astype(np.uint8)


def are_equal_rows(together: FloatImages, alone: FloatImages) -> bool:
    """Whether two (N, D) arrays are equal but for rounding, row by row."""
    gap = np.abs(together - alone).max(axis=1)
    return bool((gap <= _TOLERANCE * np.abs(alone).max(axis=1)).all())


def embedding_rows(output: Any, count: int, path: Path, *, bare: bool = False) -> FloatImages:
    """The output of a network as one row an image.

    Args:
        output: what it gave.
        count: images that went in.
        path: the network's file, for errors.
        bare: whether the output has no batch axis.

    Returns:
        float32 (``count``, D), contiguous.

    Raises:
        ContractError: the output has another number of rows, or is empty.
        DataError: a row is one number.
    """
    rows = output[None] if bare else output
    if rows.ndim < 1 or len(rows) != count or rows.size == 0:
        raise ContractError(f"The network {path} gave an output of shape {output.shape} for {count} images")
    flat: FloatImages = np.ascontiguousarray(rows.reshape(count, -1), np.float32)
    check_embedding_size(flat.shape[1], path)
    return flat


def mixing_note(path: Path) -> str:
    """The sentence on a network whose rows mix, beside its figures."""
    return (
        f"{path.name}: the embedding of an image depends on the others of its batch (was it exported in "
        "training mode?); images were passed one by one."
    )
