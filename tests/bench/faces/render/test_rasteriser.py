from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.faces.render import rasteriser as renderer
from bench.faces.render.rasteriser import interpolate, rasterise, render, sample

# Corners counter-clockwise as seen: down the left side, along the bottom, up.
TRIANGLE = torch.tensor([[0, 1, 2]])


def vertices(*corners: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor([corners], dtype=torch.float32)


def test_a_right_triangle_covers_the_pixels_worked_by_hand() -> None:
    raster = rasterise(vertices((-0.5, -0.5, 5), (-0.5, 3.5, 5), (3.5, -0.5, 5)), TRIANGLE, 5)
    # Centres strictly left of the slanted edge x + y = 3; on that edge they belong to the triangle beyond.
    expected = [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert raster.covered[0].int().tolist() == expected
    assert raster.depth[0, 0, 0] == 5 and torch.isinf(raster.depth[0, 4, 4])


def test_a_triangle_seen_from_behind_is_left_out() -> None:
    assert not rasterise(vertices((0, 0, 5), (4, 0, 5), (0, 4, 5)), TRIANGLE, 5).covered.any()


def test_weights_and_attributes_are_affine_in_the_pixel() -> None:
    corners = vertices((0, 0, 0), (0, 8, 4), (8, 0, 16))
    raster = rasterise(corners, TRIANGLE, 9)
    values = interpolate(raster, TRIANGLE, corners)
    y, x = np.nonzero(raster.covered[0].numpy())
    np.testing.assert_allclose(values[0, 0, y, x], x, atol=1e-5)
    np.testing.assert_allclose(values[0, 1, y, x], y, atol=1e-5)
    np.testing.assert_allclose(raster.depth[0, y, x], 0.5 * y + 2.0 * x, atol=1e-5)
    np.testing.assert_allclose(raster.weights[0, y, x].sum(1), 1, atol=1e-6)


def test_the_nearer_triangle_is_visible_in_either_order() -> None:
    far, near = (
        [(-1.0, -1.0, 9.0), (-1.0, 9.0, 9.0), (9.0, -1.0, 9.0)],
        [(-1.0, -1.0, 2.0), (-1.0, 5.0, 2.0), (5.0, -1.0, 2.0)],
    )
    for order in ([0, 1], [1, 0]):
        corners = torch.tensor([far + near])
        triangles = torch.tensor([[0, 1, 2], [3, 4, 5]])[order]
        raster = rasterise(corners, triangles, 6)
        assert raster.depth[0, 0, 0] == 2 and raster.depth[0, 3, 3] == 9
        assert raster.triangle[0, 0, 0] == order.index(1)


def test_of_equal_depths_the_first_triangle_is_visible() -> None:
    corners = vertices((-1, -1, 3), (-1, 9, 3), (9, -1, 3))
    assert set(rasterise(corners, TRIANGLE.repeat(3, 1), 4).triangle.unique().tolist()) <= {-1, 0}


def test_triangles_that_cross_are_cut_at_their_crossing() -> None:
    flat = [(-1.0, -1.0, 4.0), (-1.0, 20.0, 4.0), (20.0, -1.0, 4.0)]
    slanted = [(-1.0, -1.0, -1.0), (-1.0, 20.0, -1.0), (20.0, -1.0, 20.0)]  # depth equals x
    raster = rasterise(torch.tensor([flat + slanted]), torch.tensor([[0, 1, 2], [3, 4, 5]]), 9)
    assert raster.triangle[0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 40))
def test_a_shaken_grid_covers_every_pixel_exactly_once(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    cells = 6
    x, y = np.meshgrid(np.linspace(-2, size + 1, cells + 1), np.linspace(-2, size + 1, cells + 1))
    points = np.stack([x, y, np.zeros_like(x)], 2)
    points[1:-1, 1:-1, :2] += rng.uniform(-0.2, 0.2, (cells - 1, cells - 1, 2)) * (size + 3) / cells
    corner = np.arange((cells + 1) ** 2).reshape(cells + 1, -1)
    a, b, c, d = (part.ravel() for part in (corner[:-1, :-1], corner[1:, :-1], corner[:-1, 1:], corner[1:, 1:]))
    triangles = torch.from_numpy(np.concatenate([np.stack([a, b, c], 1), np.stack([c, b, d], 1)]))
    mesh = torch.from_numpy(points.reshape(1, -1, 3)).float()
    assert rasterise(mesh, triangles, size).covered.all()
    each = rasterise(mesh.expand(len(triangles), -1, -1), triangles, size)
    counted = sum(rasterise(mesh, one[None], size).covered.int() for one in triangles)
    assert (counted == 1).all() and each.covered.all()


def test_every_pixel_agrees_with_a_loop_over_triangles() -> None:
    rng = np.random.default_rng(1)
    mesh = torch.from_numpy(rng.uniform(-3, 20, (1, 30, 3))).float()
    triangles = torch.from_numpy(rng.integers(0, 30, (60, 3)))
    raster = rasterise(mesh, triangles, 16)
    depth = np.full((16, 16), np.inf)
    y, x = np.mgrid[:16, :16]
    for triangle in triangles.numpy():
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = mesh[0, triangle].double().numpy()
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= 0:
            continue
        second = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        third = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        inside = (second >= 0) & (third >= 0) & (second + third <= 1)
        depth = np.where(inside, np.minimum(depth, az + second * (bz - az) + third * (cz - az)), depth)
    np.testing.assert_allclose(raster.depth[0].numpy(), depth, rtol=1e-3, atol=1e-3)


def test_a_batch_gives_what_each_view_gives_alone_however_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    mesh = torch.from_numpy(rng.uniform(0, 16, (5, 20, 3))).float()
    triangles = torch.from_numpy(rng.integers(0, 20, (40, 3)))
    whole = rasterise(mesh, triangles, 16)
    monkeypatch.setattr(renderer, "_MOST_PAIRS", 80)
    cut = rasterise(mesh, triangles, 16)
    assert torch.equal(whole.triangle, cut.triangle) and torch.equal(whole.depth, cut.depth)
    for k in range(5):
        assert torch.equal(rasterise(mesh[k : k + 1], triangles, 16).triangle[0], whole.triangle[k])


def test_the_photograph_comes_back_from_a_mesh_that_lies_flat() -> None:
    photo = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    square = vertices((-1, -1, 0), (-1, 8, 0), (8, -1, 0), (8, 8, 0))
    image, depth, seen = render(square, torch.tensor([[0, 1, 2], [2, 1, 3]]), square[:, :, :2], photo, 8)
    assert seen.all() and (depth == 0).all()
    torch.testing.assert_close(image, photo, atol=1e-5, rtol=0)


def test_outside_the_texture_it_is_mirrored() -> None:
    texture = torch.arange(4.0).reshape(1, 1, 1, 4).expand(1, 1, 2, 4)
    uv = torch.tensor([[-1.0, 0.5, 4.0], [0.0, 0.0, 0.0]]).reshape(1, 2, 1, 3)
    assert sample(texture, uv)[0, 0, 0].tolist() == pytest.approx([1.0, 0.5, 2.0], abs=1e-5)


@pytest.mark.parametrize(
    ("corners", "triangles", "size", "says"),
    [
        (torch.zeros(0, 3, 3), TRIANGLE, 4, "N at least 1"),
        (torch.zeros(1, 3, 2), TRIANGLE, 4, "Vertices are"),
        (torch.zeros(1, 3, 3), torch.tensor([[0, 1, 3]]), 4, "outside 0..2"),
        (torch.zeros(1, 3, 3), torch.zeros(0, 3, dtype=torch.long), 4, "Triangles are"),
        (torch.zeros(1, 3, 3), TRIANGLE, 0, "one pixel"),
        (torch.full((1, 3, 3), torch.nan), TRIANGLE, 4, "not finite"),
    ],
)
def test_bad_meshes_are_refused(corners: torch.Tensor, triangles: torch.Tensor, size: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rasterise(corners, triangles, size)


def test_a_texture_for_another_number_of_views_is_refused() -> None:
    mesh = torch.zeros(2, 3, 3)
    with pytest.raises(UsageError, match="Rendering needs"):
        render(mesh, TRIANGLE, mesh[:, :, :2], torch.zeros(1, 3, 4, 4), 4)


def test_a_gpu_gives_the_same_picture() -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    mesh = torch.from_numpy(np.random.default_rng(3).uniform(0, 32, (4, 50, 3))).float()
    triangles = torch.from_numpy(np.random.default_rng(4).integers(0, 50, (90, 3)))
    here, there = rasterise(mesh, triangles, 32), rasterise(mesh.cuda(), triangles.cuda(), 32)
    assert (here.triangle == there.triangle.cpu()).float().mean() > 0.995
