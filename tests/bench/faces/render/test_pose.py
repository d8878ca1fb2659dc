from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from bench.errors import DataError, UsageError
from bench.faces.landmarks.mediapipe import FaceLandmarker, Landmarks
from bench.faces.landmarks.points import rotation
from bench.faces.render.background import fill
from bench.faces.render.mesh import head_mesh, topology
from bench.faces.render.pose import frontalise, normals, prepare, render_poses, turn
from bench.faces.render.rasteriser import rasterise
from bench.images import resize
from bench.interfaces import ByteImages

Place, Mannequin = Callable[..., Landmarks], Callable[..., ByteImages]
YAWS = [-90, -75, -55, -40, -22, 22, 40, 55, 75, 90]


def psnr(one: np.ndarray, two: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - two).mean()))


def test_the_head_is_one_closed_surface(bundle: object) -> None:
    shape = topology()
    edges = [(int(t[k]), int(t[(k + 1) % 3])) for t in shape.triangles for k in range(3)]
    assert len(set(edges)) == len(edges) and {(b, a) for a, b in edges} == set(edges)
    assert (shape.mirror[shape.mirror] == np.arange(len(shape.mirror))).all()


def test_the_head_lies_behind_its_face_and_its_normals_point_out(place: Place) -> None:
    mesh = head_mesh(place())
    assert mesh.vertices[468:, 2].max() > mesh.vertices[:468, 2].max() + 40, "of 200 pixels"
    out = normals(torch.from_numpy(mesh.vertices)[None], torch.from_numpy(topology().triangles))[0].numpy()
    away = mesh.vertices - mesh.vertices.mean(0)
    assert ((out * away).sum(1) > 0).mean() > 0.9


def test_the_skull_follows_the_pose_of_the_photograph(place: Place) -> None:
    straight, turned = head_mesh(place()), head_mesh(place(25, 10, 15))
    back = (straight.vertices - straight.vertices[:468].mean(0)) @ rotation(25, 10, 15).T
    np.testing.assert_allclose(back, turned.vertices - turned.vertices[:468].mean(0), atol=0.5)


@pytest.mark.parametrize("yaw", YAWS)
def test_no_view_has_a_hole(place: Place, yaw: float) -> None:
    mesh = head_mesh(place())
    vertices = (mesh.vertices - mesh.pivot) @ rotation(yaw).T + mesh.pivot
    turned = torch.from_numpy(vertices.astype(np.float32))[None]
    seen = rasterise(turned, torch.from_numpy(topology().triangles), 200).covered[0].numpy()
    assert seen.sum() > 8000 and (ndimage.binary_fill_holes(seen) == seen).all()


def test_at_zero_degrees_the_photograph_comes_back(place: Place, mannequin: Mannequin) -> None:
    photo = mannequin(place())
    assert psnr(turn(photo, place(), 0), resize(photo, 128, 128)) > 35
    once = render_poses([prepare(photo, place(), 200, oversample=1)], [np.eye(3)])[0]
    assert psnr(once, photo) > 45


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 25)])
def test_a_turned_head_is_found_in_its_new_pose(
    place: Place, mannequin: Mannequin, landmarker: FaceLandmarker, yaw: float, pitch: float, roll: float
) -> None:
    photo = mannequin(place())
    start, result = landmarker.find([photo])[0], landmarker.find([turn(photo, place(), yaw, pitch, roll, 200)])[0]
    assert start is not None and result is not None
    moved = np.array(
        [result.yaw_deg - start.yaw_deg, result.pitch_deg - start.pitch_deg, result.roll_deg - start.roll_deg]
    )
    np.testing.assert_allclose(moved, [yaw, pitch, roll], atol=10)


@pytest.mark.parametrize("yaw", [-75, -40, 40, 75, 90])
def test_no_view_is_black_where_the_photograph_is_not(place: Place, mannequin: Mannequin, yaw: float) -> None:
    photo = np.maximum(mannequin(place()), 60)
    assert turn(photo, place(), yaw).min() > 50


def test_the_background_beside_the_head_stays(place: Place, mannequin: Mannequin) -> None:
    photo = mannequin(place())
    view, still = turn(photo, place(), 55).astype(int), resize(photo, 128, 128)
    for corner in (np.s_[-16:, :16], np.s_[-16:, -16:], np.s_[:16, -12:]):
        assert np.abs(view[corner] - still[corner]).max() <= 12


@pytest.mark.parametrize("yaw", [20, -30, 40])
def test_frontalise_brings_a_turned_head_nearer_to_the_front(place: Place, mannequin: Mannequin, yaw: float) -> None:
    turned, front = mannequin(place(yaw)), resize(mannequin(place()), 128, 128)
    back = frontalise(turned, place(yaw))
    middle = np.s_[44:100, 40:88]
    assert psnr(back[middle], front[middle]) > psnr(resize(turned, 128, 128)[middle], front[middle]) + 2


def test_hidden_skin_is_taken_from_the_other_side(place: Place, mannequin: Mannequin) -> None:
    photo = mannequin(place(40))
    points = place(40).points
    x, y = np.rint(points[[50, 280], :2].mean(0)).astype(int)
    photo[y - 12 : y + 12, : x + 1] = (250, 40, 40)  # one cheek is red; the other, hidden in part, borrows from it
    with_it, without = frontalise(photo, place(40)), frontalise(photo, place(40), symmetry=0)
    assert (with_it != without).any()


def test_light_from_the_left_lights_the_left(place: Place, mannequin: Mannequin) -> None:
    photo = mannequin(place())
    left, right = (turn(photo, place(), 0, light=(side, 0, -0.5)).astype(int) for side in (-1, 1))
    assert left[60:80, 35:50].mean() > right[60:80, 35:50].mean() + 20
    assert right[60:80, 78:93].mean() > left[60:80, 78:93].mean() + 20
    background = np.s_[:20, :8]
    assert (left[background] == right[background]).all()


def test_a_batch_gives_what_each_view_gives_alone(place: Place, mannequin: Mannequin) -> None:
    people = [prepare(mannequin(place(yaw)), place(yaw), 48) for yaw in (0, 10, -10)]
    turns = [rotation(yaw) for yaw in (40, -20, 75)]
    batch = render_poses(people, turns, lights=[None, (0, -1, -1), None])
    alone = [render_poses([people[k]], [turns[k]], lights=[[None, (0, -1, -1), None][k]])[0] for k in range(3)]
    assert batch.shape == (3, 48, 48, 3) and np.abs(batch.astype(int) - np.stack(alone)).max() <= 1


def test_equal_arguments_give_equal_bytes(place: Place, mannequin: Mannequin) -> None:
    photo = mannequin(place())
    assert (turn(photo, place(), 40, 5, 3) == turn(photo, place(), 40, 5, 3)).all()


@pytest.mark.parametrize(("height", "width"), [(200, 120), (90, 200), (200, 200)])
def test_a_photograph_need_not_be_square(place: Place, mannequin: Mannequin, height: int, width: int) -> None:
    top, left = (200 - height) // 2, (200 - width) // 2
    points = place().points - np.array([left, top, 0], np.float32)
    photo = mannequin(place())[top : top + height, left : left + width]
    view = turn(photo, replace(place(), points=points), 40, size=64)
    assert view.shape == (64, 64, 3) and view.std() > 10


@pytest.mark.parametrize("side", [2, 8, 24])
def test_tiny_photographs_and_views_work(place: Place, mannequin: Mannequin, side: int) -> None:
    landmarks = replace(place(), points=place().points * np.float32(side / 200))
    photo = resize(mannequin(place()), side, side)
    assert turn(photo, landmarks, 40, size=16).shape == (16, 16, 3)
    assert turn(photo, landmarks, 40, size=1).shape == (1, 1, 3)


def test_landmarks_of_68_points_cannot_carry_a_head(place: Place, mannequin: Mannequin) -> None:
    with pytest.raises(DataError, match="478 finite points"):
        turn(mannequin(place()), replace(place(), points=place().points[:68]), 20)
    broken = place().points.copy()
    broken[7, 1] = np.nan
    with pytest.raises(DataError, match="478 finite points"):
        turn(mannequin(place()), replace(place(), points=broken), 20)


def test_bad_arguments_are_refused(place: Place, mannequin: Mannequin) -> None:
    photo = mannequin(place())
    with pytest.raises(UsageError, match="finite angles"):
        turn(photo, place(), float("nan"))
    with pytest.raises(UsageError, match="light is a direction"):
        turn(photo, place(), 0, light=(0, 0, 0))
    with pytest.raises(UsageError, match="Size and oversample"):
        turn(photo, place(), 0, size=0)
    with pytest.raises(UsageError, match="RGB, uint8"):
        turn(photo[:, :, 0], place(), 0)
    with pytest.raises(UsageError, match="symmetry"):
        frontalise(photo, place(), symmetry=1.5)
    portrait = prepare(photo, place(), 16)
    with pytest.raises(UsageError, match="do not fit"):
        render_poses([portrait, portrait], [np.eye(3)])
    with pytest.raises(UsageError, match="do not fit"):
        render_poses([portrait], [])
    with pytest.raises(UsageError, match="one size"):
        render_poses([portrait, prepare(photo, place(), 20)], [np.eye(3)] * 2)


def test_filling_keeps_known_values_and_interpolates_between_them() -> None:
    image = torch.zeros(1, 1, 16, 16)
    known = torch.zeros(1, 1, 16, 16)
    image[..., 0], image[..., 15], known[..., 0], known[..., 15] = 0.2, 0.8, 1, 1
    filled = fill(image, known)[0, 0]
    assert torch.equal(filled[:, 0], image[0, 0, :, 0]) and torch.equal(filled[:, 15], image[0, 0, :, 15])
    assert 0.2 <= filled.min() and filled.max() <= 0.8 and filled[8, 8] == pytest.approx(0.5, abs=0.12)
