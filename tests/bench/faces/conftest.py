"""What the tests of the face engine share: a real bundle, and a face that nobody has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from bench.faces.landmarks.bundle import canonical_mesh, find_bundle
from bench.faces.landmarks.mediapipe import FaceLandmarker, Landmarks
from bench.faces.landmarks.points import angles, rotation
from bench.interfaces import ByteImages


@pytest.fixture(scope="session")
def bundle() -> Path:
    return find_bundle()


@pytest.fixture(scope="session")
def landmarker(bundle: Path) -> FaceLandmarker:
    return FaceLandmarker(bundle)


def drawn_place(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, side: int = 200) -> Landmarks:
    """The canonical face in a pose, 60 % of an image wide, with irises."""
    mesh = canonical_mesh()
    eyes = np.stack([mesh.vertices[[33, 133]].mean(0), mesh.vertices[[362, 263]].mean(0)])
    points = np.concatenate([mesh.vertices, np.repeat(eyes, 5, axis=0)]).astype(np.float64)
    scale = 0.6 * side / 15.5
    turned = points @ rotation(yaw, pitch, roll).T * scale + [side / 2, side / 2, 0.0]
    pose = angles(rotation(yaw, pitch, roll))
    return Landmarks(turned.astype(np.float32), *pose, np.zeros(52, np.float32), 1.0, 1)


def drawn_head(landmarks: Landmarks, side: int = 200) -> ByteImages:
    """A drawn head on those points: skin lit by depth, hair, brows, eyes, nose and lips; softened."""
    mesh = canonical_mesh()
    points, over = landmarks.points, 4
    image = Image.new("RGB", (side * over, side * over), (70, 110, 150))
    pen = ImageDraw.Draw(image)

    def shape(indices: list[int], colour: tuple[int, int, int]) -> None:
        pen.polygon([(float(x) * over, float(y) * over) for x, y in points[indices, :2]], fill=colour)

    (left, top), (right, bottom) = points[:, :2].min(0) * over, points[:, :2].max(0) * over
    width, height = right - left, bottom - top
    pen.rectangle([left + 0.3 * width, bottom - 0.2 * height, right - 0.3 * width, side * over], fill=(175, 125, 100))
    pen.ellipse([left - 0.1 * width, top - 0.3 * height, right + 0.1 * width, bottom - 0.1 * height], fill=(50, 35, 25))
    corners = points[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    lit = 0.55 + 0.45 * np.clip(-normals @ np.array([0.3, 0.4, 0.87]), 0, 1)
    for k in np.argsort(-corners[:, :, 2].mean(1)):
        red, green, blue = (int(v * lit[k]) for v in (232, 182, 150))
        shape([int(v) for v in mesh.triangles[k]], (red, green, blue))
    for lid, iris, brow in (
        ([33, 160, 159, 158, 133, 153, 145, 144], 468, [70, 63, 105, 66, 107, 55, 65, 52, 53, 46]),
        ([362, 385, 386, 387, 263, 373, 374, 380], 473, [336, 296, 334, 293, 300, 276, 283, 282, 295, 285]),
    ):
        shape(lid, (240, 240, 240))
        x, y = (float(v) * over for v in points[iris, :2])
        pen.ellipse([x - 0.028 * width, y - 0.028 * width, x + 0.028 * width, y + 0.028 * width], fill=(40, 25, 20))
        shape(brow, (60, 40, 30))
    shape([61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91], (170, 70, 75))
    pen.line([tuple(float(v) * over for v in points[k, :2]) for k in (78, 13, 308)], fill=(90, 30, 35), width=over)
    for k in (98, 327):
        x, y = (float(v) * over for v in points[k, :2])
        pen.ellipse([x - 3 * over, y - 2 * over, x + 3 * over, y + 1 * over], fill=(120, 75, 60))
    small = image.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(1.0))
    return np.asarray(small, np.uint8).copy()


@pytest.fixture(scope="session")
def place(bundle: Path) -> Callable[..., Landmarks]:
    return drawn_place


@pytest.fixture(scope="session")
def mannequin(bundle: Path) -> Callable[..., ByteImages]:
    return drawn_head
