"""``hassner``: frontalisation by landmarks, pose, one generic surface and soft symmetry, without learning."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bench.align.template import TRUTH_FRAME
from bench.errors import MissingError, UsageError, pip_install
from bench.faces.landmarks.bundle import engine_is_here, find_bundle
from bench.faces.landmarks.points import sixty_eight_points
from bench.images import resize_float, to_bytes
from bench.interfaces import HALLUCINATORS, FloatImages, Hallucinator
from bench.types import OK, ImageSpec, Outcome
from bench.weights import unchanged_weights, weights_file
from hallucinators.hassner.frontal import Symmetry, frontalise
from hallucinators.hassner.pose import camera, find_projection, magnification, scale_projection
from hallucinators.hassner.surface import SIDE, reference

if TYPE_CHECKING:
    from bench.faces.landmarks.mediapipe import Landmarker

DEPARTURES: tuple[str, ...] = (
    "landmarks: 68 of the face engine's in place of dlib's (or the paper's detector, SDM)",
    "reference: the engine's generic head in the frame utkface200, 128 x 128, in place of a scanned face at 320 x 320; "
    "the published kernels, threshold and eye mask are scaled to that size",
    "the surface is smooth and extends to the border of the frame: hair and background are warped too, not black",
    "beyond the photograph its border repeats and counts as hidden; the published code has black there",
    "the camera depends on the image's size; the published one fits only photographs of the size of LFW's",
    "small images are first enlarged to 128 pixels (bicubic), faces of 1.5 times the frame's size or more are reduced",
    "no selection by classifiers between the two outputs, which no published code has",
)
PAPER_PARAMETERS = 0
"""Only the landmark networks have parameters."""

_LARGE = 1.5  # times the face in the frame: a larger face is reduced first, since sampling does not average
_WHO = "Hallucinator hassner"
_ENGINE = f"It needs the package ai-edge-litert, which runs the face engine: {pip_install('ai-edge-litert')}."
_NO_FACE = Outcome("fallback", "hallucinate", "no landmarks found: passed on as it came, not frontalised")
_NO_POSE = Outcome("fallback", "hallucinate", "no pose fits the landmarks: passed on as it came, not frontalised")
_NOT_FINITE = Outcome("failed", "hallucinate", "input not finite")


def _missing() -> str | None:
    """Why it cannot run; None where it can."""
    try:
        find_bundle()
    except MissingError as error:
        return str(error)
    return None if engine_is_here() else _ENGINE


@HALLUCINATORS.register(
    "hassner",
    summary="Hassner et al.: frontalisation with one generic 3D surface. Any size, which it keeps.",
    source="Hassner, Harel, Paz, Enbar 2015, Effective face frontalization in unconstrained images (CVPR)",
    licence="Apache-2.0",
    missing=_missing,
    details=lambda: {
        "sizes": "any, given back; 128 x 128 inside",
        "aligned": "by itself; upright and frontal",
        "parameters": "none learned",
        "departures": DEPARTURES,
    },
)
class Hassner(Hallucinator):
    """A frontaliser for F+SR and SR+F; a face without detected landmarks is returned unchanged, as a fallback."""

    output_spec = ImageSpec(scale=1)
    output_frame = TRUTH_FRAME

    def __init__(self, *, symmetry: Symmetry = "auto", landmarks: Literal["engine"] = "engine") -> None:
        """Find the landmark networks.

        Args:
            symmetry: whether the hidden side is filled from the other one: by the published rule (``auto``), which
                does so for small turns already, ``always``, or ``never`` (the raw frontal face).
            landmarks: the landmark detector: the face engine.

        Raises:
            MissingError: the face engine is not installed.
            DataError: its networks cannot be read.
        """
        self._bundle = find_bundle()
        if not engine_is_here():
            raise MissingError(f"{_WHO}: {_ENGINE}")
        self.weights = (weights_file(self._bundle, wanted_by=_WHO, how_to_get=""),)
        self._symmetry: Symmetry = symmetry

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Frontalise float32 (N, 3, h, w) in [0, 1]; the same shape."""
        return self.hallucinate_counted(lr)[0]

    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """As `hallucinate`, and the outcome of each face: a fallback without landmarks or pose.

        Raises:
            UsageError: no RGB batch, or an empty one.
        """
        if lr.ndim != 4 or lr.shape[1] != 3 or not len(lr) or min(lr.shape[2:]) < 2:
            raise UsageError(f"hassner takes RGB faces (N, 3, h, w), N of 1 or more, not {lr.shape}.")
        results = [self._frontalise(image[None]) for image in lr]
        height, width = lr.shape[2:]
        images = [_resize(image, height, width) if image.shape[2:] != lr.shape[2:] else image for image, _ in results]
        return np.concatenate(images), [outcome for _, outcome in results]

    def _frontalise(self, image: FloatImages) -> tuple[FloatImages, Outcome]:
        """One face, (1, 3, h, w) to (1, 3, 128, 128); the face itself without landmarks or pose."""
        if not np.isfinite(image).all():
            return np.zeros_like(image), _NOT_FINITE
        image = image.clip(0, 1)
        photo = _enlarge(image)
        landmarks = self._landmarker.find([to_bytes(photo)[0]])[0]
        if landmarks is None:
            return image, _NO_FACE
        generic = reference()
        image_points = sixty_eight_points(landmarks.points)[:, :2].astype(np.float64)
        projection = find_projection(image_points, generic.points, camera(*photo.shape[2:]))
        if projection is None:
            return image, _NO_POSE
        photo, projection = _reduce(photo, projection, magnification(projection) / generic.pixels_per_cm)
        pixels = np.ascontiguousarray(photo[0].transpose(1, 2, 0))
        frontal = frontalise(pixels, projection, generic, self._symmetry)
        return np.ascontiguousarray(frontal.transpose(2, 0, 1)[None]).clip(0, 1), OK

    @cached_property
    def _landmarker(self) -> Landmarker:
        from bench.faces.landmarks.mediapipe import FaceLandmarker

        with unchanged_weights(*self.weights):
            return FaceLandmarker(self._bundle)


def _enlarge(image: FloatImages) -> FloatImages:
    """Enlarge an image so that its longer side is at least that of the frame."""
    height, width = image.shape[2:]
    factor = SIDE / max(height, width)
    return image if factor <= 1 else _resize(image, max(2, round(height * factor)), max(2, round(width * factor)))


def _reduce(
    photo: FloatImages, projection: NDArray[np.float64], times: float
) -> tuple[FloatImages, NDArray[np.float64]]:
    """Reduce photograph and projection if the face is more than `_LARGE` times that of the frame (``times``)."""
    if times <= _LARGE:
        return photo, projection
    height, width = photo.shape[2:]
    small = _resize(photo, max(2, round(height / times)), max(2, round(width / times)))
    return small, scale_projection(projection, small.shape[2] / height, small.shape[3] / width)


def _resize(image: FloatImages, height: int, width: int) -> FloatImages:
    return resize_float(image, height, width).clip(0, 1)
