"""The hallucinator of docs/plugins.md: bicubic upscaling followed by an unsharp mask."""

import numpy as np

from bench.images import resize_float
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.types import ImageSpec


@HALLUCINATORS.register("sharpen", summary="Bicubic upscaling and an unsharp mask.", source="no learned parameters")
class Sharpen(Hallucinator):
    output_spec = ImageSpec(128)

    def __init__(self, *, amount: float = 0.5) -> None:
        """Choose the strength.

        Args:
            amount: how much of the difference to the blurred image is added; 0 leaves it as it is.
        """
        self._amount = amount

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        large = resize_float(lr, 128, 128)
        soft = resize_float(resize_float(large, 32, 32), 128, 128)
        return np.clip(large + self._amount * (large - soft), 0, 1)
