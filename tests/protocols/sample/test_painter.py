"""The cartoon painter honours a look; points and boxes follow the pose; the video container is read elsewhere."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bench.errors import ContractError
from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from protocols.sample.avi import avi
from protocols.sample.cartoon import Cartoon
from protocols.sample.painter import face_box, five_points
from protocols.sample.photo import rotate_by_look

PAINT = Cartoon()
LOOK = Look(identity=5, variation=2, size=64)


def differs(one: Look, other: Look) -> float:
    a, b = PAINT([one, other])
    return float(np.abs(a.astype(int) - b).mean())


def test_equal_looks_give_equal_bytes_of_the_size_requested() -> None:
    for size in (16, 64, 200):
        first, again = PAINT([replace(LOOK, size=size), replace(LOOK, size=size)])
        assert first.shape == (size, size, 3) and first.dtype == np.uint8
        assert np.array_equal(first, again)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": 6},
        {"variation": 3},
        {"yaw_deg": 30.0},
        {"pitch_deg": 20.0},
        {"roll_deg": 20.0},
        {"illumination": 1},
        *({"expression": expression} for expression in EXPRESSIONS[1:]),
    ],
    ids=str,
)
def test_every_part_of_a_look_shows(change: dict[str, object]) -> None:
    assert differs(LOOK, replace(LOOK, **change)) > 0.3  # type: ignore[arg-type]


def test_an_expression_of_no_strength_is_neutral_and_grows_with_strength() -> None:
    for expression in EXPRESSIONS[1:]:
        assert differs(LOOK, replace(LOOK, expression=expression, strength=0.0)) == 0
        half, full = (differs(LOOK, replace(LOOK, expression=expression, strength=s)) for s in (0.4, 1.0))
        assert 0 < half < full


def test_a_lamp_on_the_left_lights_the_left() -> None:
    left, right = PAINT([replace(LOOK, illumination=1), replace(LOOK, illumination=18)])
    assert left[:, :32].mean() > 1.3 * left[:, 32:].mean()
    assert right[:, 32:].mean() > 1.3 * right[:, :32].mean()
    assert differs(LOOK, replace(LOOK, illumination=ILLUMINATIONS - 1)) == 0  # even light, both


def test_points_turn_right_with_yaw_up_with_pitch_and_clockwise_with_roll() -> None:
    level = PAINT.points(LOOK)
    assert (PAINT.points(replace(LOOK, yaw_deg=20.0))[:, 0] > level[:, 0]).all()
    assert (PAINT.points(replace(LOOK, pitch_deg=20.0))[:3, 1] < level[:3, 1]).all()
    tilted = PAINT.points(replace(LOOK, roll_deg=20.0))
    assert tilted[0, 1] < tilted[1, 1]  # clockwise: the eye on the left rises
    quarter = rotate_by_look(np.array([[0.0, 0.0, 1.0]]), Look(identity=1, yaw_deg=90.0))
    assert np.allclose(quarter, [[1.0, 0.0, 0.0]])


def test_a_painter_without_points_gets_nominal_ones_and_wrong_points_are_refused() -> None:
    nominal = five_points(lambda looks: PAINT(looks), LOOK)
    assert nominal.shape == (5, 2) and np.abs(nominal - PAINT.points(LOOK)).max() < 0.12 * 64

    class Wrong(Cartoon):
        def points(self, look: Look) -> np.ndarray:
            return np.full((5, 2), np.nan)

    with pytest.raises(ContractError, match=r"expected finite \(5, 2\)"):
        five_points(Wrong(), LOOK)


def test_a_face_box_is_worked_from_eyes_and_mouth() -> None:
    points = np.array([(40.0, 50.0), (60.0, 50.0), (50.0, 60.0), (42.0, 70.0), (58.0, 70.0)])
    # eyes to mouth 20, height 58, width 43.5, centre (50, 60) raised by 2.9
    assert face_box(points) == pytest.approx((28.25, 28.1, 71.75, 86.1))


def test_opencv_reads_every_frame_of_a_motion_jpeg_video(tmp_path: object) -> None:
    rng = np.random.default_rng(0)
    frames = [np.full((48, 64, 3), value, np.uint8) for value in (10, 90, 170, 250)]
    frames.append(rng.integers(0, 256, (48, 64, 3), np.uint8))
    path = f"{tmp_path}/a.avi"
    data = avi(frames, per_second=24)
    with open(path, "wb") as file:
        file.write(data)
    reader = cv2.VideoCapture(path)
    assert reader.get(cv2.CAP_PROP_FPS) == 24 and reader.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    for frame in frames[:4]:
        there, result = reader.read()
        assert there and np.abs(result.astype(int) - frame).max() <= 2
    assert reader.read()[0] and not reader.read()[0]
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
