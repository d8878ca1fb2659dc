"""No alignment: the whole image, resized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bench.images import resize
from bench.interfaces import ALIGNERS, Aligner, ByteImages
from bench.types import OK, FaceTemplate, Outcome, Points

Kernel = Literal["opencv", "pillow"]


@ALIGNERS.register(
    "none",
    summary="No alignment: the whole image resized (bicubic) to the chip.",
    source="no learned parameters; Keys 1981 kernel with a = -0.75 (opencv) or a = -0.5 (pillow)",
    licence="Apache-2.0",
)
class WholeImage(Aligner):
    """Resizes each image to the recogniser's chip, whatever its aspect; what TinyFace's tight crops are used with.

    Face recognition code resizes with OpenCV, whose bicubic is sharper (a = -0.75) than Pillow's and MATLAB's
    (a = -0.5); the choice moves rank-1 on 20-pixel faces by up to a point, so it is an argument. OpenCV's kernel is not
    widened when it shrinks and would alias: an image that is larger than the chip on either side is always resized by
    Pillow's.
    """

    def __init__(self, *, kernel: Kernel = "opencv") -> None:
        """Choose the kernel.

        Args:
            kernel: of bicubic enlarging: ``opencv``, or ``pillow``, which is that of the ``bicubic`` hallucinator.
        """
        self._kernel = kernel

    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        """Resize each image; landmarks are not looked at and every outcome is ok."""
        chips = np.stack([whole_image(image, face, kernel=self._kernel) for image in images])
        return chips, [OK] * len(images)


def whole_image(image: ByteImages, face: FaceTemplate, *, kernel: Kernel = "opencv") -> ByteImages:
    """Resize RGB uint8 (h, w, 3) to (H, W, 3) of the template; what aligners fall back to without a face."""
    height, width = image.shape[:2]
    if kernel == "pillow" or height > face.height or width > face.width:
        return resize(image, face.height, face.width)
    if (height, width) == (face.height, face.width):
        return image
    import cv2

    enlarged = cv2.resize(np.ascontiguousarray(image), (face.width, face.height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.uint8)
