"""Training pairs from rendered views: moved by a similarity, reduced and mirrored at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bench.faces.pairs.pack import SIDE
from bench.faces.pairs.pairs import Jitter
from bench.images import ByteImages
from bench.media.low_resolution import to_low_resolution_batch
from bench.media.similarity import warp_bicubic
from hallucinators.training.data.views import RenderedViews, flow_to_float
from hallucinators.training.steps.batch import Batch

# The 68 points of iBUG 300-W in the order of a mirrored face.
MIRRORED_68 = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
)  # fmt: skip
MIRRORED_5 = (1, 0, 2, 4, 3)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges and shares of the random changes of each pair.

    Attributes:
        recipe: the paper's random similarity.
        mild: a second random similarity, closer to the crops of detectors.
        mild_share: share of pairs with the mild similarity.
        stretch: largest relative change of the aspect (mild pairs only).
        surround: share of the mild pairs with another image beyond their border, where others have their mirror image:
            a crop that is wider than the face shows a background that the face does not determine.
        mirror: share of pairs that are mirrored.
        frontal: share of pairs whose view is the photograph itself: all rendered views turn the head, and a network
            that warps pixels must also be trained not to move them.
        free_views: whether views of random yaw and pitch are used, beside those of the paper's yaws.
    """

    recipe: Jitter = Jitter()
    mild: Jitter = Jitter(rotation_deg=15.0, shift=0.18, scale=(0.55, 1.2))
    mild_share: float = 0.6
    stretch: float = 0.15
    surround: float = 0.5
    mirror: float = 0.5
    frontal: float = 0.25
    free_views: bool = True


def make_batch(
    views: RenderedViews,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    side: int,
    rng: np.random.Generator,
    augmentation: Augmentation,
    *,
    flow: bool = False,
    upright: bool = False,
) -> Batch:
    """Move, reduce and mirror views.

    Args:
        views: the rendered views.
        rows: indices of faces, int64 (N,).
        columns: indices of views, int64 (N,).
        side: side of the LR images.
        rng: random generator.
        augmentation: ranges of the random changes.
        flow: whether the batch has flow targets.
        upright: whether the batch has the turned face before it was moved, and the similarity.
    """
    mild = rng.random(len(rows)) < augmentation.mild_share
    matrices = np.stack([random_affine(rng, augmentation, mild=bool(m)) for m in mild])
    mirrored = rng.random(len(rows)) < augmentation.mirror
    on_another = mild & (rng.random(len(rows)) < augmentation.surround)
    others = rng.integers(0, len(views), len(rows))
    frontal = rng.random(len(rows)) < augmentation.frontal
    images = [
        views.wide[row] if still else views.view[row, column]
        for row, column, still in zip(rows, columns, frontal, strict=True)
    ]
    moved = np.stack(
        [
            warp_face(image, matrix, views.frontal[other][::-1] if surround else None)
            for image, matrix, other, surround in zip(images, matrices, others, on_another, strict=True)
        ]
    )
    lr = to_low_resolution_batch(moved, side)
    hr = np.stack([views.frontal[r] for r in rows]).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    landmarks, five = views.landmarks[rows].copy(), views.five[rows].copy()
    yaw = np.where(frontal, np.float32(0), views.angles_deg[rows, columns, 0])
    target = None
    if flow:
        target = flow_to_float(views.flow[rows, columns])
        target[frontal] = _frontal_flow(target[frontal], five[frontal])
        target = _move_flow(target, matrices)
    whole = _upright(images, views.margin, matrices, mirrored) if upright else (None, None)
    lr[mirrored], hr[mirrored] = lr[mirrored][..., ::-1], hr[mirrored][..., ::-1]
    landmarks[mirrored], five[mirrored] = (
        _mirror_points(landmarks[mirrored], MIRRORED_68),
        _mirror_points(five[mirrored], MIRRORED_5),
    )
    yaw[mirrored] *= -1
    if target is not None:
        target[mirrored] = target[mirrored][..., ::-1]
        target[mirrored, 0], target[mirrored, 2] = SIDE - 1 - target[mirrored, 0], SIDE - 1 - target[mirrored, 2]
    return Batch(
        torch.from_numpy(lr),
        torch.from_numpy(hr),
        torch.from_numpy(landmarks),
        torch.from_numpy(five),
        torch.from_numpy(yaw),
        torch.from_numpy(views.faces[rows].copy()),
        None if target is None else torch.from_numpy(target),
        *whole,
    )


def concatenate(parts: Sequence[Batch]) -> Batch:
    """Concatenate batches."""
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(part.parts() for part in parts), strict=True)
    return Batch(*(None if column[0] is None else torch.cat(column) for column in columns))  # type: ignore[arg-type]


def random_affine(rng: np.random.Generator, augmentation: Augmentation, *, mild: bool) -> NDArray[np.float64]:
    """A random affine matrix (2, 3) on pixels of the view."""
    jitter = augmentation.mild if mild else augmentation.recipe
    angle = np.deg2rad(rng.uniform(-jitter.rotation_deg, jitter.rotation_deg))
    scale = rng.uniform(*jitter.scale)
    stretch = 1 + (rng.uniform(-augmentation.stretch, augmentation.stretch) if mild else 0.0)
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = np.diag([np.sqrt(stretch), 1 / np.sqrt(stretch)]) @ turn
    centre = np.full(2, (SIDE - 1) / 2)
    shift = rng.uniform(-jitter.shift, jitter.shift, 2) * SIDE
    return np.hstack([linear, (centre - linear @ centre + shift)[:, None]])


def _upright(
    images: Sequence[ByteImages], margin: int, matrices: NDArray[np.float64], mirrored: NDArray[np.bool_]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The faces before they were moved, without surroundings, and the matrices, mirrored as the pairs are."""
    inside = slice(margin, margin + SIDE)
    faces = np.stack([image[inside, inside] for image in images]).transpose(0, 3, 1, 2).astype(np.float32)
    faces /= np.float32(255)
    moves = matrices.astype(np.float32)
    flip = np.array([[-1, 0, SIDE - 1], [0, 1, 0], [0, 0, 1]], np.float32)
    faces[mirrored] = faces[mirrored][..., ::-1]
    moves[mirrored] = flip[:2, :2] @ moves[mirrored] @ flip
    moves[mirrored, 0, 2] += SIDE - 1
    return torch.from_numpy(faces), torch.from_numpy(moves)


def warp_face(image: ByteImages, matrix: NDArray[np.float64], surround: ByteImages | None = None) -> ByteImages:
    """The image moved by a similarity; beyond its border another image, or its mirror image.

    ``matrix`` is in pixels of the face of 128 pixels; the image may be wider by the same margin on every side.
    """
    margin = (image.shape[0] - SIDE) // 2
    matrix = matrix.copy()
    matrix[:, 2] -= matrix[:, :2].sum(1) * margin
    if surround is not None:
        import cv2

        ground = surround.copy()
        cv2.warpAffine(
            image, matrix, (SIDE, SIDE), dst=ground, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_TRANSPARENT
        )
        return ground
    return warp_bicubic(image, matrix, SIDE)


def _frontal_flow(flow: NDArray[np.float32], five: NDArray[np.float32]) -> NDArray[np.float32]:
    """Flow targets (N, 7, h, w) of photographs used as their views: each point stays, and the opposite point is its
    mirror image across the line through the middles of eyes and mouth (N, 5, 2).
    """
    side = flow.shape[-1]
    axis = (np.arange(side, dtype=np.float32) + 0.5) * (SIDE / side) - 0.5
    place = np.stack(np.meshgrid(axis, axis))[None]
    eyes, mouth = five[:, :2].mean(1), five[:, 3:].mean(1)
    down = (mouth - eyes) / np.linalg.norm(mouth - eyes, axis=1, keepdims=True)
    across = np.stack([down[:, 1], -down[:, 0]], 1)[:, :, None, None]
    away = ((place - eyes[:, :, None, None]) * across).sum(1, keepdims=True)
    still = flow.copy()
    still[:, :2], still[:, 2:4], still[:, 4:6] = place, place - 2 * away * across, flow[:, 6:7]
    return still


def _move_flow(flow: NDArray[np.float32], matrices: NDArray[np.float64]) -> NDArray[np.float32]:
    """Apply the similarities (N, 2, 3) to the positions of flow targets (N, 7, h, w)."""
    moved = flow.copy()
    linear, shift = matrices[:, :, :2].astype(np.float32), matrices[:, :, 2].astype(np.float32)
    for first in (0, 2):
        moved[:, first : first + 2] = (
            np.einsum("nij,njhw->nihw", linear, flow[:, first : first + 2]) + shift[:, :, None, None]
        )
    return moved


def _mirror_points(points: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.float32]:
    swapped: NDArray[np.float32] = points[:, np.asarray(order)].copy()
    swapped[..., 0] = SIDE - 1 - swapped[..., 0]
    return swapped
