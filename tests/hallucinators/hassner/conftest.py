"""The generic face with a texture, photographed from the side by a camera of known place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bench.faces.landmarks.bundle import canonical_mesh
from bench.faces.landmarks.points import rotation
from bench.faces.render.rasteriser import render
from hallucinators.hassner.pose import camera, project
from hallucinators.hassner.surface import SIDE, Reference, reference

Photograph = tuple[NDArray[np.float32], NDArray[np.float64]]


def seen_from(yaw: float, pitch: float = 0.0, roll: float = 0.0, side: int = SIDE) -> NDArray[np.float64]:
    """The projection of the reference, turned, as large in its image as in the frame, its middle in the middle."""
    generic = reference()
    intrinsics = camera(side, side)
    away = intrinsics[0, 0] / (generic.pixels_per_cm * side / SIDE)
    shift = np.array([0.0, 0.0, away])
    return intrinsics @ np.hstack([rotation(yaw, pitch, roll), shift[:, None]])


@pytest.fixture(scope="session")
def generic() -> Reference:
    return reference()


@pytest.fixture(scope="session")
def view() -> Callable[..., NDArray[np.float64]]:
    return seen_from


@pytest.fixture(scope="session")
def photograph() -> Callable[[NDArray[np.float32], float], Photograph]:
    """Photograph a face that carries a frontal picture (128, 128, 3): the photograph and its projection."""

    def make(texture: NDArray[np.float32], yaw: float) -> Photograph:
        generic, mesh = reference(), canonical_mesh()
        projection = seen_from(yaw)
        places, depth = project(projection, mesh.vertices.astype(np.float64))
        middle = np.array([(SIDE - 1) / 2, -generic.surface[0, 0, 1] * generic.pixels_per_cm])
        uv = mesh.vertices[:, :2] * generic.pixels_per_cm + middle
        corners = np.concatenate([places, depth[:, None]], 1)
        image, _, _ = render(
            torch.from_numpy(corners[None].astype(np.float32)),
            torch.from_numpy(mesh.triangles.copy()),
            torch.from_numpy(uv[None].astype(np.float32)),
            torch.from_numpy(texture.transpose(2, 0, 1)[None].copy()),
            SIDE,
        )
        return np.ascontiguousarray(image[0].numpy().transpose(1, 2, 0)), projection

    return make
