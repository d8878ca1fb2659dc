"""Base of `spandrel` and `onnx`: sizes, colour order, and one image for each call."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, Literal

import numpy as np

from bench.errors import BenchError, ContractError, UsageError
from bench.images import resize_float
from bench.interfaces import FloatImages, Hallucinator
from bench.types import ImageSpec

Colour = Literal["RGB", "BGR", "gray"]
_RED, _GREEN, _BLUE = np.float32(0.299), np.float32(0.587), np.float32(0.114)  # luma of ITU-R BT.601


class Restorer(Hallucinator):
    """A network that is opened at first use and runs on one image at a time.

    So the result for an image cannot depend on other images, whatever the graph does with its batch axis, and many
    published files take only one.
    """

    def __init__(self, *, side: int | None, result: ImageSpec | None, output: int | None, colour: Colour) -> None:
        """Keep the sizes and the colour order.

        Args:
            side: side of the square input; None leaves images unchanged.
            result: size of the network's output for that; None if it is unknown, and then ``output`` is given.
            output: side that results are resized to (bicubic); None keeps the network's.
            colour: channel order of the network, in and out; with ``gray`` it runs on luma only (see `_restore_luma`).
        """
        if result is None and output is None:
            raise UsageError("A network whose output size is not known needs output=")
        self.input_spec = ImageSpec(side)
        self.output_spec = ImageSpec(output) if output else result or ImageSpec()
        self._side, self._result, self._output, self._colour = side, result, output, colour

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Restore float32 RGB (N, 3, h, w), clipped to [0, 1]; the output is not clipped here.

        Raises:
            ContractError: the network cannot be opened, or its output has another size than declared.
        """
        side = self._side_for(lr)
        faces = np.clip(lr, 0, 1)
        if side:
            faces = resize_float(faces, side, side).clip(0, 1)
        restored = np.concatenate([self._restore(faces[i : i + 1]) for i in range(len(faces))])
        if self._output:
            restored = resize_float(restored, self._output, self._output)
        return np.ascontiguousarray(restored, np.float32)

    def __getstate__(self) -> dict[str, Any]:
        """The state without the network, which another process opens again."""
        return {name: value for name, value in self.__dict__.items() if name != "_network"}

    def _side_for(self, lr: FloatImages) -> int | None:
        """Side of the square that a batch is resized to."""
        return self._side

    def _restore(self, face: FloatImages) -> FloatImages:
        if self._colour == "gray":
            return self._restore_luma(face)
        result = self._run_checked(face if self._colour == "RGB" else face[:, ::-1])
        return result if self._colour == "RGB" else result[:, ::-1]

    def _restore_luma(self, face: FloatImages) -> FloatImages:
        """Luma by the network, chroma by bicubic interpolation, as is usual in super-resolution.

        Luma is that of ITU-R BT.601, of full range as in JPEG and Pillow: 0.299 R + 0.587 G + 0.114 B.
        """
        red, green, blue = (face[:, channel : channel + 1] for channel in range(3))
        luma = _RED * red + _GREEN * green + _BLUE * blue
        restored = self._run_checked(luma)
        height, width = restored.shape[2:]
        towards_red, towards_blue = (resize_float(colour - luma, height, width) for colour in (red, blue))
        red, blue = restored + towards_red, restored + towards_blue
        green = (restored - _RED * red - _BLUE * blue) / _GREEN
        return np.concatenate([red, green, blue], axis=1)

    def _run_checked(self, face: FloatImages) -> FloatImages:
        """Output of the network for one image (1, C, h, w), with its shape checked."""
        result = self._run(self._network, np.ascontiguousarray(face, np.float32))
        channels, (height, width) = face.shape[1], face.shape[2:]
        if self._result is not None:
            size, scale = self._result.size, self._result.scale
            height, width = (size, size) if size else (height * scale, width * scale)
        wrong = self._result is not None and result.shape[2:] != (height, width)
        if result.ndim != 4 or result.shape[:2] != (1, channels) or wrong:
            sides = f"{height} x {width}" if self._result is not None else f"{channels} channels"
            raise ContractError(
                f"The network gave an image of shape {result.shape} for {face.shape}; expected {sides}. "
                "Look at size=, scale= and the layout."
            )
        return result

    @cached_property
    def _network(self) -> Any:
        try:
            return self._open()
        except BenchError as error:  # a chain counts other errors as failed images, so all would fail
            raise ContractError(str(error)) from error

    @abstractmethod
    def _open(self) -> Any:
        """The network, ready to run."""

    @abstractmethod
    def _run(self, network: Any, face: FloatImages) -> FloatImages:
        """Run on one image, float32 (1, 3, h, w) or (1, 1, h, w) in [0, 1]; the output likewise."""


def check_sides(who: str, **sides: int | None) -> None:
    """Refuse impossible sides; 0 and None have other meanings and are accepted.

    Raises:
        UsageError: a side is negative or a single pixel.
    """
    for name, side in sides.items():
        if side is not None and (side < 0 or side == 1):
            raise UsageError(f"{who}: {name} is {side}; a side is 2 pixels or more")
