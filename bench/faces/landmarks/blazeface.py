"""BlazeFace (short range): the face detector of the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, MissingError, pip_install
from bench.interfaces import ByteImages
from bench.io.quiet import drop_library_messages

_SIDE = 128
_GRIDS = ((16, 2), (8, 6))  # cells a side, anchors a cell
_OVERLAP = 0.3  # intersection over union above which boxes are merged
_POINTS = 6  # right eye, left eye, nose tip, mouth, right ear, left ear; right is the person's


@dataclass(frozen=True, slots=True)
class Detection:
    """One face.

    Attributes:
        box: float64 (4,), left, top, right, bottom in image pixels.
        points: float64 (6, 2), image pixels: right eye, left eye, nose tip, mouth, right ear, left ear of the person.
        score: probability, in [0, 1].
    """

    box: NDArray[np.float64]
    points: NDArray[np.float64]
    score: float


def load_network(model: bytes, threads: int, *, origin: str) -> Any:
    """A LiteRT interpreter, ready to run.

    Raises:
        MissingError: ai-edge-litert is not installed.
        DataError: the model is damaged.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise MissingError(f"The face engine needs ai-edge-litert: {pip_install('ai-edge-litert')}.") from None
    try:
        with drop_library_messages():  # LiteRT names its delegate
            network = Interpreter(model_content=model, num_threads=threads)
            network.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DataError(f"{origin} cannot be read by LiteRT: {error}") from None
    return network


def crop(image: ByteImages, matrix: NDArray[np.float64], side: int, *, black: bool) -> NDArray[np.float32]:
    """Sample a square of an image: bilinear, averaged first where it is downsampled by two or more.

    Args:
        image: RGB, uint8 (h, w, 3).
        matrix: float64 (2, 3), crop pixels to image pixels, pixel centres at integers.
        side: of the crop.
        black: whether pixels outside the image are black; else the nearest pixel is repeated.

    Returns:
        float32 (side, side, 3) in [0, 1].
    """
    import cv2

    pixels: NDArray[Any] = np.ascontiguousarray(image)
    shrink = int(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink > 1:
        height, width = (max(1, round(length / shrink)) for length in image.shape[:2])
        scale = np.array([[width / image.shape[1]], [height / image.shape[0]]])
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
        matrix = matrix * scale
        matrix[:, 2] += 0.5 * scale[:, 0] - 0.5
    border = cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(pixels, matrix, (side, side), flags=flags, borderMode=border)
    return np.asarray(sampled, np.float32) / np.float32(255)


class BlazeFace:
    """The detector; detects faces that fill from about a tenth to all of the image.

    Source: Bazarevsky et al. 2019, BlazeFace; anchors and decoding as the short-range model of MediaPipe.
    """

    def __init__(self, model: bytes, *, threads: int = 1, origin: str = "The face detector") -> None:
        """Load the network.

        Raises:
            MissingError: ai-edge-litert is not installed.
            DataError: the model is damaged.
        """
        self._network = load_network(model, threads, origin=origin)
        self._input = self._network.get_input_details()[0]["index"]
        outputs = {detail["shape"][-1]: detail["index"] for detail in self._network.get_output_details()}
        if set(outputs) != {4 + 2 * _POINTS, 1}:
            raise DataError(f"{origin} has outputs of {sorted(outputs)} values an anchor, not 16 and 1")
        self._values, self._scores = outputs[16], outputs[1]
        centres = [_cells(side, anchors) for side, anchors in _GRIDS]
        self._anchors = np.concatenate(centres)

    def find(self, image: ByteImages, *, padding: float = 0.0, least_score: float = 0.5) -> list[Detection]:
        """Detect faces.

        Args:
            image: RGB, uint8 (h, w, 3).
            padding: black margin added around the image, as a fraction of its longer side.
            least_score: smallest score of a face.

        Returns:
            Faces, best score first.
        """
        height, width = image.shape[:2]
        scale = max(height, width) * (1 + 2 * padding) / _SIDE
        shift = np.array([width, height]) / 2 - 0.5 - scale * (_SIDE / 2 - 0.5)
        matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
        pixels = crop(image, matrix, _SIDE, black=True) * 2 - 1
        self._network.set_tensor(self._input, pixels[None])
        self._network.invoke()
        raw = self._network.get_tensor(self._scores)[0, :, 0].astype(np.float64)
        scores = 1 / (1 + np.exp(-np.clip(raw, -100, 100)))
        kept = np.flatnonzero(scores >= least_score)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        values = self._network.get_tensor(self._values)[0, kept].astype(np.float64).reshape(-1, 2 + _POINTS, 2) / _SIDE
        anchors = self._anchors[kept]
        centre, size = values[:, 0] + anchors, values[:, 1]
        points = np.concatenate(
            [centre - size / 2, centre + size / 2, (values[:, 2:] + anchors[:, None]).reshape(-1, 12)], 1
        )
        pixels_of = points.reshape(-1, 8, 2) * _SIDE * scale + (shift - scale / 2)  # from crop edges to pixel centres
        return _merged(pixels_of, scores[kept])


def _cells(side: int, anchors: int) -> NDArray[np.float64]:
    """Centres of the cells of a grid, row by row, each repeated once an anchor: float64 (side * side * anchors, 2)."""
    y, x = np.mgrid[:side, :side]
    return np.repeat((np.stack([x.ravel(), y.ravel()], 1) + 0.5) / side, anchors, axis=0)


def _merged(faces: NDArray[np.float64], scores: NDArray[np.float64]) -> list[Detection]:
    """Merge overlapping boxes and points, float64 (N, 8, 2), best first, by averages weighted by score."""
    merged = []
    left = np.arange(len(faces))
    while len(left):
        overlaps = _overlap(faces[left[0], :2], faces[left, :2]) > _OVERLAP
        overlaps[0] = True
        group, left = left[overlaps], left[~overlaps]
        mean = np.average(faces[group], axis=0, weights=scores[group])
        merged.append(Detection(mean[:2].ravel(), mean[2:], float(scores[group[0]])))
    return merged


def _overlap(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of a box (2, 2) with boxes (N, 2, 2)."""
    inner = np.clip(np.minimum(box[1], boxes[:, 1]) - np.maximum(box[0], boxes[:, 0]), 0, None).prod(1)
    union = (box[1] - box[0]).prod() + (boxes[:, 1] - boxes[:, 0]).prod(1) - inner
    return np.asarray(inner / np.maximum(union, 1e-12))
