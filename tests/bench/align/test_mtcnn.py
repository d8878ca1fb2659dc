from __future__ import annotations

import numpy as np
import pytest

from bench.align import mtcnn
from bench.align.mtcnn import Mtcnn, _most_central
from bench.align.none import whole_image
from bench.align.templates import ARCFACE_112
from bench.errors import MissingError, UsageError
from bench.images import resize
from bench.interfaces import ALIGNERS
from bench.types import OK, Outcome

if mtcnn._missing():
    pytest.skip("facenet-pytorch, which carries MTCNN's weights, is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def aligner() -> Mtcnn:
    return Mtcnn()


def test_the_eyes_come_to_the_template_at_any_size(aligner: Mtcnn, astronaut: np.ndarray) -> None:
    images = [astronaut, resize(astronaut, 32, 32)]
    chips, outcomes = aligner.align(images, [None, None], ARCFACE_112)
    assert outcomes == [OK, OK]
    assert chips.shape == (2, 112, 112, 3)
    large, small = (np.array(points) for points in aligner.find(images))
    np.testing.assert_allclose((small + 0.5) * 200 / 32 - 0.5, large, atol=8)
    assert np.corrcoef(chips[0].ravel(), chips[1].ravel())[0, 1] > 0.9


def test_the_points_move_with_the_image(aligner: Mtcnn, astronaut: np.ndarray) -> None:
    (before,) = aligner.find([astronaut])
    (after,) = aligner.find([astronaut[12:, 8:]])
    np.testing.assert_allclose(np.array(before) - (8, 12), after, atol=3)


def test_an_image_without_a_face_falls_back_to_the_whole_image(aligner: Mtcnn) -> None:
    image = np.full((40, 17, 3), 90, np.uint8)
    chips, outcomes = aligner.align([image], [None], ARCFACE_112)
    assert outcomes == [Outcome("fallback", "align", "face not found")]
    assert np.array_equal(chips[0], whole_image(image, ARCFACE_112))


def test_a_chip_depends_on_its_own_image_alone(aligner: Mtcnn, astronaut: np.ndarray) -> None:
    images = [resize(astronaut, side, side) for side in (24, 36, 24)] + [np.zeros((9, 30, 3), np.uint8)]
    together, _ = aligner.align(images, [None] * 4, ARCFACE_112)
    for index, image in enumerate(images):
        assert np.array_equal(aligner.align([image], [None], ARCFACE_112)[0][0], together[index])


def test_the_central_face_is_taken_unless_another_is_much_larger() -> None:
    central, corner, huge = (60, 60, 100, 100), (0, 0, 42, 42), (0, 0, 150, 150)
    assert _most_central(np.array([corner, central], float), 160) == 1
    assert _most_central(np.array([central, huge], float), 160) == 1


@pytest.mark.parametrize("arguments", [{"margin": 0.5}, {"margin": -0.1}, {"min_face": 8}, {"upscale_to": 30}])
def test_arguments_out_of_range_are_a_usage_error(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="margin must be in"):
        ALIGNERS["mtcnn"].create(arguments)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtcnn, "_NETS", ("data/no-such-file.pt",))
    assert "pip install facenet-pytorch" in (mtcnn._missing() or "")
    with pytest.raises(MissingError, match="pip install facenet-pytorch"):
        Mtcnn()


def test_the_weights_of_all_three_networks_are_recorded(aligner: Mtcnn) -> None:
    assert [weights.name for weights in aligner.weights] == ["pnet.pt", "rnet.pt", "onet.pt"]
