"""What `spandrel` and `onnx` have in common: sizes, colour order, and one image a call."""

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
    """A network that is opened at first use and is given one image at a time.

    One at a time keeps images apart to the last bit, whatever the graph does with its batch axis, and many published
    files take no more.
    """

    def __init__(self, *, side: int | None, gives: ImageSpec | None, output: int | None, colour: Colour) -> None:
        """Say what it takes and gives.

        Args:
            side: of the square the network is given; None leaves images as they are.
            gives: what the network gives for that; None where only running it would tell, and then ``output`` is not.
            output: side that results are brought to (bicubic); None leaves the network's own.
            colour: channel order of the network, in and out; ``gray`` gives it luma alone (see `_restore_luma`).
        """
        if gives is None and output is None:
            raise UsageError("A network whose output size is not known needs output=")
        self.input_spec = ImageSpec(side)
        self.output_spec = ImageSpec(output) if output else gives or ImageSpec()
        self._side, self._gives, self._output, self._colour = side, gives, output, colour

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Restore float32 RGB (N, 3, h, w), clipped to [0, 1]; what the network gives is not clipped here.

        Raises:
            ContractError: the network cannot be opened, or gives another size than was declared.
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
        """Without the network: another process opens its own."""
        return {name: value for name, value in self.__dict__.items() if name != "_network"}

    def _side_for(self, lr: FloatImages) -> int | None:
        """Side of the square that a batch is brought to."""
        return self._side

    def _restore(self, face: FloatImages) -> FloatImages:
        if self._colour == "gray":
            return self._restore_luma(face)
        result = self._checked(face if self._colour == "RGB" else face[:, ::-1])
        return result if self._colour == "RGB" else result[:, ::-1]

    def _restore_luma(self, face: FloatImages) -> FloatImages:
        """Luma by the network, the two chroma differences enlarged bicubically, as is usual in super-resolution.

        Luma is that of ITU-R BT.601, of full range as in JPEG and Pillow: 0.299 R + 0.587 G + 0.114 B.
        """
        red, green, blue = (face[:, channel : channel + 1] for channel in range(3))
        luma = _RED * red + _GREEN * green + _BLUE * blue
        restored = self._checked(luma)
        height, width = restored.shape[2:]
        towards_red, towards_blue = (resize_float(colour - luma, height, width) for colour in (red, blue))
        red, blue = restored + towards_red, restored + towards_blue
        green = (restored - _RED * red - _BLUE * blue) / _GREEN
        return np.concatenate([red, green, blue], axis=1)

    def _checked(self, face: FloatImages) -> FloatImages:
        """What the network gives for one image (1, C, h, w), of the size that was declared."""
        result = self._run(self._network, np.ascontiguousarray(face, np.float32))
        channels, (height, width) = face.shape[1], face.shape[2:]
        if self._gives is not None:
            size, scale = self._gives.size, self._gives.scale
            height, width = (size, size) if size else (height * scale, width * scale)
        wrong = self._gives is not None and result.shape[2:] != (height, width)
        if result.ndim != 4 or result.shape[:2] != (1, channels) or wrong:
            sides = f"{height} x {width}" if self._gives is not None else f"{channels} channels"
            raise ContractError(
                f"The network gave an image of shape {result.shape} for {face.shape}; expected {sides}. "
                "Look at size=, scale= and the layout."
            )
        return result

    @cached_property
    def _network(self) -> Any:
        try:
            return self._open()
        except BenchError as error:  # a chain counts other errors as failed images; without a network all would fail
            raise ContractError(str(error)) from error

    @abstractmethod
    def _open(self) -> Any:
        """The network, ready to run."""

    @abstractmethod
    def _run(self, network: Any, face: FloatImages) -> FloatImages:
        """One image of the network's channels, float32 (1, 3, h, w) or (1, 1, h, w) in [0, 1]; out likewise."""


def check_sides(who: str, **sides: int | None) -> None:
    """Refuse sides that no image has; 0 and None say something else and pass.

    Raises:
        UsageError: a side is negative or a single pixel.
    """
    for name, side in sides.items():
        if side is not None and (side < 0 or side == 1):
            raise UsageError(f"{who}: {name} is {side}; a side is 2 pixels or more")
