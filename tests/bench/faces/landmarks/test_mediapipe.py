from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.checks.toy_faces import draw_face
from bench.errors import DataError, UsageError
from bench.faces.landmarks.bundle import canonical_mesh
from bench.faces.landmarks.mediapipe import FaceLandmarker, Landmarks, why_unusable
from bench.faces.landmarks.points import angles, five_points, head_rotation, rotation, sixty_eight_points
from bench.images import resize
from bench.interfaces import ByteImages


def error(detected: Landmarks | None, truth: Landmarks, scale: float = 1.0) -> float:
    assert detected is not None
    return float(np.linalg.norm(detected.points[:, :2] / scale - truth.points[:, :2], axis=1).mean())


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (20, 0), (-20, 0), (0, 30), (0, -30)])
def test_the_points_of_a_drawn_head_are_found(
    place: Callable[..., Landmarks],
    mannequin: Callable[..., ByteImages],
    landmarker: FaceLandmarker,
    yaw: float,
    roll: float,
) -> None:
    truth = place(yaw, 0, roll)
    result = landmarker.find([mannequin(truth)])[0]
    assert error(result, truth) < 4.0, "of 200 pixels"
    assert result is not None and result.faces == 1 and result.confidence > 0.9
    assert result.points.shape == (478, 3) and result.expression.shape == (52,)
    assert result.yaw_deg == pytest.approx(yaw, abs=8) and result.roll_deg == pytest.approx(roll, abs=4)
    assert 0 <= result.expression.min() and result.expression.max() <= 1


def test_depth_is_negative_towards_the_camera(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker
) -> None:
    result = landmarker.find([mannequin(place())])[0]
    assert result is not None and result.points[1, 2] < result.points[[234, 454], 2].min() - 20


def test_every_cartoon_of_the_doctor_but_few_is_found(landmarker: FaceLandmarker) -> None:
    result = landmarker.find([draw_face(k, 0, 128) for k in range(20)])
    assert sum(face is not None for face in result) >= 18


def test_no_face_is_none_and_keeps_its_place(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 90, 3), np.uint8)
    flat = np.full((64, 64, 3), 128, np.uint8)
    first, second, third = landmarker.find([noise, mannequin(place()), flat])
    assert first is None and third is None and second is not None


def test_of_several_faces_the_largest_central_one_is_taken_and_the_number_is_reported(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker
) -> None:
    face = mannequin(place())
    scene = np.full((240, 480, 3), (70, 110, 150), np.uint8)
    scene[40:200, 0:160] = resize(face, 160, 160)
    scene[20:220, 220:420] = face
    result = landmarker.find([scene])[0]
    assert result is not None and result.faces == 2
    assert result.points[:, 0].mean() == pytest.approx(320, abs=10)
    assert why_unusable(result, 240, 480) == "several faces"


def test_a_grey_photograph_serves_too(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker
) -> None:
    truth = place()
    grey = np.repeat(mannequin(truth).mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert error(landmarker.find([grey])[0], truth) < 4.5


@pytest.mark.parametrize("side", [32, 64, 1600])
def test_points_follow_the_size_of_the_image(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker, side: int
) -> None:
    truth = place()
    result = landmarker.find([resize(mannequin(truth), side, side)])[0]
    assert error(result, truth, side / 200) < 6.0


def test_tiny_and_narrow_images_give_none_or_a_face_and_no_crash(landmarker: FaceLandmarker) -> None:
    shapes = [(2, 2), (2, 500), (500, 2), (3, 7)]
    assert landmarker.find([np.full((*shape, 3), 90, np.uint8) for shape in shapes]) == [None] * 4


@pytest.mark.parametrize(
    "image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32)]
)
def test_what_is_no_rgb_photograph_is_refused(landmarker: FaceLandmarker, image: np.ndarray) -> None:
    with pytest.raises(UsageError, match="A photograph is RGB, uint8"):
        landmarker.find([image])


def test_a_negative_padding_is_refused() -> None:
    with pytest.raises(UsageError, match="paddings"):
        FaceLandmarker(paddings=[-0.1])


def test_reasons_are_distinguished(place: Callable[..., Landmarks]) -> None:
    good = place()
    assert why_unusable(good, 200, 200) is None
    assert why_unusable(None, 200, 200) == "no face"
    assert why_unusable(replace(good, faces=3), 200, 200) == "several faces"
    assert why_unusable(replace(good, points=good.points + np.float32(70)), 200, 200) == "face cut by the border"
    assert why_unusable(place(60), 200, 200) == "not frontal"
    assert why_unusable(place(0, 55), 200, 200) == "not frontal"
    assert why_unusable(replace(good, yaw_deg=float("nan")), 200, 200) == "not frontal"


@settings(max_examples=50, deadline=None)
@given(st.floats(-85, 85), st.floats(-85, 85), st.floats(-170, 170))
def test_angles_undo_rotation(yaw: float, pitch: float, roll: float) -> None:
    assert angles(rotation(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_signs_of_the_angles_are_those_of_the_look() -> None:
    nose = np.array([0.0, 0.0, -1.0])
    assert (rotation(30) @ nose)[0] > 0, "positive yaw turns the face to the image's right"
    assert (rotation(0, 30) @ nose)[1] < 0, "positive pitch looks up"
    assert (rotation(0, 0, 30) @ [1.0, 0, 0])[1] > 0, "positive roll turns clockwise"


@settings(max_examples=20, deadline=None)
@given(st.floats(-80, 80), st.floats(-60, 60), st.floats(-90, 90))
def test_the_rigid_fit_finds_the_pose_it_was_given(
    place: Callable[..., Landmarks], yaw: float, pitch: float, roll: float
) -> None:
    pose = head_rotation(place(yaw, pitch, roll).points, canonical_mesh())
    assert angles(pose) == pytest.approx((yaw, pitch, roll), abs=1e-2)


def test_points_that_coincide_have_no_pose() -> None:
    with pytest.raises(DataError, match="head pose"):
        head_rotation(np.ones((478, 3), np.float32), canonical_mesh())


def test_five_points_stand_in_the_order_of_the_templates(place: Callable[..., Landmarks]) -> None:
    points = place().points
    for result in (five_points(points), five_points(sixty_eight_points(points))):
        left, right, nose, mouth_left, mouth_right = result
        assert left[0] < nose[0] < right[0] and mouth_left[0] < nose[0] < mouth_right[0]
        assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


def test_the_68_points_are_mirror_images_of_each_other(place: Callable[..., Landmarks]) -> None:
    points = sixty_eight_points(place().points)[:, :2] - [100, 100]
    swapped = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    swapped += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1)]
    swapped += [64, 63, 62, 61, 60, 67, 66, 65]
    np.testing.assert_allclose(points[swapped] * [-1, 1], points, atol=1e-3)


@pytest.mark.parametrize("view", [five_points, sixty_eight_points])
def test_another_number_of_points_is_refused(view) -> None:
    with pytest.raises(DataError, match="not 29"):
        view(np.zeros((29, 3), np.float32))
