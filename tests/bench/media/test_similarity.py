from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.align.landmarks import GivenLandmarks
from bench.align.none import whole_image
from bench.align.templates import ARCFACE_112
from bench.errors import DataError
from bench.media.similarity import fit_similarity, resized_points, warp, warp_bicubic
from bench.types import OK, FaceTemplate, Outcome

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (5.0, 5.0))
coordinates = st.tuples(st.floats(-500, 500), st.floats(-500, 500))


def apply(matrix: np.ndarray, points: object) -> np.ndarray:
    return np.asarray(points, float) @ matrix[:, :2].T + matrix[:, 2]


def test_a_quarter_turn_with_doubling_and_shift_is_found() -> None:
    # (x, y) -> (-2y + 30, 2x + 4), worked by hand
    target = tuple((-2 * y + 30, 2 * x + 4) for x, y in SQUARE)
    np.testing.assert_allclose(fit_similarity(SQUARE, target), [[0, -2, 30], [2, 0, 4]], atol=1e-12)


@given(st.lists(coordinates, min_size=5, max_size=5), st.lists(coordinates, min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_it_equals_scikit_images_estimate(source: list, target: list) -> None:
    from skimage.transform import SimilarityTransform

    if np.std(source, axis=0).max() < 1 or np.std(target, axis=0).max() < 1:
        return
    ours = fit_similarity(tuple(source), tuple(target))
    theirs = SimilarityTransform.from_estimate(np.array(source), np.array(target))
    # on noise the best matrix may not be unique; what it leaves over must not be more than theirs
    residual = np.square(apply(ours, source) - target).sum()
    reference = np.square(apply(theirs.params[:2], source) - target).sum()
    assert residual <= reference * (1 + 1e-6) + 1e-6


def test_on_a_face_it_equals_scikit_images_matrix() -> None:
    from skimage.transform import SimilarityTransform

    face = ((30.0, 41.0), (66.0, 37.5), (50.5, 60.0), (36.0, 80.5), (69.0, 77.0))
    theirs = SimilarityTransform.from_estimate(np.array(face), np.array(ARCFACE_112.points))
    np.testing.assert_allclose(fit_similarity(face, ARCFACE_112.points), theirs.params[:2], atol=1e-9)


def test_mirrored_points_are_not_met_by_a_reflection() -> None:
    mirrored = tuple((-x, y) for x, y in SQUARE[:4]) + ((-5.0, 2.0),)
    matrix = fit_similarity(SQUARE[:4] + ((5.0, 2.0),), mirrored)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (((1.0, 1.0),) * 5, SQUARE),
        (SQUARE, ((1.0, 1.0),) * 5),
        (((float("nan"), 0.0), *SQUARE[1:]), SQUARE),
        (SQUARE[:4], SQUARE),
        (SQUARE[:1], SQUARE[:1]),
    ],
)
def test_points_that_fix_no_similarity_are_a_data_error(source: tuple, target: tuple) -> None:
    with pytest.raises(DataError, match="A similarity needs"):
        fit_similarity(source, target)


def test_the_identity_leaves_the_image_and_a_shift_leaves_black() -> None:
    image = np.random.default_rng(0).integers(1, 256, (8, 6, 3), dtype=np.uint8)
    face = FaceTemplate(8, 6, SQUARE)
    assert np.array_equal(warp(image, np.array([[1.0, 0, 0], [0, 1, 0]]), face), image)
    shifted = warp(image, np.array([[1.0, 0, 2], [0, 1, 0]]), face)
    assert np.array_equal(shifted[:, 2:], image[:, :4])
    assert not shifted[:, :2].any()


def test_landmarks_are_brought_to_the_template() -> None:
    # bright blobs at the landmarks of a turned face must show up at the template's points
    angle, scale = 0.3, 1.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.array(ARCFACE_112.points) @ turn.T + (40, 5)
    image = np.zeros((240, 240, 3), np.uint8)
    for x, y in points.round().astype(int):
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
    landmarks = tuple((float(x), float(y)) for x, y in points)
    chips, outcomes = GivenLandmarks().align([image], [landmarks], ARCFACE_112)
    assert outcomes == [OK]
    for x, y in ARCFACE_112.points:
        assert chips[0, round(y), round(x)].min() > 200
    assert chips.mean() < 40


def test_an_image_without_landmarks_falls_back_and_is_counted() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    chips, outcomes = GivenLandmarks().align([image, image], [None, ((3.0, 3.0),) * 5], ARCFACE_112)
    assert outcomes == [
        Outcome("fallback", "align", "no landmarks given"),
        Outcome("fallback", "align", "landmarks unusable"),
    ]
    assert np.array_equal(chips[0], whole_image(image, ARCFACE_112))
    assert np.array_equal(chips[1], chips[0])


def test_points_follow_a_resized_image_from_edge_to_edge() -> None:
    assert resized_points(((0, 0), (-0.5, 15.5)), (16, 16, 3), (128, 64, 3)) == ((1.5, 3.5), (-0.5, 127.5))
    # the centre of the 8 x 8 block at the corner is the centre of the first LR pixel
    assert resized_points(((3.5, 3.5), (11.5, 3.5)), (128, 128), (16, 16)) == ((0.0, 0.0), (1.0, 0.0))


def test_beyond_its_border_a_bicubic_warp_shows_the_mirror_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    assert np.array_equal(warp_bicubic(image, np.eye(2, 3), 6), image)
    shifted = warp_bicubic(image, np.array([[1.0, 0, 2], [0, 1, 0]]), 6)
    assert np.array_equal(shifted, image[:, [2, 1, 0, 1, 2, 3]])
