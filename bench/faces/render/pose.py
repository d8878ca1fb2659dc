"""Render the head of a photograph at any pose, or frontalise it, in front of its inpainted background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.landmarks.bundle import FloatArray
from bench.faces.landmarks.mediapipe import Landmarks, check_image
from bench.faces.landmarks.points import rotation
from bench.faces.render.background import split
from bench.faces.render.mesh import HeadMesh, head_mesh, topology
from bench.images import resize, to_bytes, to_float
from bench.interfaces import ByteImages

if TYPE_CHECKING:
    from torch import Tensor

_INPAINTED_DEG = 8.0  # from this rotation on the background behind the head is entirely inpainted
_MOST_PIXELS = 2**18  # of a chunk of views on a CPU: fastest where it fits the cache
_MOST_PIXELS_GPU = 2**25
_AMBIENT, _DIFFUSE = 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photograph prepared for rendering.

    Attributes:
        mesh: the head, in pixels of the texture.
        texture: float32 (3, F, F) in [0, 1]: the photograph on a square, mirrored at its borders.
        head: float32 (3, F, F): the head, extended over the background.
        smooth: float32 (3, F, F): the same, blurred.
        background: float32 (3, F, F): the photograph without the head.
        replaced: float32 (1, F, F) in [0, 1]: where the background is inpainted.
        size: side of the views.
        oversample: F / size; views are averaged down by it, so that silhouettes are smooth.
        bundle: of the canonical mesh.
    """

    mesh: HeadMesh
    texture: FloatArray
    head: FloatArray
    smooth: FloatArray
    background: FloatArray
    replaced: FloatArray
    size: int
    oversample: int
    bundle: Path | None = None


def prepare(
    photo: ByteImages, landmarks: Landmarks, size: int = 128, *, oversample: int = 2, bundle: Path | None = None
) -> Portrait:
    """Build the mesh and the background of a photograph, for any number of views.

    Args:
        photo: RGB, uint8 (h, w, 3); the longer side fills the views.
        landmarks: 478 points of its face.
        size: side of the square views.
        oversample: 1 (fast) or more (smooth silhouettes).
        bundle: of the canonical mesh; by default the package's.

    Raises:
        UsageError: not an RGB photograph, or size or oversample below 1.
        DataError: there are not 478 finite points.
    """
    import torch

    check_image(photo)
    if size < 1 or oversample < 1:
        raise UsageError(f"Size and oversample are 1 or more, not {size} and {oversample}")
    side = size * oversample
    canvas, scale, shift = _square(photo, side)
    points = landmarks.points * np.float32(scale)
    points[:, :2] += shift.astype(np.float32)
    mesh = head_mesh(
        Landmarks(points, landmarks.yaw_deg, landmarks.pitch_deg, landmarks.roll_deg, landmarks.expression, 1.0, 1),
        bundle,
    )
    texture = torch.from_numpy(to_float([canvas]))
    layers = (tensor[0].numpy() for tensor in (texture, *split(mesh, texture, bundle)))
    image, head, smooth, background, replaced = layers
    return Portrait(mesh, image, head, smooth, background, replaced, size, oversample, bundle)


def turn(
    photo: ByteImages,
    landmarks: Landmarks,
    yaw_deg: float,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
    size: int = 128,
    light: Sequence[float] | None = None,
    *,
    bundle: Path | None = None,
) -> ByteImages:
    """Rotate the head of a near-frontal photograph; angles are relative to its pose, and zero reproduces it.

    Args:
        photo: RGB, uint8 (h, w, 3).
        landmarks: 478 points of its face.
        yaw_deg: positive turns the face to the image's right; useful to 90 either way.
        pitch_deg: positive looks up.
        roll_deg: positive turns clockwise.
        size: side of the view.
        light: direction towards a lamp (x right, y down, z away from the camera), or None to keep the photograph's.
        bundle: of the canonical mesh; by default the package's.

    Returns:
        RGB, uint8 (size, size, 3).

    Raises:
        UsageError: an argument is out of range or not finite.
        DataError: the landmarks are unusable.
    """
    portrait = prepare(photo, landmarks, size, bundle=bundle)
    view: ByteImages = render_poses([portrait], [rotation(yaw_deg, pitch_deg, roll_deg)], lights=[light])[0]
    return view


def frontalise(
    photo: ByteImages,
    landmarks: Landmarks,
    size: int = 128,
    light: Sequence[float] | None = None,
    *,
    symmetry: float = 1.0,
    bundle: Path | None = None,
) -> ByteImages:
    """Rotate the head of a photograph to the frontal pose.

    Skin that is hidden in the photograph is blended with that of the other side of the face where it is better visible.

    Args:
        photo: RGB, uint8 (h, w, 3).
        landmarks: 478 points of its face; their rigid fit gives the pose to undo.
        size: side of the view.
        light: see `turn`.
        symmetry: 0 (hidden skin stays stretched) to 1.
        bundle: of the canonical mesh; by default the package's.

    Returns:
        RGB, uint8 (size, size, 3).

    Raises:
        UsageError: an argument is out of range or not finite.
        DataError: the landmarks are unusable.
    """
    portrait = prepare(photo, landmarks, size, bundle=bundle)
    view: ByteImages = render_poses([portrait], [portrait.mesh.rotation.T], lights=[light], symmetry=symmetry)[0]
    return view


def render_poses(
    portraits: Sequence[Portrait],
    rotations: Sequence[NDArray[np.float64]],
    *,
    lights: Sequence[Sequence[float] | None] | None = None,
    symmetry: float = 1.0,
    device: str = "cpu",
) -> ByteImages:
    """Render N views as one batch.

    Args:
        portraits: N of one size; or one, used for every view.
        rotations: N matrices (3, 3) that rotate the head from its pose in the photograph.
        lights: N directions towards a lamp, or None for the photograph's own light.
        symmetry: weight of the other side of the face for hidden skin, 0 to 1.
        device: torch device.

    Returns:
        RGB, uint8 (N, size, size, 3).

    Raises:
        UsageError: numbers or sizes do not fit, an angle or light is not finite, or there is no view.
    """
    lamps = [None] * len(rotations) if lights is None else list(lights)
    people = list(portraits) * len(rotations) if len(portraits) == 1 else list(portraits)
    if not rotations or len(people) != len(rotations) or len(lamps) != len(rotations):
        raise UsageError(f"{len(portraits)} portraits, {len(rotations)} rotations and {len(lamps)} lights do not fit")
    first = people[0]
    if any((p.size, p.oversample, p.bundle) != (first.size, first.oversample, first.bundle) for p in people):
        raise UsageError("The portraits of a batch have one size")
    if not np.isfinite(np.stack(rotations)).all() or not 0 <= symmetry <= 1:
        raise UsageError("A pose needs finite angles, and symmetry lies in 0..1")
    turns, light = np.stack(rotations), _shading(lamps)
    side = first.size * first.oversample
    step = max(1, (_MOST_PIXELS if device == "cpu" else _MOST_PIXELS_GPU) // side**2)
    parts = []
    for start in range(0, len(people), step):
        some = slice(start, start + step)
        parts.append(to_bytes(_views(people[some], turns[some], light[some], symmetry, device).cpu().numpy()))
    return np.concatenate(parts)


def _views(
    people: list[Portrait], rotations: NDArray[np.float64], lamps: FloatArray, symmetry: float, device: str
) -> Tensor:
    """Images float32 (N, 3, size, size)."""
    import torch
    from torch.nn import functional

    from bench.faces.render.rasteriser import interpolate, rasterise, sample

    shape = topology(people[0].bundle)
    triangles = torch.from_numpy(shape.triangles).to(device)
    mirror = torch.from_numpy(shape.mirror).to(device)

    def gather(name: str, of: str = "") -> Tensor:
        values = [getattr(getattr(p, of) if of else p, name) for p in people]
        if all(value is values[0] for value in values):
            return torch.from_numpy(values[0]).to(device)[None].expand(len(values), *values[0].shape)
        return torch.from_numpy(np.stack(values)).to(device)

    turn_by = torch.from_numpy(rotations.astype(np.float32)).to(device)
    vertices, uv, alpha, pivot = (gather(name, "mesh") for name in ("vertices", "uv", "alpha", "pivot"))
    turned = (vertices - pivot[:, None]) @ turn_by.mT + pivot[:, None]
    before, after = normals(vertices, triangles), normals(turned, triangles)

    before_z, other_z, seen = -before[:, :, 2], -before[:, mirror, 2], -after[:, :, 2]
    borrowed = symmetry * ((seen - before_z - 0.05) / 0.3).clamp(0, 1) * ((other_z - before_z - 0.1) / 0.4).clamp(0, 1)
    stretch = seen / torch.maximum(before_z, torch.where(borrowed > 0.5, other_z, before_z)).clamp(min=0.05)
    blurred = ((stretch - 3.5) / 4).clamp(0, 1) * ((seen - before_z - 0.05) / 0.3).clamp(0, 1)
    shade = _lamp(after, torch.from_numpy(lamps).to(device))
    side = people[0].size * people[0].oversample
    raster = rasterise(turned, triangles, side)
    stacked = [uv, uv[:, mirror], *(value[..., None] for value in (alpha, borrowed, blurred, shade))]
    pixels = interpolate(raster, triangles, torch.cat(stacked, 2))
    opaque, share, soft, lit = torch.split(pixels[:, 4:], 1, 1)
    cosine = ((turn_by.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1)
    inpainted = (torch.rad2deg(torch.arccos(cosine)) / _INPAINTED_DEG).clamp(0, 1)[:, None, None, None]
    texture = gather("texture")
    skin = texture + inpainted * (gather("head") - texture)
    layers = torch.cat([skin, gather("smooth")], 1)
    colours = sample(layers, pixels[:, :2])
    if bool((share > 0).any()):
        colours = colours + share * (sample(layers, pixels[:, 2:4]) - colours)
    head = colours[:, :3] + soft * (colours[:, 3:] - colours[:, :3])
    behind = texture + inpainted * gather("replaced") * (gather("background") - texture)
    image = (head * lit).clamp(0, 1) * opaque + behind * (1 - opaque)
    return functional.avg_pool2d(image, people[0].oversample)


def normals(vertices: Tensor, triangles: Tensor) -> Tensor:
    """Unit normals of vertices, pointing out: float32 (N, V, 3); mean of the triangles around, weighted by area."""
    import torch

    a, b, c = (vertices[:, triangles[:, k]] for k in range(3))
    faces = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for k in range(3):
        total.index_add_(1, triangles[:, k], faces)
    return torch.nn.functional.normalize(total, dim=2)


def _shading(lamps: Sequence[Sequence[float] | None]) -> FloatArray:
    """Unit directions (N, 3); zero to keep the photograph's light."""
    rows = np.zeros((len(lamps), 3), np.float32)
    for row, lamp in zip(rows, lamps, strict=True):
        if lamp is None:
            continue
        direction = np.asarray(lamp, np.float64)
        if direction.shape != (3,) or not np.isfinite(direction).all() or not direction.any():
            raise UsageError(f"A light is a direction of three finite numbers, not {lamp!r}")
        row[:] = direction / np.linalg.norm(direction)
    return rows


def _lamp(normal: Tensor, lamps: Tensor) -> Tensor:
    """Factor on the colour of each vertex (N, V); 1 without a lamp.

    Lambert's law over an ambient term. A lamp at the camera leaves a frontal surface nearly as it is.
    """
    facing = (normal * lamps[:, None]).sum(2).clamp(min=0)
    lit = _AMBIENT + _DIFFUSE * facing
    return lit + (1 - lit) * (lamps == 0).all(1).float()[:, None]


def _square(photo: ByteImages, side: int) -> tuple[ByteImages, float, NDArray[np.float64]]:
    """The photograph on a square canvas, and the mapping of its pixels: x' = scale x + shift."""
    height, width = photo.shape[:2]
    scale = side / max(height, width)
    new = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = resize(photo, *new)
    before = [(side - length) // 2 for length in new]
    pad = [(start, side - length - start) for start, length in zip(before, new, strict=True)]
    canvas = np.pad(small, [*pad, (0, 0)], mode="symmetric")
    shift = np.array([before[1], before[0]]) + 0.5 * scale - 0.5
    return canvas, scale, shift
