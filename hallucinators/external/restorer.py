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

Colour = Literal["RGB", "BGR"]

_CAUSE = 160  # letters of another library's error that are shown


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
            colour: channel order of the network, in and out.
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
        given = face if self._colour == "RGB" else face[:, ::-1]
        result = self._run(self._network, np.ascontiguousarray(given, np.float32))
        height, width = face.shape[2:]
        if self._gives is not None:
            size, scale = self._gives.size, self._gives.scale
            height, width = (size, size) if size else (height * scale, width * scale)
        wrong = self._gives is not None and result.shape[2:] != (height, width)
        if result.ndim != 4 or result.shape[:2] != (1, 3) or wrong:
            sides = f"{height} x {width}" if self._gives is not None else "RGB"
            raise ContractError(
                f"The network gave an image of shape {result.shape} for {face.shape}; expected {sides}. "
                "Look at size=, scale= and the layout."
            )
        return result if self._colour == "RGB" else result[:, ::-1]

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
        """One image of the network's channel order, float32 (1, 3, h, w) in [0, 1]; out likewise."""


def check_sides(who: str, **sides: int | None) -> None:
    """Refuse sides that no image has; 0 and None say something else and pass.

    Raises:
        UsageError: a side is negative or a single pixel.
    """
    for name, side in sides.items():
        if side is not None and (side < 0 or side == 1):
            raise UsageError(f"{who}: {name} is {side}; a side is 2 pixels or more")


def shortened(error: BaseException) -> str:
    """Another library's error in one short line."""
    text = " ".join(str(error).split())
    return text[:_CAUSE] or type(error).__name__
