"""Alignment by MTCNN's five points; the detector's weights come inside the package facenet-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from bench.align.canvas import on_canvas
from bench.align.chips import chip_by_points, stack_chips
from bench.devices import torch_threads
from bench.errors import MissingError, UsageError, pip_install
from bench.interfaces import ALIGNERS, Aligner, ByteImages
from bench.types import FaceTemplate, Outcome, Points
from bench.weights import package_file, unchanged_weights, weights_file

_NETS = ("data/pnet.pt", "data/rnet.pt", "data/onet.pt")
_HOW_TO_GET = f"It comes inside the package facenet-pytorch: {pip_install('facenet-pytorch')}."
_SMALLEST = 12  # pixels: size of the windows of MTCNN's first network


def _missing() -> str | None:
    installed = all(package_file("facenet_pytorch", net) for net in _NETS)
    return None if installed else f"MTCNN's weights are not here. {_HOW_TO_GET}"


@ALIGNERS.register(
    "mtcnn",
    summary="Similarity from the five points of MTCNN; small images are enlarged before it looks.",
    source="Zhang et al. 2016, MTCNN; facenet-pytorch",
    licence="MIT",
    missing=_missing,
)
class Mtcnn(Aligner):
    """Finds one face an image, or falls back to the whole image and counts it.

    Each image is looked at on a square canvas: enlarged to it when it is smaller, at its own size when not (shrunk
    when its canvas would be wider than 800 pixels). Of several faces the one with the greatest area less twice the
    squared distance from the centre is taken. The chip is cut from the image itself, not from the canvas.
    """

    def __init__(self, *, upscale_to: int = 160, min_face: int = 40, margin: float = 0.1, device: str = "cpu") -> None:
        """Choose how hard to look.

        Args:
            upscale_to: side of the canvas that smaller images are enlarged to, pixels.
            min_face: smallest face looked for, pixels of the canvas; halving it costs four times the time.
            margin: border left around the image, as a fraction of the canvas on each side; its edge is repeated there.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.

        Raises:
            UsageError: an argument is out of its range.
            MissingError: facenet-pytorch is not installed.
        """
        if not 0 <= margin < 0.5 or min_face < _SMALLEST or upscale_to < min_face:
            raise UsageError(
                f"mtcnn: upscale_to={upscale_to}, min_face={min_face}, margin={margin:g}; margin must be in [0, 0.5), "
                f"min_face at least {_SMALLEST} and upscale_to no less than min_face"
            )
        paths = [package_file("facenet_pytorch", net) for net in _NETS]
        if not all(paths):
            raise MissingError(f"Aligner mtcnn finds no weights. {_HOW_TO_GET}")
        self.weights = tuple(
            weights_file(path, wanted_by="Aligner mtcnn", how_to_get=_HOW_TO_GET) for path in paths if path
        )
        self._side, self._min_face, self._margin, self._device = upscale_to, min_face, margin, device

    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        """Find the face in each image and map its points to the template's; landmarks are ignored."""
        pairs = zip(images, self.find(images), strict=True)
        return stack_chips([chip_by_points(image, points, face, without="face not found") for image, points in pairs])

    def find(self, images: Sequence[ByteImages]) -> list[Points | None]:
        """The five points of the face in each image, in that image's pixels; None where no face is found."""
        with torch_threads(1):  # the networks are too small for a second thread
            return [self._find_one(image) for image in images]

    def _find_one(self, image: ByteImages) -> Points | None:
        """One image a call: in a batch, facenet-pytorch's box suppression lets images disturb each other."""
        canvas = on_canvas(image, least=self._side, margin=self._margin)
        boxes, _, points = self._detector.detect(canvas.pixels, landmarks=True)
        if boxes is None:
            return None
        return canvas.in_image(points[_most_central(np.asarray(boxes, np.float64), len(canvas.pixels))])

    @cached_property
    def _detector(self) -> Any:
        from facenet_pytorch import MTCNN

        with unchanged_weights(*self.weights):
            return MTCNN(min_face_size=self._min_face, keep_all=True, device=self._device)


def _most_central(boxes: np.ndarray[Any, np.dtype[np.float64]], side: int) -> int:
    """Index of the box (x0, y0, x1, y1) with the greatest area less twice its squared distance from the centre."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    offsets = (boxes[:, :2] + boxes[:, 2:]) / 2 - (side - 1) / 2
    return int(np.argmax(areas - 2 * np.square(offsets).sum(axis=1)))
