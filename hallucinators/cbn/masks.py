"""CBN's landmarks: their positions in the upright turned face, and masks of the 14 curves through them."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.training.steps.batch import Batch

CURVES: tuple[tuple[int, ...], ...] = (
    tuple(range(17, 22)), tuple(range(22, 27)),  # brows
    (36, 37, 38, 39), (36, 41, 40, 39), (42, 43, 44, 45), (42, 47, 46, 45),  # lids
    tuple(range(27, 31)), tuple(range(31, 36)),  # bridge and base of the nose
    tuple(range(48, 55)), (60, 61, 62, 63, 64), (60, 67, 66, 65, 64), (48, 59, 58, 57, 56, 55, 54),  # lips
    tuple(range(0, 9)), tuple(range(8, 17)),  # jaw, one side each
)  # fmt: skip
"""Points of iBUG 300-W on each curve. The authors' 105 points give each brow two curves, the nose one and the jaw one
(zhusz/ECCV16-CBN, pt2mask.m); the 68 points have no lower edge of the brows, so nose and jaw are two curves each."""

_STEPS = 8  # points drawn between two landmarks


@lru_cache
def _curve_points() -> tuple[Tensor, Tensor]:
    """Points on the curves as weights of the 68 landmarks, float32 (P, 68), and the curve of each, int64 (P,).

    Between two landmarks the curve is a Catmull-Rom cubic, so its points are linear in the landmarks.
    """
    rows, curve_of = [], []
    for index, curve in enumerate(CURVES):
        for i in range(len(curve) - 1):
            around = [curve[min(max(j, 0), len(curve) - 1)] for j in range(i - 1, i + 3)]
            for step in range(_STEPS + (i == len(curve) - 2)):
                t = step / _STEPS
                weights = (
                    -0.5 * t + t**2 - 0.5 * t**3,
                    1 - 2.5 * t**2 + 1.5 * t**3,
                    0.5 * t + 2 * t**2 - 1.5 * t**3,
                    -0.5 * t**2 + 0.5 * t**3,
                )
                row = torch.zeros(68)
                for point, weight in zip(around, weights, strict=True):
                    row[point] += weight
                rows.append(row)
                curve_of.append(index)
    return torch.stack(rows), torch.tensor(curve_of)


@torch.no_grad()
def masks(landmarks: Tensor, *, side: int, half: int) -> Tensor:
    """Draw the curves.

    Args:
        landmarks: float (N, 68, 2), xy pixels of a face of 128, origin at the first pixel's centre.
        side: height and width of the masks.
        half: every point is dilated to a square that extends this many pixels to each side.

    Returns:
        float32 (N, 14, side, side) of 0 and 1; points outside the image are not drawn. No gradient.
    """
    weights, curve_of = (part.to(landmarks.device) for part in _curve_points())
    with torch.autocast(landmarks.device.type, enabled=False):
        points = torch.einsum("pk,nkc->npc", weights, landmarks.float())
    x, y = ((points + 0.5) * (side / SIDE) - 0.5).round().unbind(-1)
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)  # NaN is not inside
    at = curve_of * side**2 + torch.where(inside, y * side + x, torch.zeros_like(x)).long()
    drawn = torch.zeros(len(landmarks), len(CURVES) * side**2, device=landmarks.device)
    drawn = drawn.scatter_reduce(1, at, inside.float(), "amax").view(-1, len(CURVES), side, side)
    return F.max_pool2d(drawn, 2 * half + 1, 1, half) if half else drawn


@torch.no_grad()
def upright_landmarks(batch: Batch) -> Tensor:
    """The 68 points on the upright turned face (``batch.upright``), float32 (N, 68, 2), pixels.

    Batches have the landmarks of the frontal truth. ``flow`` maps them to the moved view, and the inverse of
    ``similarity`` maps that to the upright face. Points at the border of the head are as exact as a flow of 32 x 32.

    Raises:
        DataError: the batch lacks one of the two.
    """
    if batch.flow is None or batch.similarity is None:
        raise DataError("cbn: landmarks need batches with flow and upright faces; create their source with both")
    grid = ((batch.landmarks.float() + 0.5) * (2 / SIDE) - 1)[:, :, None]
    with torch.autocast(grid.device.type, enabled=False):
        moved = F.grid_sample(batch.flow[:, :2], grid, padding_mode="border", align_corners=False)[..., 0].mT
        linear, shift = batch.similarity[:, :, :2], batch.similarity[:, :, 2]
        upright: Tensor = (moved - shift[:, None]) @ torch.linalg.inv(linear).mT
    return upright
