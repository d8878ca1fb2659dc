"""Alignment without detection: the position of the face is known from the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from bench.align.chips import chip_by_points, stack_chips
from bench.align.templates import ARCFACE_112, DLIB_150, FACENET_160, SPHEREFACE_112X96
from bench.errors import DataError, UsageError
from bench.interfaces import ALIGNERS, Aligner, ByteImages
from bench.media.similarity import fit_similarity, warp
from bench.types import OK, FaceTemplate, Outcome, Points

Frame = Literal["lfw250", "utkface200", "celeba128", "tpgan128", "arcface112"]
ChipFrame = Literal["sphereface112x96", "dlib150", "facenet160"]
AnyFrame = Literal[Frame, ChipFrame]
"""Frames of data sets and the chips of recognisers: a face in one of them needs no landmarks."""
CHIPS: tuple[AnyFrame, ...] = ("arcface112", *get_args(ChipFrame))
"""The frames that are chips of recognisers."""
TRUTH_FRAME: Frame = "utkface200"
"""The frame of the faces that networks are trained with (`bench.faces.pairs.pack`), and so of their outputs."""


def _fractions(width: float, height: float, *points: tuple[float, float]) -> Points:
    """Pixel coordinates, origin at the first pixel's centre, as fractions of the image from edge to edge."""
    return tuple(((x + 0.5) / width, (y + 0.5) / height) for x, y in points)


def _chip(face: FaceTemplate) -> Points:
    """The points of a recogniser's chip as fractions of it."""
    return _fractions(face.width, face.height, *face.points)


FRAMES: dict[AnyFrame, Points] = {
    # the chip of ArcFace and of later recognisers: a face in it needs no further alignment
    "arcface112": tuple(((x + 0.5) / 112, (y + 0.5) / 112) for x, y in ARCFACE_112.points),
    # the chips of other recognisers
    "sphereface112x96": _chip(SPHEREFACE_112X96),
    "dlib150": _chip(DLIB_150),
    "facenet160": _chip(FACENET_160),
    # Labeled Faces in the Wild, deep-funneled, 250 x 250: mean points of facenet-pytorch's MTCNN (the face nearest to
    # the centre) over 400 photographs, one a person, drawn with seed 0; standard deviation 2.3 to 6.3 pixels
    "lfw250": _fractions(250, 250, (105.2, 113.5), (147.2, 112.6), (126.5, 137.2), (108.2, 159.3), (145.6, 158.4)),
    # UTKFace, aligned crops, 200 x 200: the same over 400 crops with 25 pixels of edge repeated around each; standard
    # deviation 5.5 to 10.7 pixels
    "utkface200": _fractions(200, 200, (58.2, 56.7), (139.6, 56.8), (98.4, 103.7), (61.9, 138.5), (135.5, 138.8)),
    # CelebA, aligned: the usual points of its annotations in 178 x 218 pixels, (69, 111), (108, 111), (88, 136),
    # (72, 152), (105, 152), where the crop of Yu and Porikli (columns 35 to 141, rows 55 to 187) has them
    "celeba128": _fractions(107, 133, (35, 57), (74, 57), (54, 82), (38, 98), (71, 98)),
    # upright 128 x 128 faces of TP-GAN and VividGAN: the mean points in the comments of their public code
    "tpgan128": _fractions(128, 128, (39.48, 40.28), (85.96, 38.71), (63.64, 63.65), (45.67, 89.96), (83.90, 88.69)),
}
ASPECTS: dict[AnyFrame, float] = {"sphereface112x96": SPHEREFACE_112X96.width / SPHEREFACE_112X96.height}
"""Width over height of the frames that are not square. An image in such a frame may be stored as a square."""


@ALIGNERS.register(
    "template",
    summary="The same similarity for every image: hallucinated faces stand upright at known points.",
    source="Umeyama 1991; points as in the frame named",
    licence="Apache-2.0",
)
class KnownFrame(Aligner):
    """Fits an image that follows a known frame, at whatever size, to the recogniser's template."""

    def __init__(self, *, frame: AnyFrame = "celeba128", points: tuple[float, ...] = ()) -> None:
        """Choose where the face stands.

        Args:
            frame: by name, that of a data set or the chip of a recogniser.
            points: five points in place of that, ten numbers x, y, x, y... as fractions of the image's width and
                height (0 is the left or upper edge, 1 the other): eyes, nose, mouth corners, image left first.

        Raises:
            UsageError: it is not ten numbers, or they are not five points to which a similarity can be fitted.
        """
        if len(points) not in (0, 10):
            raise UsageError(f"template: points holds {len(points)} numbers; five points are ten: x, y, x, y...")
        self._points: Points = tuple(zip(points[::2], points[1::2], strict=True)) or FRAMES[frame]
        self._aspect = None if points else ASPECTS.get(frame)
        try:
            fit_similarity(self._points, self._points)
        except DataError as error:
            raise UsageError(f"template: points={list(points)}: {error}") from None

    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        """Map the frame's points to the template's; landmarks are ignored and every outcome is ok."""
        if self._aspect is not None:
            return np.stack([self._unstretched(image, face, self._aspect) for image in images]), [OK] * len(images)
        return stack_chips([chip_by_points(image, self._in_pixels(image), face, without="") for image in images])

    def _unstretched(self, image: ByteImages, face: FaceTemplate, aspect: float) -> ByteImages:
        """The chip of an image whose frame is not square, at the frame's proportions whatever the image's are."""
        height, width = image.shape[:2]
        wider = aspect * height / width
        points = tuple(((x + 0.5) * wider - 0.5, y) for x, y in self._in_pixels(image))
        stretch = np.array([[wider, 0, 0.5 * wider - 0.5], [0, 1, 0], [0, 0, 1]])
        return warp(image, fit_similarity(points, face.points) @ stretch, face)

    def _in_pixels(self, image: ByteImages) -> Points:
        height, width = image.shape[:2]
        return tuple((x * width - 0.5, y * height - 0.5) for x, y in self._points)
