from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.faces.landmarks.points import angles
from hallucinators.hassner.pose import camera, find_projection, magnification, project, scale_projection
from hallucinators.hassner.surface import Reference

View = Callable[..., NDArray[np.float64]]


def pose_of(projection: NDArray[np.float64], side: int = 128) -> tuple[float, float, float]:
    return angles(np.linalg.solve(camera(side, side), projection[:, :3]))


@pytest.mark.parametrize("side", [128, 900])
@pytest.mark.parametrize("pose", [(0, 0, 0), (25, 0, 0), (-60, 10, 0), (75, -15, 5), (-20, 20, 40), (0, 0, -90)])
def test_a_known_rotation_is_recovered(generic: Reference, view: View, pose: tuple[float, ...], side: int) -> None:
    projection = view(*pose, side=side)
    seen, _ = project(projection, generic.points)
    result = find_projection(seen, generic.points, camera(side, side))
    assert result is not None
    np.testing.assert_allclose(pose_of(result, side), pose, atol=0.01)
    np.testing.assert_allclose(result, projection, rtol=1e-4, atol=1e-3 * np.abs(projection).max())


@pytest.mark.parametrize("yaw", [-55.0, 0.0, 30.0])
def test_landmarks_that_are_a_pixel_off_move_the_pose_by_a_few_degrees(
    generic: Reference, view: View, yaw: float
) -> None:
    seen, _ = project(view(yaw), generic.points)
    shaken = seen + np.random.default_rng(0).normal(0, 1, seen.shape)
    result = find_projection(shaken, generic.points, camera(128, 128))
    assert result is not None
    np.testing.assert_allclose(pose_of(result), (yaw, 0, 0), atol=4)


def test_what_is_no_face_has_no_pose(generic: Reference, view: View) -> None:
    intrinsics = camera(128, 128)
    rng = np.random.default_rng(0)
    assert find_projection(np.full((68, 2), 60.0), generic.points, intrinsics) is None
    assert find_projection(np.full((68, 2), np.nan), generic.points, intrinsics) is None
    assert find_projection(rng.uniform(0, 128, (68, 2)), generic.points, intrinsics) is None
    seen, _ = project(view(10.0), generic.points)
    assert find_projection(seen[:5], generic.points[:5], intrinsics) is None


@pytest.mark.parametrize("yaw", [0.0, 50.0])
def test_magnification_is_pixels_a_centimetre(generic: Reference, view: View, yaw: float) -> None:
    assert magnification(view(yaw, 5, 20)) == pytest.approx(generic.pixels_per_cm)
    assert magnification(view(yaw, side=384)) == pytest.approx(3 * generic.pixels_per_cm)


def test_a_resized_photograph_has_the_resized_projection(generic: Reference, view: View) -> None:
    large, _ = project(view(20.0, side=512), generic.points)
    small, _ = project(scale_projection(view(20.0, side=512), 0.25, 0.5), generic.points)
    np.testing.assert_allclose(small, (large + 0.5) * [0.5, 0.25] - 0.5)
    assert camera(256, 512)[0, 0] == 2 * camera(256, 256)[0, 0], "one camera for photographs of all sizes"
