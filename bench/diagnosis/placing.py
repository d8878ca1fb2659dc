"""Position of the five points of faces in chips, compared with the recogniser's template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.faces.landmarks.bundle import engine_is_here
from bench.images import resize
from bench.interfaces import ByteImages
from bench.media.similarity import fit_similarity
from bench.types import Points

NEAR = 6.0
"""Largest offset of a point in pixels of a chip 112 pixels high."""
_HEIGHT = 112
_DETECTION_HEIGHT = 224  # pixels: chips are enlarged to about this height for detection


@dataclass(frozen=True, slots=True)
class Placing:
    """Offsets of faces from the template.

    Attributes:
        images: number of chips.
        faces: number of chips in which five points were found.
        off: offset of each of the five points, in pixels of a chip 112 pixels high: the length of the median
            offset over faces. Empty where no face was found.
        frame_off: likewise for a rigid face: by how much the similarity that fits the five median offsets best moves
            each point. A wrong frame moves points here; a face of the wrong shape moves them in `off` alone.
    """

    images: int
    faces: int
    off: tuple[float, ...]
    frame_off: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """By how much the five points are off on average, which a wrong frame raises; infinite where no face is."""
        return sum(self.off) / len(self.off) if self.off else float("inf")

    @property
    def worst(self) -> float:
        """By how much the farthest point is off; infinite where no face was found."""
        return max(self.off, default=float("inf"))

    @property
    def worst_of_frame(self) -> float:
        """By how much the fitted similarity moves the farthest point; infinite where no face was found."""
        return max(self.frame_off, default=float("inf"))


def measure_offsets(chips: Sequence[ByteImages], targets: Sequence[Points]) -> Placing:
    """Measure the offsets of five points in chips, found by the face engine where it is installed, else by YuNet.

    Args:
        chips: RGB, uint8 (H, W, 3).
        targets: where the five points of each are expected, in its pixels: those of the recogniser's template.
    """
    pairs = zip(detect_points(chips), targets, strict=True)
    detected_pairs = [(points, aim) for points, aim in pairs if points is not None]
    if not detected_pairs:
        return Placing(len(chips), 0, ())
    detected = np.asarray([points for points, _ in detected_pairs], np.float64)
    expected = np.asarray([aim for _, aim in detected_pairs], np.float64)
    offsets = np.median(detected - expected, axis=0)
    mean_aim = expected.mean(axis=0)
    similarity = fit_similarity(_as_points(mean_aim), _as_points(mean_aim + offsets))
    rigid = np.column_stack([mean_aim, np.ones(len(mean_aim))]) @ similarity.T - mean_aim
    scale = _HEIGHT / chips[0].shape[0]
    return Placing(len(chips), len(detected_pairs), _lengths(offsets * scale), _lengths(rigid * scale))


def _as_points(points: NDArray[np.float64]) -> Points:
    return tuple((float(x), float(y)) for x, y in points)


def _lengths(offsets: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(length) for length in np.linalg.norm(offsets, axis=1))


def misplaced(probe: Placing, gallery: Placing, *, moved: bool) -> list[str]:
    """The frame or alignment as a cause, where faces of probes are not at the recogniser's template.

    Args:
        probe: offsets in chips of probes.
        gallery: offsets in chips of the gallery.
        moved: whether the hallucinator moves faces.
    """
    if probe.faces < max(4, probe.images // 4) or probe.mean <= NEAR:
        return []
    if not moved and gallery.faces >= 4 and probe.mean < gallery.mean + NEAR / 2:
        return []  # the data set's crop, alike on both sides
    beside = f", of the gallery {gallery.mean:.0f}" if gallery.faces >= 4 else ""
    cause = "frame" if moved else "alignment"
    flag = (
        "leave frame and --align away, or --align template:frame=FRAME with the frame of the hallucinator"
        if moved
        else "--align mtcnn, or yunet, looks for the face"
    )
    return [
        f"{cause}: in chips of probes, faces stand {probe.mean:.0f} pixels off the recogniser's template{beside} "
        f"({flag})"
    ]


def detect_points(images: Sequence[ByteImages]) -> list[Points | None]:
    """The five points of the face in each image, in its pixels; None where none is found."""
    from bench.align.yunet import YuNet

    points_of: list[Points | None] = [None] * len(images)
    enlarged = [_enlarged(image) for image in images]
    if engine_is_here():
        from bench.faces.landmarks.points import five_points

        for at, landmarks in enumerate(_engine().find(enlarged)):
            if landmarks is not None:
                points_of[at] = _shrunk(five_points(landmarks.points).tolist(), images[at], enlarged[at])
    left = [at for at, points in enumerate(points_of) if points is None]
    for at, points in zip(left, YuNet().find([enlarged[at] for at in left]), strict=True):
        if points is not None:
            points_of[at] = _shrunk(points, images[at], enlarged[at])
    return points_of


@lru_cache(maxsize=1)
def _engine():  # type: ignore[no-untyped-def]  # the class is imported where it can run
    from bench.faces.landmarks.mediapipe import FaceLandmarker

    return FaceLandmarker()


def _enlarged(image: ByteImages) -> ByteImages:
    times = max(1, round(_DETECTION_HEIGHT / image.shape[0]))
    return resize(image, image.shape[0] * times, image.shape[1] * times) if times > 1 else image


def _shrunk(points: Sequence[Sequence[float]], small: ByteImages, large: ByteImages) -> Points:
    """Points of the enlarged image in the pixels of the small one; origin at the first pixel's centre."""
    sy, sx = large.shape[0] / small.shape[0], large.shape[1] / small.shape[1]
    return tuple(((x + 0.5) / sx - 0.5, (y + 0.5) / sy - 0.5) for x, y in points)
