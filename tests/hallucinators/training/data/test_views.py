"""Rendered views: flows that lead back to the front, and folders that survive a kill and refuse what is not theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bench.errors import DataError, UsageError
from bench.faces.landmarks.mediapipe import Landmarks
from bench.faces.landmarks.points import rotation
from bench.faces.pairs.pack import SIDE, Pack
from bench.faces.render.mesh import topology
from bench.faces.render.pose import prepare
from bench.images import ByteImages
from hallucinators.training.data import views
from hallucinators.training.data.views import RenderedViews, ViewPlan, flow_to_float, frontal_flow, render_views

SMALL = ViewPlan(yaws_deg=(30.0,), free=1)
AXIS = (np.arange(32) + 0.5) * 4 - 0.5  # centres of the flow's pixels in pixels of 128
ROUNDED = 1 / 128 + 1e-3  # positions are stored in 64ths of a pixel


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def looked_up(image: NDArray[np.uint8], positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours float32 (3, 32, 32) of an image (128, 128, 3), averaged 4 x 4, at positions (2, 32, 32) in its pixels."""
    picture = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    grid = torch.from_numpy((positions + 0.5) * 2 / SIDE - 1).permute(1, 2, 0)[None].float()
    smooth = functional.avg_pool2d(functional.pad(picture, (2, 1, 2, 1), mode="replicate"), 4, 1)
    result = functional.grid_sample(smooth, grid + 1 / SIDE, padding_mode="border", align_corners=False)
    return np.asarray(result[0].numpy())


def test_a_face_that_is_not_turned_stays_where_it_is(trained_on: RenderedViews) -> None:
    assert trained_on.angles_deg[0, 0].tolist() == [0, 0]
    flow = flow_to_float(trained_on.flow[:, 0])
    assert flow.shape == (14, 7, 32, 32)
    assert np.abs(flow[:, 0] - AXIS).max() < ROUNDED
    assert np.abs(flow[:, 1] - AXIS[:, None]).max() < ROUNDED
    assert flow[:, 4, 12:20, 10:22].mean() > 0.97, "the face's middle is seen"
    assert flow[:, 6, 16, 16].min() == 1, "the head covers it, and no corner"
    assert flow[:, 6, ::31, ::31].max() == 0


def test_the_opposite_of_a_vertex_is_its_mirror_vertex(packed: Pack) -> None:
    face, landmarks = packed.face(0)
    mesh = prepare(face, landmarks, SIDE, oversample=1).mesh
    turn = rotation(25.0)
    flow = flow_to_float(frontal_flow(mesh.vertices, mesh.alpha, mesh.pivot, [turn]))[0]
    turned = (mesh.vertices - mesh.pivot) @ turn.T + mesh.pivot
    mirror = topology().mirror
    checked = [50, 280, 205, 425, 117, 346]  # cheeks, where the surface is smooth
    for channel, order in ((0, np.arange(len(mirror))), (2, mirror)):
        for vertex in checked:
            x, y = (mesh.vertices[vertex, :2] + 0.5) / 4 - 0.5
            grid = torch.tensor([[[[(x + 0.5) / 16 - 1, (y + 0.5) / 16 - 1]]]], dtype=torch.float32)
            field = torch.from_numpy(flow[None, channel : channel + 2])
            result = functional.grid_sample(field, grid, align_corners=False)[0, :, 0, 0].numpy()
            np.testing.assert_allclose(result, turned[order[vertex], :2], atol=0.6)
    assert (mirror[mirror] == np.arange(len(mirror)))[:468].mean() > 0.98


def test_beside_the_head_the_background_stays(trained_on: RenderedViews) -> None:
    flow = flow_to_float(trained_on.flow[0])
    bare = flow[:, 6] == 0
    assert bare.mean() > 0.2
    expected = np.broadcast_to(np.stack(np.broadcast_arrays(AXIS, AXIS[:, None], SIDE - 1 - AXIS)), (6, 3, 32, 32))
    for channel in range(3):
        assert np.abs(flow[:, channel] - expected[:, channel])[bare].max() < ROUNDED


@pytest.mark.parametrize("column", [2, 3])
def test_a_turned_view_looked_up_by_the_flow_is_the_frontal_face_where_that_is_seen(
    trained_on: RenderedViews, column: int
) -> None:
    assert abs(trained_on.angles_deg[0, column, 0]) == 40
    moved: list[float] = []
    unmoved: list[float] = []
    for row in range(len(trained_on)):
        flow = flow_to_float(trained_on.flow[row, column])
        seen = (flow[4] > 0.95) & (flow[6] > 0.95)
        assert seen.mean() > 0.1
        still = np.stack(np.broadcast_arrays(AXIS, AXIS[:, None])).astype(np.float32)
        truth = looked_up(trained_on.frontal[row], still)
        for errors, at in ((moved, flow[:2]), (unmoved, still)):
            result = looked_up(trained_on.view[row, column], at)
            errors.append(float(np.square(result - truth)[:, seen].mean()))
    psnr_db = [10 * np.log10(255**2 / np.mean(errors)) for errors in (moved, unmoved)]
    assert psnr_db[0] > 34 and psnr_db[0] > psnr_db[1] + 12, psnr_db


def test_the_side_turned_away_is_hidden_and_its_opposite_seen(trained_on: RenderedViews) -> None:
    left = flow_to_float(trained_on.flow[0, 2])  # -40 degrees: turned to the image's left, so the left is far
    far, near = np.s_[12:20, 6:9], np.s_[12:20, 23:26]
    assert left[4][far].mean() < left[4][near].mean() - 0.2
    assert left[5][far].mean() > left[5][near].mean() + 0.2


def test_angles_depend_on_the_face_and_the_seed_alone_and_come_to_both_sides() -> None:
    plan = ViewPlan(seed=3)
    angles = plan.angles(5)
    assert angles.shape == (12, 2) and angles.dtype == np.float32
    assert angles[:8, 0].tolist() == [-22, 22, -40, 40, -55, 55, -75, 75] and not angles[:8, 1].any()
    assert np.array_equal(angles, plan.angles(5))
    assert not np.array_equal(angles[8:], plan.angles(6)[8:])
    assert not np.array_equal(angles[8:], replace(plan, seed=4).angles(5)[8:])
    free = np.concatenate([plan.angles(face)[8:] for face in range(200)])
    assert 60 < np.abs(free[:, 0]).max() <= 80 and 10 < np.abs(free[:, 1]).max() <= 20
    assert np.abs(free.reshape(200, 4, 2)[:, :2, 0]).max() <= 24


def test_a_killed_rendering_goes_on_to_the_same_bytes(
    packed: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = packed.indices(test=False)[:7]
    render_views(packed, faces, tmp_path / "whole", plan=SMALL, digest="d")
    monkeypatch.setattr(views, "_EVERY", 2)
    figures: list[int] = []

    def dies(done: int) -> None:
        figures.append(done)
        if sum(figures) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_views(packed, faces, tmp_path / "killed", plan=SMALL, digest="d", advance=dies)
    with pytest.raises(DataError, match="holds no finished views"):
        RenderedViews(tmp_path / "killed")
    figures.clear()
    render_views(packed, faces, tmp_path / "killed", plan=SMALL, digest="d", advance=figures.append)
    assert figures == [4, 1, 1, 1]
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    figures.clear()
    render_views(packed, faces, tmp_path / "killed", plan=SMALL, digest="d", advance=figures.append)
    assert figures == []


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("change", ["pack", "plan", "seed", "faces", "other faces"])
def test_a_folder_of_other_views_is_refused(
    packed: Pack, tmp_path: Path, change: str, begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_EVERY", 1)
    figures: list[int] = []

    def dies(done: int) -> None:
        figures.append(done)
        if begun and len(figures) == 3:
            raise KeyboardInterrupt

    try:
        render_views(packed, [0, 1], tmp_path, plan=SMALL, digest="d", advance=dies)
    except KeyboardInterrupt:
        assert (tmp_path / "begun.json").is_file()
    plan = {"plan": replace(SMALL, yaws_deg=(31.0,)), "seed": replace(SMALL, seed=1)}.get(change, SMALL)
    faces = {"faces": [0], "other faces": [0, 2]}.get(change, [0, 1])
    with pytest.raises(DataError, match="another pack or plan"):
        render_views(packed, faces, tmp_path, plan=plan, digest="e" if change == "pack" else "d")


@pytest.mark.parametrize("name", ["frontal", "view", "flow", "angles_deg", "landmarks", "five", "faces"])
@pytest.mark.parametrize("keep", [0.0, 0.7])
def test_a_truncated_array_is_named(packed: Pack, tmp_path: Path, name: str, keep: float) -> None:
    render_views(packed, [0], tmp_path, plan=SMALL)
    path = tmp_path / f"{name}.npy"
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match="views"):
        RenderedViews(tmp_path)
    with pytest.raises(DataError, match="views"):
        render_views(packed, [0], tmp_path, plan=SMALL)


@pytest.mark.parametrize("mark", ["", "{", "[]", "{}"])
def test_a_damaged_mark_is_named(packed: Pack, tmp_path: Path, mark: str) -> None:
    render_views(packed, [0], tmp_path, plan=SMALL)
    (tmp_path / "views.json").write_text(mark)
    with pytest.raises(DataError, match="damaged views"):
        render_views(packed, [0], tmp_path, plan=SMALL)


def test_parts_of_two_renderings_are_no_views(packed: Pack, tmp_path: Path) -> None:
    render_views(packed, [0], tmp_path, plan=SMALL)
    np.save(tmp_path / "five.npy", np.zeros((2, 5, 2), np.float32))
    with pytest.raises(DataError, match="do not fit"):
        RenderedViews(tmp_path)


def test_nothing_to_render_is_wrong_usage_and_nothing_rendered_is_no_data(packed: Pack, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 faces"):
        render_views(packed, [], tmp_path)
    with pytest.raises(UsageError, match="0 views"):
        render_views(packed, [0], tmp_path, plan=ViewPlan(yaws_deg=(), free=0))
    with pytest.raises(DataError, match="holds no finished views"):
        RenderedViews(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_surroundings_are_rendered_and_the_flow_stays_that_of_the_face(
    packed: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    margin = 16
    plain = render_views(packed, [1], tmp_path / "plain", plan=ViewPlan(yaws_deg=(0.0, 40.0), free=0))

    face, result = packed.face(1)

    def wide(self: Pack, index: int) -> tuple[ByteImages, Landmarks]:
        around = np.pad(face, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
        return around, replace(result, points=result.points + np.array([margin, margin, 0], np.float32))

    monkeypatch.setattr(Pack, "with_surroundings", wide)
    monkeypatch.setattr(packed, "margin", margin)
    instance = render_views(packed, [1], tmp_path / "wide", plan=ViewPlan(yaws_deg=(0.0, 40.0), free=0))
    assert instance.margin == margin and instance.view.shape[2:4] == (SIDE + 2 * margin,) * 2
    np.testing.assert_array_equal(instance.frontal[0], plain.frontal[0])
    np.testing.assert_allclose(instance.flow, plain.flow, atol=2)
    np.testing.assert_allclose(instance.five, plain.five, atol=1e-4)
    inner = instance.view[0, 2, margin:-margin, margin:-margin].astype(int)
    assert np.abs(inner - plain.view[0, 2]).mean() < 6
