"""Batches of pairs from rendered views: moved, shrunk and mirrored anew at every step, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.pack import SIDE
from bench.faces.pairs import Jitter
from bench.images import ByteImages, resize_float
from hallucinators.training.batch import Batch
from hallucinators.training.views import RenderedViews, flow_to_float

# What each of the 68 points of iBUG 300-W becomes in a mirror.
MIRRORED_68 = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
)  # fmt: skip
MIRRORED_5 = (1, 0, 2, 4, 3)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What is drawn for each pair.

    Attributes:
        recipe: the paper's random similarity.
        mild: another one, nearer to what detectors hand over, with other framings.
        mild_share: share of pairs that take the mild one.
        stretch: height against width changes by up to this fraction (mild ones only).
        surround: share of the mild ones that are laid on another picture, where others go on mirrored at their border:
            a crop that is wider than the face shows things the face does not tell.
        mirror: share of pairs that are mirrored.
        frontal: share of pairs whose view is the photograph itself, as near-frontal as it is: rendered views all turn
            the head, and what carries pixels must also learn to leave them where they are.
    """

    recipe: Jitter = Jitter()
    mild: Jitter = Jitter(rotation_deg=15.0, shift=0.18, scale=(0.55, 1.2))
    mild_share: float = 0.6
    stretch: float = 0.15
    surround: float = 0.5
    mirror: float = 0.5
    frontal: float = 0.25


class PairSource:
    """Batches for training, and fixed ones of people left out of it.

    ``batch(step)`` depends on the seed, the rank and the step alone, so that a resumed run sees the same data. LR sides
    alternate from step to step; a batch has one.
    """

    def __init__(
        self,
        train: RenderedViews,
        held_out: RenderedViews,
        *,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        sides: Sequence[int] = (16,),
        augmentation: Augmentation | None = None,
        flow: bool = False,
        held_out_pairs: int = 256,
    ) -> None:
        """Say what to draw from.

        Args:
            train: views of the people trained on.
            held_out: views of people left out.
            batch_size: pairs a batch, of this rank.
            seed: of everything drawn.
            rank: of this process; each draws other pairs.
            ranks: how many there are.
            sides: of the LR images, taking turns.
            augmentation: None takes the defaults.
            flow: whether batches carry flow targets.
            held_out_pairs: how many pairs `held_out` gives.

        Raises:
            UsageError: a number is out of range.
        """
        fit = batch_size >= 1 and 0 <= rank < ranks and batch_size * ranks <= len(train)
        if not fit or not sides or not all(2 <= side <= SIDE for side in sides):
            raise UsageError(
                f"Batches of {batch_size} x {ranks} pairs, rank {rank}, LR sides {list(sides)}, from {len(train)} "
                f"faces: give one side or more, of 2 to {SIDE}, and no more pairs a step than there are faces"
            )
        if seed < 0 or held_out_pairs < 1 or not len(held_out):
            raise UsageError(
                f"{held_out_pairs} held-out pairs of {len(held_out)} faces, seed {seed}: give one or more of each, and "
                "a seed that is not negative"
            )
        self._train, self._held_out = train, held_out
        self._size, self._seed, self._rank, self._ranks = batch_size, seed, rank, ranks
        self._sides, self._flow, self._held_out_pairs = tuple(sides), flow, held_out_pairs
        self._augmentation = augmentation or Augmentation()

    def batch(self, step: int) -> Batch:
        """The pairs of one step."""
        whole = self._size * self._ranks
        epoch, place = divmod(step, len(self._train) // whole)
        order = np.random.default_rng((self._seed, epoch, 0x6570)).permutation(len(self._train))
        start = place * whole + self._rank * self._size
        rows = order[start : start + self._size]
        rng = np.random.default_rng((self._seed, step, self._rank, 0x7374))
        side = self._sides[step % len(self._sides)]
        columns = rng.integers(0, self._train.view.shape[1], len(rows))
        return make_batch(self._train, rows, columns, side, rng, self._augmentation, flow=self._flow)

    def held_out(self) -> list[Batch]:
        """Fixed pairs of people left out: the recipe's views and similarity, for each side of LR images."""
        plain = Augmentation(mild_share=0.0, mirror=0.0, frontal=0.0)
        fixed = len(self._held_out.facts["facts"]["plan"]["yaws_deg"]) * 2 or self._held_out.view.shape[1]
        count = min(self._held_out_pairs, len(self._held_out) * fixed)
        batches = []
        for side in self._sides:
            rng = np.random.default_rng((self._seed, 0x686F))
            for start in range(0, count, self._size):
                at = np.arange(start, min(start + self._size, count))
                rows = at % len(self._held_out)
                columns = (rows + at // len(self._held_out)) % fixed
                batches.append(make_batch(self._held_out, rows, columns, side, rng, plain, flow=self._flow))
        return batches


def make_batch(
    views: RenderedViews,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    side: int,
    rng: np.random.Generator,
    augmentation: Augmentation,
    *,
    flow: bool = False,
) -> Batch:
    """Move, shrink and mirror views.

    Args:
        views: where they come from.
        rows: faces, int64 (N,).
        columns: views of each, int64 (N,).
        side: of the LR images.
        rng: draws similarity and mirroring.
        augmentation: their ranges.
        flow: whether to give flow targets.
    """
    mild = rng.random(len(rows)) < augmentation.mild_share
    matrices = np.stack([_similarity(rng, augmentation, mild=bool(m)) for m in mild])
    mirrored = rng.random(len(rows)) < augmentation.mirror
    laid = mild & (rng.random(len(rows)) < augmentation.surround)
    others = rng.integers(0, len(views), len(rows))
    frontal = rng.random(len(rows)) < augmentation.frontal
    shown = [
        views.frontal[row] if still else views.view[row, column]
        for row, column, still in zip(rows, columns, frontal, strict=True)
    ]
    moved = np.stack(
        [
            _moved(image, matrix, views.frontal[other][::-1] if on_another else None)
            for image, matrix, other, on_another in zip(shown, matrices, others, laid, strict=True)
        ]
    )
    lr = _shrunk(moved, side)
    hr = np.stack([views.frontal[r] for r in rows]).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    landmarks, five = views.landmarks[rows].copy(), views.five[rows].copy()
    yaw = np.where(frontal, np.float32(0), views.angles_deg[rows, columns, 0])
    target = None
    if flow:
        target = flow_to_float(views.flow[rows, columns])
        target[frontal] = _frontal_flow(target[frontal], five[frontal])
        target = _moved_flow(target, matrices)
    lr[mirrored], hr[mirrored] = lr[mirrored][..., ::-1], hr[mirrored][..., ::-1]
    landmarks[mirrored], five[mirrored] = (
        _mirrored_points(landmarks[mirrored], MIRRORED_68),
        _mirrored_points(five[mirrored], MIRRORED_5),
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
    )


def _similarity(rng: np.random.Generator, augmentation: Augmentation, *, mild: bool) -> NDArray[np.float64]:
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


def _moved(image: ByteImages, matrix: NDArray[np.float64], surround: ByteImages | None = None) -> ByteImages:
    """The image moved; beyond its border another one (upside down, so that it is no second face), or its mirror."""
    import cv2

    if surround is not None:
        ground = surround.copy()
        cv2.warpAffine(
            image, matrix, (SIDE, SIDE), dst=ground, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_TRANSPARENT
        )
        return ground
    moved = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def _shrunk(images: ByteImages, side: int) -> NDArray[np.float32]:
    """Antialiased bicubic, rounded to 8 bits as a stored LR image is: float32 (N, 3, side, side)."""
    small = resize_float(images.transpose(0, 3, 1, 2).astype(np.float32), side, side)
    rounded: NDArray[np.float32] = np.rint(small.clip(0, 255)).astype(np.float32) / np.float32(255)
    return rounded


def _frontal_flow(flow: NDArray[np.float32], five: NDArray[np.float32]) -> NDArray[np.float32]:
    """Flow targets (N, 7, h, w) of photographs that are their own view: every point stays, and the one opposite is its
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


def _moved_flow(flow: NDArray[np.float32], matrices: NDArray[np.float64]) -> NDArray[np.float32]:
    """Carry the positions of flow targets (N, 7, h, w) through the similarities (N, 2, 3)."""
    moved = flow.copy()
    linear, shift = matrices[:, :, :2].astype(np.float32), matrices[:, :, 2].astype(np.float32)
    for first in (0, 2):
        moved[:, first : first + 2] = (
            np.einsum("nij,njhw->nihw", linear, flow[:, first : first + 2]) + shift[:, :, None, None]
        )
    return moved


def _mirrored_points(points: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.float32]:
    swapped: NDArray[np.float32] = points[:, np.asarray(order)].copy()
    swapped[..., 0] = SIDE - 1 - swapped[..., 0]
    return swapped
