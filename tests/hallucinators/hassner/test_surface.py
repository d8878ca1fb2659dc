from __future__ import annotations

import numpy as np
import torch

from bench.align.template import FRAMES
from bench.faces.landmarks.bundle import canonical_mesh
from bench.faces.render.rasteriser import rasterise
from hallucinators.hassner.surface import SIDE, Reference


def test_both_halves_are_alike_to_the_last_bit(generic: Reference) -> None:
    mirrored = generic.surface[:, ::-1] * np.array([-1, 1, 1])
    np.testing.assert_array_equal(generic.surface, mirrored)
    np.testing.assert_allclose(generic.eyes, generic.eyes[:, ::-1], atol=1e-6)
    np.testing.assert_array_equal(generic.head, generic.head[:, ::-1])


def test_each_pixel_holds_the_point_that_the_renderer_sees_there(generic: Reference) -> None:
    mesh = canonical_mesh()
    down = -generic.surface[0, 0, 1] * generic.pixels_per_cm
    pixels = mesh.vertices * np.float32(generic.pixels_per_cm) + np.array([(SIDE - 1) / 2, down, 0], np.float32)
    raster = rasterise(torch.from_numpy(pixels)[None].float(), torch.from_numpy(mesh.triangles.copy()), SIDE)
    depth, seen = raster.depth[0].numpy() / generic.pixels_per_cm, raster.covered[0].numpy()
    off = np.abs(generic.surface[..., 2] - depth)[seen]
    assert seen.mean() > 0.5
    assert np.median(off) < 0.1 and np.percentile(off, 95) < 0.4, "centimetres"


def test_the_surface_has_no_jump(generic: Reference) -> None:
    steps = [np.abs(np.diff(generic.surface[..., 2], axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 1.3, "centimetres from pixel to pixel; the renderer's silhouettes jump by six"


def test_its_eyes_are_where_the_frame_has_them(generic: Reference) -> None:
    rows, columns = np.nonzero(generic.eyes > 0.5)
    for index, chosen in ((0, columns < SIDE / 2), (1, columns > SIDE / 2)):
        expected = np.array(FRAMES["utkface200"][index]) * SIDE - 0.5
        result = np.array([columns[chosen].mean(), rows[chosen].mean()])
        np.testing.assert_allclose(result, expected, atol=3.0)  # its eyes are nearer than most people's


def test_points_and_surface_are_of_one_face(generic: Reference) -> None:
    nose = generic.points[30]
    nearest = np.linalg.norm(generic.surface - nose, axis=2)
    row, column = np.unravel_index(nearest.argmin(), nearest.shape)
    assert nearest.min() < 0.3 and abs(column - (SIDE - 1) / 2) <= 1 and 0.45 < row / SIDE < 0.6
    assert generic.points[36, 0] < 0 < generic.points[45, 0], "the person's right eye is at the left"
