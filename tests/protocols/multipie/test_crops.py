"""Crops of Multi-PIE: TP-GAN's rule by hand, usual squares where no points are, the user's .5pt files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from bench.images import ByteImages, encode_png
from bench.media.crop import cut_out
from bench.types import Points
from protocols.multipie.crops import choose_crops, similarity, square_of
from protocols.multipie.files import Shot, Take
from protocols.multipie.landmarks import detect_points, read_5pt

# eyes 60 apart and level at (300, 200), mouth 72 lower: 48 / 72 = 2 / 3
LEVEL: Points = ((270.0, 200.0), (330.0, 200.0), (300.0, 240.0), (280.0, 272.0), (320.0, 272.0))


def turned(points: Points, degrees: float) -> Points:
    """About the middle of the eyes."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    centre = np.mean(points[:2], axis=0)
    return tuple((float(x), float(y)) for x, y in (np.array(points) - centre) @ turn.T + centre)


def moved(points: Points, scale: float = 1.0, shift: float = 0.0) -> Points:
    return tuple((x * scale + shift, y * scale) for x, y in points)


def take(number: int, camera: str = "05_1") -> Take:
    return Take(200 + number, 1, 1, camera)


@pytest.mark.parametrize("degrees", [0.0, 12.0, -25.0])
def test_the_crop_levels_the_eyes_and_puts_them_and_the_mouth_where_tp_gan_does(degrees: float) -> None:
    matrix = similarity(turned(LEVEL, degrees))
    laid = np.array(turned(LEVEL, degrees)) @ matrix[:, :2].T + matrix[:, 2]
    by_hand = [(44, 40), (84, 40), (64, 40 + 80 / 3), (64 - 40 / 3, 88), (64 + 40 / 3, 88)]
    assert np.abs(laid - by_hand).max() < 1e-9


def test_eyes_in_the_other_order_give_the_same_crop() -> None:
    swapped = (LEVEL[1], LEVEL[0], *LEVEL[2:])
    assert np.allclose(similarity(turned(swapped, 9)), similarity(turned(LEVEL, 9)))


@pytest.mark.parametrize("points", [LEVEL[::-1], LEVEL[:4], (*LEVEL[:4], (math.nan, 1.0))])
def test_points_that_give_no_crop_are_refused(points: Points) -> None:
    with pytest.raises(DataError):
        similarity(points)


def test_a_cut_shows_the_points_where_its_landmarks_say() -> None:
    image = np.full((480, 640, 3), 30, np.uint8)
    points = turned(LEVEL, 10)
    for x, y in points:
        image[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4] = 255
    result, distrusted = choose_crops({take(1): points})
    assert not distrusted
    for lr in (0, 32):
        face = cut_out(image, result[take(1)].cut(lr))
        assert face.shape == ((lr or 128), (lr or 128), 3)
        for x, y in result[take(1)].landmarks(lr) or ():
            assert face[round(y), round(x), 0] > 120


def test_a_face_without_points_gets_the_square_usual_in_its_camera() -> None:
    result: dict[Take, Points | None] = {take(n): moved(LEVEL, shift=n) for n in range(3)}
    result |= {take(n, "05_0"): moved(LEVEL, shift=100 + n) for n in range(3)}
    result[take(9)] = None
    outcome, distrusted = choose_crops(result)
    crop, usual = outcome[take(9)], square_of(moved(LEVEL, shift=1))
    assert not distrusted and crop.points is None and crop.landmarks(16) is None
    assert crop.square and crop.square == pytest.approx(usual, abs=0.01)
    # by hand: 128 / (2/3) = 192 wide; the crop's middle is 23.5 below the eyes and half a pixel left of them
    assert usual == pytest.approx((301 - 0.75, 200 + 23.5 * 1.5, 192))
    assert crop.cut(16).box == pytest.approx((300.25 + 0.5 - 96, 235.25 + 0.5 - 96, 192, 192), abs=0.01)
    assert (crop.cut(16).side, crop.cut(0).side) == (16, 128)


def test_a_box_and_points_of_the_same_face_cut_the_same_picture() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    image: ByteImages = np.kron(coarse, np.ones((40, 40, 1), np.uint8))
    result: dict[Take, Points | None] = {take(n): LEVEL for n in range(3)}
    outcome, _ = choose_crops({**result, take(9): None})
    by_points = cut_out(image, outcome[take(0)].cut(16)).astype(float)
    by_box = cut_out(image, outcome[take(9)].cut(16)).astype(float)
    assert np.abs(by_points - by_box).mean() < 6


def test_a_camera_in_which_no_face_was_found_takes_the_nearest_one() -> None:
    result: dict[Take, Points | None] = {take(n, "20_0"): moved(LEVEL, shift=50) for n in range(3)}
    result |= {take(n, "05_1"): LEVEL for n in range(3)}
    outcome, _ = choose_crops({**result, take(1, "24_0"): None, take(1, "14_0"): None})
    assert outcome[take(1, "24_0")].square == crop_square(moved(LEVEL, shift=50))
    assert outcome[take(1, "14_0")].square == crop_square(LEVEL)


def crop_square(points: Points) -> object:
    result, _ = choose_crops({take(0): points, take(1): None})
    return result[take(1)].square


@pytest.mark.parametrize(
    "odd",
    [turned(LEVEL, 40), moved(LEVEL, 0.5), moved(LEVEL, shift=150), LEVEL[::-1]],
    ids="tilt scale place up".split(),
)
def test_points_that_differ_from_the_usual_ones_are_refused(odd: Points) -> None:
    result: dict[Take, Points | None] = {take(n): moved(LEVEL, shift=n) for n in range(5)}
    outcome, distrusted = choose_crops({**result, take(9): odd})
    assert distrusted == 1 and outcome[take(9)].points is None and outcome[take(0)].points is not None


def test_no_face_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="No face was detected in any of 1 takes"):
        choose_crops({take(1): None})
    assert choose_crops({}) == ({}, 0)


@pytest.fixture
def shots(tmp_path: Path) -> dict[Take, list[Shot]]:
    """Two takes of three shots; the value of their first pixel is the shot."""
    result: dict[Take, list[Shot]] = {}
    for number in (1, 2):
        for shot in (0, 6, 7):
            path = tmp_path / "data" / f"{take(number).key}_{shot:02d}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encode_png(np.full((48, 64, 3), 10 * number + shot, np.uint8)))
            result.setdefault(take(number), []).append(Shot(take(number), shot, path))
    return result


def test_the_best_lit_shot_is_looked_at_first_and_others_only_where_it_shows_no_face(
    shots: dict[Take, list[Shot]], tmp_path: Path
) -> None:
    seen: list[int] = []

    def look(image: ByteImages) -> Points | None:
        seen.append(int(image[0, 0, 0]))
        return LEVEL if image[0, 0, 0] in (16, 27) else None

    result = detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: look, engine=lambda: "a")
    assert result.points == {take(1): LEVEL, take(2): LEVEL} and seen == [16, 26, 27]
    assert detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: look, engine=lambda: "a") == result
    assert len(seen) == 3
    detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: look, engine=lambda: "b")  # another engine looks anew
    assert len(seen) == 6
    shots[take(1)][1].path.write_bytes(encode_png(np.full((48, 64, 3), 99, np.uint8)))  # so does a changed image
    changed = detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: look, engine=lambda: "a")
    assert changed.points[take(1)] is None and len(seen) > 6


def test_a_damaged_image_is_passed_over_and_a_damaged_record_is_made_again(
    shots: dict[Take, list[Shot]], tmp_path: Path
) -> None:
    shots[take(1)][1].path.write_bytes(b"damaged")
    result = detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: lambda image: LEVEL, engine=lambda: "a")
    assert result.points[take(1)] == LEVEL
    (record,) = (tmp_path / "s").iterdir()
    record.write_text("{")
    again = detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: lambda image: None, engine=lambda: "a")
    assert again.points == {take(1): None, take(2): None}


def test_the_users_points_come_first_and_those_of_another_picture_are_left_aside(
    shots: dict[Take, list[Shot]], tmp_path: Path
) -> None:
    (tmp_path / "5pt").mkdir()
    five_points: Points = ((10.0, 20.0), (30.0, 20.0), (20.0, 26.0), (13.0, 33.0), (27.0, 33.0))
    write_5pt(tmp_path / "5pt" / f"{take(1).key}_trans.5pt", five_points)
    in_crop: Points = ((42.0, 40.0), (86.0, 40.0), (64.0, 64.0), (46.0, 88.0), (82.0, 88.0))
    write_5pt(tmp_path / "5pt" / f"{take(2).key}_trans.5pt", in_crop)  # the picture has 64 x 48 pixels
    result = detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: lambda image: LEVEL, engine=lambda: "a")
    assert result.points == {take(1): five_points, take(2): LEVEL} and result.given == 1
    assert result.ignored == [f"{take(2).key}_trans.5pt: points in a crop of TP-GAN; the image has 64 x 48 pixels"]
    for shot in shots[take(2)]:
        shot.path.write_bytes(encode_png(np.zeros((128, 128, 3), np.uint8)))  # a copy that was cropped so
    result = detect_points(tmp_path, shots, tmp_path / "s", finder=lambda: lambda image: None, engine=lambda: "a")
    assert result.points[take(2)] == in_crop and result.given == 2
    assert np.allclose(similarity(in_crop), np.eye(3)[:2])


def test_the_face_engine_finds_a_drawn_face(tmp_path: Path) -> None:
    from bench.faces.people.look import Look
    from bench.faces.people.model import People

    painter, look = People(), Look(identity=5, variation=1, yaw_deg=0.0, size=160)
    path = tmp_path / "201_01_01_051_06.png"
    path.write_bytes(encode_png(painter([look])[0]))
    points = detect_points(tmp_path, {take(1): [Shot(take(1), 6, path)]}, tmp_path / "s").points[take(1)]
    assert points is not None and np.abs(np.array(points) - painter.points(look)).max() < 8


@pytest.mark.parametrize("text", ["1 2\n3 4\n", "a b\n" * 5, "1 2 3\n" * 5, "nan 1\n" * 5, ""])
def test_a_file_that_is_not_five_points_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.5pt").write_text(text)
    with pytest.raises(DataError, match="not "):
        read_5pt(tmp_path / "x.5pt")


@pytest.mark.parametrize("order", [(2, 1, 0, 3, 4), (3, 4, 2, 0, 1), (0, 1, 4, 3, 2), (0, 3, 2, 1, 4)])
def test_points_in_another_order_are_refused(tmp_path: Path, order: tuple[int, ...]) -> None:
    write_5pt(tmp_path / "x.5pt", tuple(LEVEL[place] for place in order))
    with pytest.raises(DataError, match="not in the order eyes, nose, mouth corners"):
        read_5pt(tmp_path / "x.5pt")


def write_5pt(path: Path, points: Points) -> None:
    path.write_text("".join(f"{x:g} {y:g}\n" for x, y in points))
