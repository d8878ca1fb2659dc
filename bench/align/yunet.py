"""Alignment by YuNet's five points; the detector's weights come with the suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.align.canvas import on_canvas
from bench.align.chips import chip_by_points, stack_chips
from bench.devices import cpu_threads
from bench.errors import DataError, UsageError
from bench.interfaces import ALIGNERS, Aligner, ByteImages
from bench.types import FaceTemplate, Outcome, Points
from bench.weights import unchanged_weights, weights_file

MODEL = Path(__file__).with_name("face_detection_yunet_2023mar_int8bq.onnx")
"""The weights; source, licence and digest are in the card of that name beside it."""
_HOW_TO_GET = "Install the suite again, or pass weights=PATH of OpenCV's face_detection_yunet_2023mar ONNX file."
_SMALLEST = 32  # pixels: size of a cell of the network's coarsest grid
_POINTS = slice(4, 14)  # of a row: x, y, width, height; five points, image left first; score


def _missing() -> str | None:
    return None if MODEL.is_file() else f"The YuNet weights are not here. {_HOW_TO_GET}"


@ALIGNERS.register(
    "yunet",
    summary="Similarity from the five points of YuNet, a fifth of MTCNN's time; small images are enlarged.",
    source="Wu, Peng, Yu 2023, YuNet: a tiny millisecond-level face detector; OpenCV model zoo",
    licence="MIT",
    missing=_missing,
)
class YuNet(Aligner):
    """Finds one face an image, or falls back to the whole image and counts it.

    Each image is looked at on a square canvas, as `mtcnn` does; of several faces the one whose box has its middle
    nearest to the picture's is taken. OpenCV's detector takes one image a call, so there is no batch to choose.
    """

    def __init__(
        self,
        *,
        weights: Path | None = None,
        upscale_to: int = 112,
        threshold: float = 0.5,
        margin: float = 0.1,
        threads: int = 1,
    ) -> None:
        """Choose how hard to look.

        Args:
            weights: the ONNX file; by default the one that comes with the suite.
            upscale_to: side of the canvas that smaller images are enlarged to, pixels.
            threshold: least score of a face, in (0, 1).
            margin: border left around the image, as a fraction of the canvas on each side; its edge is repeated there.
            threads: processor threads; 0 means all.

        Raises:
            UsageError: an argument is out of its range.
            MissingError: there are no weights.
        """
        if not 0 <= margin < 0.5 or upscale_to < _SMALLEST or not 0 < threshold < 1:
            raise UsageError(
                f"yunet: upscale_to={upscale_to}, threshold={threshold:g}, margin={margin:g}; margin must be in "
                f"[0, 0.5), threshold in (0, 1) and upscale_to at least {_SMALLEST}"
            )
        path = weights or MODEL
        self.weights = (weights_file(path, wanted_by="Aligner yunet", how_to_get=_HOW_TO_GET),)
        self._path, self._side, self._threshold, self._margin = path, upscale_to, threshold, margin
        self._threads = cpu_threads(threads)

    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        """Find the face in each image and map its points to the template's; landmarks are ignored.

        Raises:
            DataError: the weights are not those of YuNet.
        """
        pairs = zip(images, self.find(images), strict=True)
        return stack_chips([chip_by_points(image, points, face, without="face not found") for image, points in pairs])

    def find(self, images: Sequence[ByteImages]) -> list[Points | None]:
        """The five points of the face in each image, in that image's pixels; None where no face is found.

        Raises:
            DataError: the weights are not those of YuNet.
        """
        with _cv2_threads(self._threads):
            return [self._find_one(image) for image in images]

    def _find_one(self, image: ByteImages) -> Points | None:
        canvas = on_canvas(image, least=self._side, margin=self._margin)
        side = len(canvas.pixels)
        faces = self._detect(np.ascontiguousarray(canvas.pixels[..., ::-1]))  # the network takes BGR
        if not len(faces):
            return None
        middles = faces[:, :2] + faces[:, 2:4] / 2
        nearest = int(np.argmin(np.square(middles - (side - 1) / 2).sum(axis=1)))
        return canvas.in_image(faces[nearest, _POINTS].reshape(5, 2).tolist())

    def _detect(self, canvas: ByteImages) -> NDArray[np.float64]:
        """Rows of 15 numbers, one a face, float64 (N, 15), of a BGR canvas."""
        import cv2

        try:
            self._detector.setInputSize((canvas.shape[1], canvas.shape[0]))
            _, faces = self._detector.detect(canvas)
        except cv2.error as error:
            raise self._no_yunet(error) from None
        return np.zeros((0, 15)) if faces is None else np.asarray(faces, np.float64)

    @cached_property
    def _detector(self) -> Any:
        import cv2

        with _quiet(), unchanged_weights(*self.weights):
            try:
                return cv2.FaceDetectorYN.create(str(self._path), "", (self._side, self._side), self._threshold)
            except cv2.error as error:
                raise self._no_yunet(error) from None

    def _no_yunet(self, error: Exception) -> DataError:
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return DataError(
            f"Aligner yunet: OpenCV cannot run {self._path} as YuNet ({cause}). It must be OpenCV's "
            "face_detection_yunet_2023mar ONNX file; one with 8-bit weights needs OpenCV 4.11 or newer."
        )


@contextmanager
def _cv2_threads(threads: int) -> Iterator[None]:
    """Set the number of OpenCV's threads inside the block."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Stop OpenCV from writing to stderr inside the block: errors are raised."""
    import cv2

    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
