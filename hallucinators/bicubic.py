"""Bicubic interpolation: the baseline of learned hallucinators, and the resizing step between two others."""

from __future__ import annotations

from bench.errors import UsageError
from bench.images import resize_float
from bench.interfaces import HALLUCINATORS, FloatImages, Hallucinator
from bench.types import ImageSpec


@HALLUCINATORS.register(
    "bicubic",
    summary="Bicubic resizing to a fixed size; pose unchanged.",
    source="no learned parameters; Keys 1981 kernel with a = -0.5, antialiased when it shrinks",
    licence="Apache-2.0",
)
class Bicubic(Hallucinator):
    """Resizes any image to ``size`` x ``size`` pixels; also between two steps of different sizes."""

    def __init__(self, *, size: int = 128) -> None:
        """Choose the size.

        Args:
            size: side of the square output in pixels; at least 2.

        Raises:
            UsageError: a side of less than 2 pixels.
        """
        if size < 2:
            raise UsageError(f"bicubic: size is {size}; it must be at least 2 pixels")
        self.output_spec = ImageSpec(size)
        self._size = size

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Resize float32 (N, 3, h, w) to float32 (N, 3, size, size); the caller clips to [0, 1]."""
        return resize_float(lr, self._size, self._size)
