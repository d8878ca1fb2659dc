"""478 points with depth, head pose and expression of a photograph, by the networks of MediaPipe's FaceLandmarker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
from bench.faces.landmarks.blazeface import BlazeFace, Detection, crop, load_network
from bench.faces.landmarks.bundle import (
    BLENDSHAPES,
    DETECTOR,
    LANDMARKS,
    FloatArray,
    canonical_mesh,
    find_bundle,
    read_member,
)
from bench.faces.landmarks.points import angles, head_rotation
from bench.interfaces import ByteImages

_SIDE = 256
_MARGIN = 1.5  # the crop's side over the longer side of the face's box
_POINTS, _EXPRESSIONS = 478, 52

# The points that the expression network takes as input, as published with the model.
_READ = (
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80),
    *(81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153),
    *(154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249),
    *(251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314),
    *(317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382),
    *(384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, *range(468, 478)),
)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """One face of an image.

    Attributes:
        points: float32 (478, 3), or (68, 3) from other landmarkers with z = NaN: x and y in image pixels, origin at
            the centre of the top-left pixel; z in the same unit, negative towards the camera, zero near the ears.
        yaw_deg: positive turns the face to the image's right. NaN where unknown, like the next two.
        pitch_deg: positive looks up.
        roll_deg: rotation in the image plane; positive turns clockwise.
        expression: float32 (52,), MediaPipe's coefficients in [0, 1]; empty where unknown.
        confidence: in [0, 1], that the points are on a face; NaN where the landmarker gives none.
        faces: number of detected faces; the points are those of the largest central one.
    """

    points: FloatArray
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    expression: FloatArray
    confidence: float
    faces: int

    def share_inside(self, height: int, width: int) -> float:
        """Share of the points inside an image of that size."""
        inside = (self.points[:, :2] > -0.5) & (self.points[:, :2] < np.array([width, height]) - 0.5)
        return float(inside.all(1).mean())


class Landmarker(ABC):
    """Detects the points of one face an image."""

    @abstractmethod
    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        """Detect the largest central face of each image.

        Args:
            images: RGB, uint8 (h, w, 3), of any sizes.

        Returns:
            Its points, or None where there is no face, in the order of the images.

        Raises:
            UsageError: an image is not RGB uint8 (h, w, 3).
        """


class FaceLandmarker(Landmarker):
    """MediaPipe's FaceLandmarker, run by LiteRT: detector, rotated crop, 478 points, 52 coefficients.

    Source: Kartynnik et al. 2019, Real-time facial surface geometry from monocular video; Grishchenko et al. 2020,
    Attention mesh (irises); crop and decoding as MediaPipe's face_landmarker graph in image mode.
    """

    def __init__(
        self,
        bundle: Path | None = None,
        threads: int = 1,
        *,
        paddings: Sequence[float] = (0.125, 0.5),
        least_score: float = 0.5,
    ) -> None:
        """Load the networks.

        Args:
            bundle: a face_landmarker.task; by default that of this suite.
            threads: CPU threads.
            paddings: margins around the image, as fractions of its longer side, tried in order until a face is
                detected; a face that fills its image is not detected without a margin.
            least_score: smallest score of a detection, and of a face in its crop.

        Raises:
            MissingError: there is no bundle, or ai-edge-litert is not installed.
            DataError: the bundle is damaged.
            UsageError: a padding is negative, or there is none.
        """
        if not paddings or min(paddings) < 0:
            raise UsageError(f"The paddings are one or more numbers from 0, not {list(paddings)}")
        path = find_bundle(bundle)
        self.bundle = path
        self.mesh = canonical_mesh(path)
        self._paddings, self._least = tuple(paddings), least_score
        self._detector = BlazeFace(read_member(path, DETECTOR), threads=threads, origin=f"{path}: {DETECTOR}")
        self._points = load_network(read_member(path, LANDMARKS), threads, origin=f"{path}: {LANDMARKS}")
        self._expression = load_network(read_member(path, BLENDSHAPES), threads, origin=f"{path}: {BLENDSHAPES}")
        outputs = self._points.get_output_details()
        shapes = [tuple(detail["shape"]) for detail in outputs[:2]]
        if shapes != [(1, 1, 1, 3 * _POINTS), (1, 1, 1, 1)]:
            raise DataError(f"{path}: the landmark network has outputs of shapes {shapes}, not 478 points and a score")

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        """Find the largest central face of each image; see `Landmarker.find`."""
        for image in images:
            check_image(image)
        return [self._find(image) for image in images]

    def _find(self, image: ByteImages) -> Landmarks | None:
        for padding in self._paddings:
            faces = self._detector.find(image, padding=padding, least_score=self._least)
            if faces:
                face = max(faces, key=lambda f: prominence(f.box, image.shape[:2]))
                landmarks = self._landmarks_of(image, face, len(faces))
                if landmarks is not None:
                    return landmarks
        return None

    def _landmarks_of(self, image: ByteImages, face: Detection, faces: int) -> Landmarks | None:
        """Points of a detected face; None where the network finds no face in the crop."""
        right, left = face.points[:2]
        tilt = np.arctan2(left[1] - right[1], left[0] - right[0])
        scale = _MARGIN * float((face.box[2:] - face.box[:2]).max()) / _SIDE
        turn = scale * np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        middle = (face.box[:2] + face.box[2:]) / 2
        matrix = np.column_stack([turn, middle - turn @ np.full(2, _SIDE / 2 - 0.5)])
        chip = crop(image, matrix, _SIDE, black=False)
        coordinates, score = self._run_points(chip)
        if not score >= self._least or not np.isfinite(coordinates).all():
            return None
        flat = (coordinates[:, :2] - 0.5) @ turn.T + matrix[:, 2]  # the network counts from the crop's edge
        points = np.column_stack([flat, coordinates[:, 2] * scale]).astype(np.float32)
        yaw, pitch, roll = angles(head_rotation(points, self.mesh))
        return Landmarks(points, yaw, pitch, roll, self._run_expression(points), score, faces)

    def _run_points(self, chip: FloatArray) -> tuple[NDArray[np.float64], float]:
        outputs = self._points.get_output_details()
        self._points.set_tensor(self._points.get_input_details()[0]["index"], chip[None])
        self._points.invoke()
        coordinates = self._points.get_tensor(outputs[0]["index"]).reshape(_POINTS, 3).astype(np.float64)
        logit = float(self._points.get_tensor(outputs[1]["index"]).ravel()[0])
        return coordinates, float(1 / (1 + np.exp(-np.clip(logit, -100, 100))))

    def _run_expression(self, points: FloatArray) -> FloatArray:
        self._expression.set_tensor(self._expression.get_input_details()[0]["index"], points[None, list(_READ), :2])
        self._expression.invoke()
        values = self._expression.get_tensor(self._expression.get_output_details()[0]["index"])
        return np.array(values, np.float32).reshape(_EXPRESSIONS)


def check_image(image: ByteImages) -> None:
    """Check that an image is RGB uint8 (h, w, 3) with h and w of at least 2.

    Raises:
        UsageError: it is not; the text gives its dtype and shape.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < 2:
        raise UsageError(f"A photograph is RGB, uint8 (h, w, 3) of 2 pixels or more, not {image.dtype} {image.shape}")


def prominence(box: NDArray[np.float64], shape: tuple[int, int]) -> float:
    """Area of a box times a factor of 1 at the centre of the image that falls to 0 at its corners."""
    centre = np.array([shape[1], shape[0]]) / 2
    distance = np.hypot(*((box[:2] + box[2:]) / 2 - centre)) / np.hypot(*centre)
    return float((box[2:] - box[:2]).prod() * max(1 - distance, 1e-3))


def why_unusable(
    landmarks: Landmarks | None, height: int, width: int, *, most_yaw_deg: float = 30.0, least_inside: float = 0.95
) -> str | None:
    """The reason why a photograph is not usable as a near-frontal source; None where it is.

    Args:
        landmarks: of the photograph, or None.
        height: of the photograph.
        width: of the photograph.
        most_yaw_deg: largest yaw of a frontal face; the largest pitch is ten degrees more.
        least_inside: smallest share of points inside the photograph.

    Returns:
        ``no face``, ``several faces``, ``face cut by the border``, ``not frontal``, or None.
    """
    if landmarks is None:
        return "no face"
    if landmarks.faces > 1:
        return "several faces"
    if landmarks.share_inside(height, width) < least_inside:
        return "face cut by the border"
    if not (abs(landmarks.yaw_deg) <= most_yaw_deg and abs(landmarks.pitch_deg) <= most_yaw_deg + 10):
        return "not frontal"
    return None
