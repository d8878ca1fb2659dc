from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bench.align import yunet
from bench.align.none import whole_image
from bench.align.templates import ARCFACE_112
from bench.align.yunet import YuNet
from bench.errors import DataError, MissingError, UsageError
from bench.images import resize
from bench.interfaces import ALIGNERS
from bench.pipeline.build import build
from bench.registry import Spec
from bench.types import OK, Outcome


@pytest.fixture(scope="module")
def aligner() -> YuNet:
    return YuNet()


def test_the_face_comes_to_the_template_at_any_size(aligner: YuNet, astronaut: np.ndarray) -> None:
    images = [astronaut, resize(astronaut, 32, 32)]
    chips, outcomes = aligner.align(images, [None, None], ARCFACE_112)
    assert outcomes == [OK, OK]
    assert chips.shape == (2, 112, 112, 3) and chips.dtype == np.uint8
    large, small = (np.array(points) for points in aligner.find(images))
    np.testing.assert_allclose((small + 0.5) * 200 / 32 - 0.5, large, atol=8)
    assert np.corrcoef(chips[0].ravel(), chips[1].ravel())[0, 1] > 0.8


def test_its_points_are_where_mtcnn_sees_them_and_in_that_order(aligner: YuNet, astronaut: np.ndarray) -> None:
    from bench.align import mtcnn

    if mtcnn._missing():
        pytest.skip("facenet-pytorch, which carries MTCNN's weights, is not installed")
    (seen,), (other,) = aligner.find([astronaut]), mtcnn.Mtcnn().find([astronaut])
    np.testing.assert_allclose(np.array(seen), np.array(other), atol=6)


def test_the_points_move_with_the_image(aligner: YuNet, astronaut: np.ndarray) -> None:
    (before,) = aligner.find([astronaut])
    (after,) = aligner.find([astronaut[12:, 8:]])
    np.testing.assert_allclose(np.array(before) - (8, 12), after, atol=6)  # its points are coarser than MTCNN's


def test_of_two_faces_the_one_nearest_to_the_middle_of_the_picture_is_taken(
    aligner: YuNet, astronaut: np.ndarray
) -> None:
    """The other one is a little larger and as clear, so neither size nor score would choose this one."""
    wall = np.full((220, 500, 3), 120, np.uint8)
    wall[10:210, :200] = astronaut
    wall[40:200, 260:420] = resize(astronaut, 160, 160)
    (points,) = aligner.find([wall])
    assert np.array(points)[:, 0].min() > 260
    (points,) = aligner.find([wall[:, :260]])
    assert np.array(points)[:, 0].max() < 200


def test_an_image_without_a_face_falls_back_to_the_whole_image(aligner: YuNet) -> None:
    image = np.full((40, 17, 3), 90, np.uint8)
    chips, outcomes = aligner.align([image], [None], ARCFACE_112)
    assert outcomes == [Outcome("fallback", "align", "face not found")]
    assert np.array_equal(chips[0], whole_image(image, ARCFACE_112))


def test_a_chip_depends_on_its_own_image_alone(aligner: YuNet, astronaut: np.ndarray) -> None:
    images = [resize(astronaut, side, side) for side in (24, 36, 24)] + [np.zeros((9, 30, 3), np.uint8)]
    together, _ = aligner.align(images, [None] * 4, ARCFACE_112)
    for index, image in enumerate(images):
        assert np.array_equal(aligner.align([image], [None], ARCFACE_112)[0][0], together[index])


def test_a_threshold_near_one_finds_no_face_in_a_tiny_image(astronaut: np.ndarray) -> None:
    tiny = resize(astronaut, 24, 24)
    assert YuNet(threshold=0.3).find([tiny]) != [None]
    assert YuNet(threshold=0.99).find([tiny]) == [None]


def test_threads_change_neither_the_points_nor_those_of_others(astronaut: np.ndarray) -> None:
    before = cv2.getNumThreads()
    assert YuNet(threads=1).find([astronaut]) == YuNet(threads=2).find([astronaut])
    assert cv2.getNumThreads() == before
    prints = [build(ALIGNERS, Spec.parse("yunet"), {"threads": number}).fingerprint for number in (1, 2)]
    assert prints[0] == prints[1]


@pytest.mark.parametrize("arguments", [{"margin": 0.5}, {"margin": -0.1}, {"upscale_to": 31}, {"threshold": 0.0}])
def test_arguments_out_of_range_are_a_usage_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="upscale_to at least 32"):
        ALIGNERS["yunet"].create(arguments)


def test_the_file_that_ships_is_the_published_one_and_its_card_names_its_digest() -> None:
    digest = hashlib.sha256(yunet.MODEL.read_bytes()).hexdigest()
    assert digest == "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"
    assert digest in yunet.MODEL.with_suffix(".md").read_text(encoding="utf-8")


def test_without_its_file_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(yunet, "MODEL", tmp_path / "absent.onnx")
    assert "weights=PATH" in (yunet._missing() or "")
    with pytest.raises(MissingError, match="weights=PATH"):
        YuNet()
    with pytest.raises(MissingError, match="does not exist"):
        YuNet(weights=Path("absent.onnx"))


def test_another_file_is_refused_when_it_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(DataError, match="face_detection_yunet_2023mar"):
        YuNet(weights=path).find([np.zeros((40, 40, 3), np.uint8)])
    assert capfd.readouterr().err == ""


def test_another_network_is_refused_too() -> None:
    from bench.recognisers import sface

    with pytest.raises(DataError, match="face_detection_yunet_2023mar"):
        YuNet(weights=sface.MODEL).find([np.zeros((40, 40, 3), np.uint8)])


def test_its_weights_are_recorded_with_their_digest(aligner: YuNet) -> None:
    (file,) = aligner.weights
    assert file.name == "face_detection_yunet_2023mar_int8bq.onnx" and len(file.sha256) == 64


def test_nothing_is_written_to_stderr(aligner: YuNet, astronaut: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    YuNet().find([astronaut])
    assert capfd.readouterr().err == ""
