"""`bench.hallucinate`: the pictures of the command, in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bench as suite
from bench.checks.toy_faces import draw_face
from bench.images import encode_png, read_image, resize

Bench = Callable[..., tuple[int, str, str]]


def test_a_face_is_the_picture_that_the_command_writes(bench: Bench, tmp_path: Path) -> None:
    tiny = resize(draw_face(0, 0, 64), 20, 20)
    (tmp_path / "tiny.png").write_bytes(encode_png(tiny))
    assert bench("hallucinate", tmp_path / "tiny.png", "--whole", "--out", tmp_path / "out")[0] == 0
    (of_array,) = suite.hallucinate(tiny, whole=True)
    (of_file,) = suite.hallucinate(tmp_path / "tiny.png", whole=True)
    written = read_image(tmp_path / "out" / "tiny.png")
    for face in (of_array, of_file):
        assert face.result is not None
        np.testing.assert_array_equal(face.result, written)
        assert face._repr_png_() == (tmp_path / "out" / "tiny-stages.png").read_bytes()
    assert "20 x 20 -> 128 x 128" in repr(of_array)


def test_a_face_is_shrunk_first_and_the_chain_sees_that() -> None:
    (face,) = suite.hallucinate(draw_face(1, 0, 64), "bicubic:size=32", whole=True, lr=8)
    assert face.face.shape == (64, 64, 3) and face.lr.shape == (8, 8, 3)
    assert face.result is not None and face.result.shape == (32, 32, 3)
    assert face.notes == ("shrunk to 8 x 8",)


def test_an_image_without_a_face_gives_an_empty_list() -> None:
    assert suite.hallucinate(np.zeros((64, 64, 3), np.uint8), "bicubic") == []


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_an_array_that_is_no_image_is_an_error(image: np.ndarray) -> None:
    with pytest.raises(suite.UsageError, match=r"expected uint8 \(h, w, 3\)"):
        suite.hallucinate(image, "bicubic", whole=True)


def test_a_side_that_is_out_of_range_and_an_unknown_hallucinator_are_errors() -> None:
    with pytest.raises(suite.UsageError, match="--lr is 1"):
        suite.hallucinate(np.zeros((8, 8, 3), np.uint8), "bicubic", lr=1)
    with pytest.raises(suite.UsageError, match="Did you mean 'bicubic'"):
        suite.hallucinate(np.zeros((8, 8, 3), np.uint8), "bicubik")
