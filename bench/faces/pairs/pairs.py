"""Training pairs by the paper's recipe: a frontal truth, and the same face turned, transformed and downsampled.

Section V.A of Zhang et al. 2021: upright frontal HR at 128 x 128; non-frontal views by a 3D face model; unaligned LR
"by transforming and downsampling". The ranges of the transformation are not given there; ours are those of the authors'
earlier work (Yu and Porikli, TDN and TDAE): rotation within 45 degrees, shift within 5 % of the side, scale 0.8 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.landmarks.bundle import FloatArray
from bench.faces.landmarks.mediapipe import Landmarks
from bench.faces.landmarks.points import five_points, rotation, sixty_eight_points
from bench.faces.pairs.pack import SIDE, Pack
from bench.faces.render.mesh import head_mesh
from bench.faces.render.pose import prepare, render_poses
from bench.images import ByteImages
from bench.media.low_resolution import to_low_resolution
from bench.media.similarity import warp_bicubic

CELEBA_YAWS_DEG = (22.0, 40.0, 55.0, 75.0)


@dataclass(frozen=True, slots=True)
class Jitter:
    """Ranges of the random similarity between a view and its LR image.

    Attributes:
        rotation_deg: largest rotation to either side.
        shift: largest shift in x and in y, as a fraction of the side.
        scale: smallest and largest magnification.
    """

    rotation_deg: float = 45.0
    shift: float = 0.05
    scale: tuple[float, float] = (0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """One training pair.

    Attributes:
        name: file name of the photograph.
        yaw_deg: yaw of the view; positive turns the face to the image's right.
        frontal: the truth, RGB uint8 (128, 128, 3).
        view: the rendered face, upright, RGB uint8 (128, 128, 3).
        lr: the view after the similarity, antialiased, RGB uint8 (lr, lr, 3).
        landmarks: 68 points of the truth, float32 (68, 2), xy in its pixels.
        five: five points of the truth, float32 (5, 2).
        lr_five: the same points of the head in pixels of ``lr``, float32 (5, 2); they may be hidden there, or outside.
    """

    name: str
    yaw_deg: float
    frontal: ByteImages
    view: ByteImages
    lr: ByteImages
    landmarks: NDArray[np.float32]
    five: NDArray[np.float32]
    lr_five: NDArray[np.float32]


def make_pairs(
    packed: Pack,
    index: int,
    *,
    yaws_deg: Sequence[float] = CELEBA_YAWS_DEG,
    lr: int = 16,
    jitter: Jitter | None = None,
    seed: int = 0,
    oversample: int = 1,
    device: str = "cpu",
) -> list[Pair]:
    """Render the pairs of one face: each yaw to both sides.

    Args:
        packed: the pack.
        index: of the face.
        yaws_deg: yaws, rendered to both sides.
        lr: side of the LR images.
        jitter: ranges of the similarity; None uses the defaults.
        seed: of the similarity, together with the index; pass the epoch for new ones.
        oversample: of the renderer, see `bench.faces.render.pose.prepare`.
        device: torch device of the renderer.

    Returns:
        Two pairs a yaw, in order, the left one first.

    Raises:
        UsageError: no yaw, or an LR side outside 2 to 128.
    """
    if not yaws_deg or not 2 <= lr <= SIDE:
        raise UsageError(f"Pairs need yaws and an LR side of 2 to {SIDE}, not {list(yaws_deg)} and {lr}")
    face, landmarks = packed.face(index)
    turns = [sign * yaw for yaw in yaws_deg for sign in (-1.0, 1.0)]
    portrait = prepare(face, landmarks, SIDE, oversample=oversample)
    turned = render_poses([portrait], [rotation(yaw) for yaw in turns], device=device)
    rng = np.random.default_rng((seed, index))
    points = sixty_eight_points(landmarks.points)[:, :2].astype(np.float32)
    five = five_points(landmarks.points)[:, :2].astype(np.float32)
    pivot = head_mesh(landmarks).pivot
    pairs = []
    for yaw, view in zip(turns, turned, strict=True):
        matrix = random_similarity(rng, jitter or Jitter())
        lr_five = in_lr(turned_five(landmarks, yaw, pivot), lr, matrix)
        pairs.append(Pair(packed.names[index], yaw, face, view, warped(view, lr, matrix), points, five, lr_five))
    return pairs


def random_similarity(rng: np.random.Generator, jitter: Jitter, side: int = SIDE) -> NDArray[np.float64]:
    """Draw a similarity: float64 (2, 3), from pixels (x, y, 1) of a square image to those of the transformed one."""
    import cv2

    angle = rng.uniform(-jitter.rotation_deg, jitter.rotation_deg)
    scale = rng.uniform(*jitter.scale)
    centre = (side - 1) / 2
    matrix: NDArray[np.float64] = np.asarray(cv2.getRotationMatrix2D((centre, centre), angle, scale), np.float64)
    matrix[:, 2] += rng.uniform(-jitter.shift, jitter.shift, 2) * side
    return matrix


def warped(image: ByteImages, lr: int, matrix: NDArray[np.float64]) -> ByteImages:
    """Apply a similarity to a square image (bicubic, borders mirrored), then shrink it to an antialiased LR image."""
    return to_low_resolution(warp_bicubic(image, matrix, image.shape[0]), lr)


def turned_five(landmarks: Landmarks, yaw_deg: float, pivot: FloatArray | None = None) -> NDArray[np.float32]:
    """Five points of a face after its head is turned like `bench.faces.render.pose.render_poses` turns it.

    Args:
        landmarks: 478 points with depth.
        yaw_deg: positive turns the face to the image's right.
        pivot: float32 (3,) of the head's mesh; None computes it.

    Returns:
        float32 (5, 2), pixels of the photograph.

    Raises:
        DataError: there are not 478 finite points.
    """
    centre = (head_mesh(landmarks).pivot if pivot is None else pivot).astype(np.float64)
    return five_points(((landmarks.points - centre) @ rotation(yaw_deg).T + centre).astype(np.float32))


def in_lr(points: NDArray[np.float32], lr: int, matrix: NDArray[np.float64], side: int = SIDE) -> NDArray[np.float32]:
    """Transform points of a square image as `warped` transforms pixels: float32 (N, 2), pixels of the LR image."""
    moved = points.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray((moved + 0.5) * (lr / side) - 0.5, np.float32)
