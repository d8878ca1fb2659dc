"""LR faces are made in one place, and single faces and batches agree."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bench.media.crop import cut_out
from bench.media.low_resolution import to_low_resolution, to_low_resolution_batch
from bench.types import Cut

FACES = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)


@pytest.mark.parametrize("side", [12, 16, 32])
def test_an_lr_face_is_pillows_antialiased_bicubic_rounded_once(side: int) -> None:
    expected = np.asarray(Image.fromarray(FACES[0]).resize((side, side), Image.Resampling.BICUBIC))
    assert np.abs(to_low_resolution(FACES[0], side).astype(int) - expected).max() <= 1


def test_the_cut_of_a_protocol_shrinks_the_same_way() -> None:
    assert np.array_equal(cut_out(FACES[1], Cut(side=16)), to_low_resolution(FACES[1], 16))


def test_a_batch_for_training_differs_from_single_faces_by_one_grey_level_at_most() -> None:
    batch = to_low_resolution_batch(FACES, 16)
    assert batch.dtype == np.float32 and batch.shape == (3, 3, 16, 16)
    single = np.stack([to_low_resolution(face, 16) for face in FACES]).transpose(0, 3, 1, 2)
    assert np.abs(np.rint(batch * 255) - single).max() <= 1
    assert np.array_equal(batch, np.rint(batch * 255).astype(np.float32) / np.float32(255))
