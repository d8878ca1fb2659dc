"""The head as one closed surface: the canonical face, extended by rings over hair and ears to the back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.faces.landmarks.bundle import CanonicalMesh, FloatArray, IndexArray, canonical_mesh
from bench.faces.landmarks.mediapipe import Landmarks
from bench.faces.landmarks.points import head_rotation

RINGS = 10
_WIDER, _TALLER, _LONGER = 1.13, 1.2, 1.3  # half axes of the skull over half the face's width, height, width
_FACE = 468


@dataclass(frozen=True, slots=True)
class Topology:
    """Connectivity of the head mesh, the same for every photograph.

    Attributes:
        triangles: int64 (T, 3) of the whole head, a closed surface, facing out.
        outline: int64 (36,), vertices of the face's outline in order.
        mirror: int64 (V,), the mirrored vertex across the head's plane of symmetry.
        face: int64 (898, 3), the triangles of the face alone.
    """

    triangles: IndexArray
    outline: IndexArray
    mirror: IndexArray
    face: IndexArray


@dataclass(frozen=True, slots=True)
class HeadMesh:
    """The head of one photograph.

    Attributes:
        vertices: float32 (V, 3) in the photograph's pixels, z away from the camera; the first 468 are the landmarks.
        uv: float32 (V, 2), pixels of the photograph that give the colour; they may lie outside it.
        alpha: float32 (V,), opacity; below 1 behind the jaw, where the neck is.
        pivot: float32 (3,), centre of rotation: in front of the ears, so that the face stays in the image.
        rotation: float64 (3, 3), the pose in the photograph.
    """

    vertices: FloatArray
    uv: FloatArray
    alpha: FloatArray
    pivot: FloatArray
    rotation: NDArray[np.float64]


@lru_cache(maxsize=4)
def topology(bundle: Path | None = None) -> Topology:
    """Triangles of the head: those of the canonical face, then rings from its outline to the back of the head."""
    mesh = canonical_mesh(bundle)
    outline = _outline(mesh.triangles)
    rings = [outline, *(_FACE + len(outline) * k + np.arange(len(outline)) for k in range(RINGS))]
    back = _FACE + len(outline) * RINGS
    extra = []
    for inner, outer in zip(rings, rings[1:], strict=False):
        a, b, c, d = inner, np.roll(inner, -1), outer, np.roll(outer, -1)
        extra += [np.stack([b, a, c], 1), np.stack([b, c, d], 1)]
    last = rings[-1]
    extra.append(np.stack([np.roll(last, -1), last, np.full(len(last), back)], 1))
    mirrored = mesh.vertices * np.array([-1, 1, 1], np.float32)
    mirror = np.square(mesh.vertices[:, None] - mirrored[None]).sum(2).argmin(0)
    place = {int(vertex): k for k, vertex in enumerate(outline)}
    across = np.array([place[int(mirror[vertex])] for vertex in outline])
    whole = np.concatenate([mirror, *(ring[across] for ring in rings[1:]), [back]])
    return Topology(np.concatenate([mesh.triangles, *extra]), outline, whole, mesh.triangles.copy())


def head_mesh(landmarks: Landmarks, bundle: Path | None = None) -> HeadMesh:
    """Build the head of a photograph from its 478 points.

    The skull is an ellipsoid in the head's frame, sized by the face; rings lead from the face's outline onto it and to
    its back. In the pose of the photograph the surface shows the photograph's pixels; hidden parts take their colour
    from the band of hair above the forehead and beside the temples.

    Args:
        landmarks: with 478 points.
        bundle: of the canonical mesh; by default the package's.

    Raises:
        DataError: there are not 478 finite points.
    """
    if landmarks.points.shape != (478, 3) or not np.isfinite(landmarks.points).all():
        raise DataError(f"A head needs 478 finite points with depth, not {landmarks.points.shape}")
    canonical: CanonicalMesh = canonical_mesh(bundle)
    shape = topology(bundle)
    pose = head_rotation(landmarks.points, canonical)
    seen = landmarks.points[:_FACE].astype(np.float64)
    middle = seen[shape.outline].mean(0)
    face = (seen - middle) @ pose  # into the head's frame
    border = face[shape.outline]
    width, height = np.ptp(border[:, 0]) / 2, np.ptp(border[:, 1]) / 2
    top = border[:, 1].min()
    axes = np.array([_WIDER * width, _TALLER * height, _LONGER * width])
    ears = border[np.abs(border[:, 0]).argsort()[-6:], 2].mean()
    centre = np.array([0.0, top + axes[1] - 0.45 * height, ears + 0.15 * width])
    rings, uv_rings, alpha = _skull(border, centre, axes)
    back = centre + np.array([0, 0, axes[2]])
    vertices = np.concatenate([face, rings.reshape(-1, 3), back[None]]) @ pose.T + middle
    flat = np.concatenate([uv_rings.reshape(-1, 3), uv_rings[-1].mean(0, keepdims=True)]) @ pose.T + middle
    uv = np.concatenate([seen[:, :2], flat[:, :2]])
    opaque = np.concatenate([np.ones(_FACE), alpha.ravel(), [1.0]])
    pivot = np.array([0, centre[1], ears - 0.35 * width]) @ pose.T + middle
    single = np.float32
    return HeadMesh(vertices.astype(single), uv.astype(single), opaque.astype(single), pivot.astype(single), pose)


def _skull(
    border: NDArray[np.float64], centre: NDArray[np.float64], axes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Rings (RINGS, 36, 3) from the outline to the back, the positions of their colour (same shape), and alpha."""
    scaled = (border - centre) / axes
    around = np.arctan2(scaled[:, 1], scaled[:, 0])  # 0 right, pi/2 down
    start = np.arctan2(np.hypot(scaled[:, 0], scaled[:, 1]), -scaled[:, 2])  # 0 front, pi back
    steps = (np.arange(1, RINGS + 1) / (RINGS + 1))[:, None]
    polar = start + (np.pi - start) * steps
    leave = border - (centre + axes * _sphere(around, start))
    rings = centre + axes * _sphere(around[None], polar) + leave * ((1 - steps) ** 3)[:, :, None]

    # Front half: the photograph's own pixels. Behind the silhouette the direction climbs to the top of the head, so
    # that the back is covered with hair, and the colour swings in the band between outline and silhouette.
    behind = np.clip((polar - 0.5 * np.pi) / (0.5 * np.pi), 0, 1)
    up = -0.5 * np.pi + np.sign(np.cos(around)) * 0.35 * np.pi * np.abs(np.cos(around))
    turn = np.arctan2(np.sin(up - around), np.cos(up - around))
    towards = around[None] + turn * np.minimum(1, 2.0 * behind)
    edge = centre + axes * _sphere(towards, np.full_like(towards, 0.5 * np.pi))
    inner = _radial(border, centre, towards)
    swing = 0.5 + 0.5 * np.cos(2 * np.pi * behind)
    hidden = inner + (edge - inner) * (0.35 + 0.55 * swing)[..., None]
    mix = np.clip(behind * 4, 0, 1)[..., None]
    colour = rings * (1 - mix) + hidden * mix
    lower = np.clip((np.sin(around) - 0.35) / 0.3, 0, 1)
    alpha = 1 - lower * np.clip(steps * (RINGS + 1) - 1, 0, 2) / 2
    return rings, colour, alpha


def _radial(
    border: NDArray[np.float64], centre: NDArray[np.float64], angle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The point of the outline at an angle in the frontal plane: (..., ) to (..., 3)."""
    angles = np.arctan2(border[:, 1] - centre[1], border[:, 0] - centre[0])
    order = angles.argsort()
    coordinates = [np.interp(angle, angles[order], border[order, k], period=2 * np.pi) for k in range(3)]
    return np.stack(coordinates, -1)


def _sphere(around: NDArray[np.float64], polar: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), -np.cos(polar)], -1)


def _outline(triangles: IndexArray) -> IndexArray:
    """The border of a disc of triangles as a loop of vertices, in the orientation of the triangles."""
    edges = {(int(t[k]), int(t[(k + 1) % 3])) for t in triangles for k in range(3)}
    following = {a: b for a, b in edges if (b, a) not in edges}
    loop = [min(following)]
    while following[loop[-1]] != loop[0]:
        loop.append(following[loop[-1]])
    return np.array(loop, np.int64)
