"""The reference: one generic head as a map with the 3D point of every pixel of the frontal frame."""

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
# Mean of the engine's five points of 400 aligned crops of UTKFace, from the middle and the upper edge, divided by the
# side. Truths of the frame utkface200 have these (`bench.align.template` has MTCNN's, up to two pixels away).
# They are symmetric, so that the plane of symmetry is between two columns and mirroring reverses the array.
_FIVE = np.array([[-0.1997, 0.2993], [0.1997, 0.2993], [0, 0.5337], [-0.1635, 0.6888], [0.1635, 0.6888]])
_EYELIDS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
_SMOOTH = 1.0  # ridge of the spline: lips and nostrils are smoothed, other parts are exact to half a millimetre
_FACING = 0.1  # least cosine to the viewer of the vertices of the surface
_LID, _EDGE = 5, 5  # pixels: kernels that dilate the eyes by the rims of the lids, and blur the result


@dataclass(frozen=True, slots=True)
class Reference:
    """The generic head, in centimetres: x to the image's right, y down, z away from the viewer.

    Attributes:
        points: float64 (68, 3), its landmarks of iBUG.
        surface: float64 (128, 128, 3), the point of each pixel of the frontal frame.
        pixels_per_cm: scale of the frame.
        head: bool (128, 128), pixels of the head; elsewhere the surface is extrapolated and shows the background.
        eyes: float32 (128, 128) in [0, 1], 1 in the eyes, where gaze is not symmetric.
    """

    points: NDArray[np.float64]
    surface: NDArray[np.float64]
    pixels_per_cm: float
    head: NDArray[np.bool_]
    eyes: FloatArray


@lru_cache(maxsize=1)
def reference() -> Reference:
    """The generic head in the frame ``utkface200``, 128 x 128.

    Hassner's file has the same for a rendered scan of a face. Here the map is the smoothest surface through the
    vertices of the canonical head that face the viewer. It has no discontinuities at nose and silhouette, which would
    tear the image of any face of another shape than the generic one. It needs no renderer and extends to the border.
    """
    scale, down = _frame()
    head = _canonical_head(scale, down)
    depth = _depth(head)
    x, y = np.moveaxis(pixel_grid(SIDE).reshape(SIDE, SIDE, 2), 2, 0)
    surface = np.stack([x - (SIDE - 1) / 2, y - down, depth], 2) / scale
    points = canonical_mesh().vertices[list(SIXTY_EIGHT)].astype(np.float64)
    generic = Reference(points, surface, scale, _outline(head), _eyes(head))
    for array in (generic.points, generic.surface, generic.head, generic.eyes):
        array.setflags(write=False)
    return generic


def _frame() -> tuple[float, float]:
    """Scale (pixels per centimetre) and row of the origin that map the canonical five points to the frame's."""
    target = _FIVE * SIDE - np.array([0, 0.5])
    source = five_points(_canonical_points()).astype(np.float64)
    source_row, row = source[:, 1].mean(), target[:, 1].mean()
    a, b = source - np.array([0, source_row]), target - np.array([0, row])
    scale = float((a * b).sum() / np.square(a).sum())
    return scale, float(row - scale * source_row)


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
    half = half.clip(None, knots[:, 2].max())  # beyond the silhouette the depth of the spline would grow without limit
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


def _outline(head: HeadMesh) -> NDArray[np.bool_]:
    """Pixels of the head: inside the hull of its opaque vertices."""
    return _fill_hull(head.vertices[head.alpha > 0.5, :2]) > 0


def _eyes(head: HeadMesh) -> FloatArray:
    import cv2

    widened = cv2.dilate(
        _fill_hull(head.vertices[list(_EYELIDS[0]), :2]), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_LID, _LID))
    )
    return np.asarray(cv2.GaussianBlur(widened.astype(np.float32), (_EDGE, _EDGE), 0), np.float32)


def _fill_hull(points: FloatArray) -> NDArray[np.uint8]:
    """1 inside the hull of points (N, 2) and of their mirror images, 0 elsewhere, uint8 (128, 128)."""
    import cv2

    empty = np.zeros((SIDE, SIDE), np.uint8)
    inside = np.asarray(cv2.fillConvexPoly(empty, cv2.convexHull(np.rint(points).astype(np.int32)), 1), np.uint8)
    return np.maximum(inside, inside[:, ::-1])
