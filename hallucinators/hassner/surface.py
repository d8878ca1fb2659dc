"""The reference: one generic head, drawn from the front as a map that holds the 3D point of every output pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.faces.landmarks.bundle import FloatArray, canonical_mesh
from bench.faces.landmarks.mediapipe import Landmarks
from bench.faces.landmarks.points import SIXTY_EIGHT, five_points
from bench.faces.render.mesh import HeadMesh, head_mesh, topology
from bench.faces.render.warp import pixel_grid, spline

SIDE = 128
# The engine's five points of 400 aligned crops of UTKFace, mean, from the middle and the upper edge, over the side: so
# truths of the frame utkface200 have them (`bench.align.template` gives MTCNN's, which differ by up to two pixels).
# Both sides alike, so that the plane of symmetry falls between two columns and mirroring is turning the array round.
_FIVE = np.array([[-0.1997, 0.2993], [0.1997, 0.2993], [0, 0.5337], [-0.1635, 0.6888], [0.1635, 0.6888]])
_EYELIDS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
_SMOOTH = 1.0  # ridge of the spline: creases of lips and nostrils are smoothed, the rest keeps to half a millimetre
_FACING = 0.1  # least cosine to the viewer of a vertex the surface passes through
_LID, _EDGE = 5, 5  # pixels: kernels that widen the eyes by the rim of the lids, and soften that


@dataclass(frozen=True, slots=True)
class Reference:
    """The generic head, in centimetres: x to the image's right, y down, z away from the viewer.

    Attributes:
        points: float64 (68, 3), the landmarks of iBUG on it.
        surface: float64 (128, 128, 3), the point that each pixel of the frontal frame shows.
        pixels_per_cm: of the frame.
        head: bool (128, 128), where that is the head; elsewhere its border is carried on, and shows what stood there.
        eyes: float32 (128, 128) in [0, 1], 1 in the eyes: gaze is not symmetric.
    """

    points: NDArray[np.float64]
    surface: NDArray[np.float64]
    pixels_per_cm: float
    head: NDArray[np.bool_]
    eyes: FloatArray


@lru_cache(maxsize=1)
def reference() -> Reference:
    """The generic head in the frame ``utkface200``, 128 x 128.

    Hassner's file holds the same for a scanned face, drawn by a renderer. Here the map is the smoothest surface through
    the vertices of the canonical head that face the viewer, which has no jumps at nose and silhouette: jumps tear the
    picture as soon as a face is not shaped as the generic one. It needs no renderer, and goes on to the frame's border.
    """
    scale, down = _frame()
    head = _canonical_head(scale, down)
    depth = _depth(head)
    x, y = np.moveaxis(pixel_grid(SIDE).reshape(SIDE, SIDE, 2), 2, 0)
    surface = np.stack([x - (SIDE - 1) / 2, y - down, depth], 2) / scale
    points = canonical_mesh().vertices[list(SIXTY_EIGHT)].astype(np.float64)
    found = Reference(points, surface, scale, _outlined(head), _eyes(head))
    for array in (found.points, found.surface, found.head, found.eyes):
        array.setflags(write=False)
    return found


def _frame() -> tuple[float, float]:
    """Pixels a centimetre, and the row of the canonical face's origin, that bring its five points to the frame's."""
    wanted = _FIVE * SIDE - np.array([0, 0.5])
    own = five_points(_canonical_points()).astype(np.float64)
    own_row, row = own[:, 1].mean(), wanted[:, 1].mean()
    centred, aim = own - np.array([0, own_row]), wanted - np.array([0, row])
    scale = float((centred * aim).sum() / np.square(centred).sum())
    return scale, float(row - scale * own_row)


def _canonical_points() -> FloatArray:
    """The canonical face with irises in the middle of its eyes, float32 (478, 3), centimetres."""
    face = canonical_mesh().vertices
    return np.concatenate([face, *(np.repeat(face[list(lids)].mean(0)[None], 5, 0) for lids in _EYELIDS)])


def _canonical_head(scale: float, down: float) -> HeadMesh:
    points = _canonical_points() * np.float32(scale) + np.array([(SIDE - 1) / 2, down, 0], np.float32)
    return head_mesh(Landmarks(points, 0.0, 0.0, 0.0, np.zeros(52, np.float32), 1.0, 1))


def _depth(head: HeadMesh) -> NDArray[np.float64]:
    """Depth of every pixel in pixels, (128, 128): a thin-plate spline; both halves alike."""
    knots = head.vertices[_facing(head)].astype(np.float64)
    left = pixel_grid(SIDE).reshape(SIDE, SIDE, 2)[:, : SIDE // 2].reshape(-1, 2)
    half = (spline(knots[:, :2], left, smooth=_SMOOTH) @ knots[:, 2]).reshape(SIDE, -1)
    half = half.clip(None, knots[:, 2].max())  # beyond the silhouette the spline would fall away for ever
    return np.concatenate([half, half[:, ::-1]], 1)


def _facing(head: HeadMesh) -> NDArray[np.bool_]:
    """Which vertices face the viewer of the frontal head."""
    triangles = topology().triangles
    a, b, c = (head.vertices[triangles[:, corner]].astype(np.float64) for corner in range(3))
    normals = np.zeros_like(head.vertices, np.float64)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    facing: NDArray[np.bool_] = -normals[:, 2] > _FACING * np.linalg.norm(normals, axis=1)
    return facing


def _outlined(head: HeadMesh) -> NDArray[np.bool_]:
    """Pixels of the head: inside the hull of its opaque vertices."""
    return _filled(head.vertices[head.alpha > 0.5, :2]) > 0


def _eyes(head: HeadMesh) -> FloatArray:
    import cv2

    widened = cv2.dilate(
        _filled(head.vertices[list(_EYELIDS[0]), :2]), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_LID, _LID))
    )
    return np.asarray(cv2.GaussianBlur(widened.astype(np.float32), (_EDGE, _EDGE), 0), np.float32)


def _filled(points: FloatArray) -> NDArray[np.uint8]:
    """1 inside the hull of points (N, 2) and of their mirror images, 0 elsewhere, uint8 (128, 128)."""
    import cv2

    empty = np.zeros((SIDE, SIDE), np.uint8)
    inside = np.asarray(cv2.fillConvexPoly(empty, cv2.convexHull(np.rint(points).astype(np.int32)), 1), np.uint8)
    return np.maximum(inside, inside[:, ::-1])
