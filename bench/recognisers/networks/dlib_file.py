"""Reads the tensors of dlib's face recognition network out of dlib's own file format.

The format has no index: whole numbers are a length byte (top bit: negative) and that many little-endian bytes, a
floating-point parameter is a whole mantissa and a whole exponent of two, texts are a length and bytes, a tensor is a
version, four lengths and raw 32-bit floats. A layer starts with its kind as a text. The kinds stand in the order in
which the image passes them, so the file is read front to back from one kind to the next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.weights import read_weights

Floats = NDArray[np.float32]

_KINDS = re.compile(
    rb"\x01(?:\x15(input_rgb_image_sized)|\x05(con_4)|\x07(affine_)|\x0a(max_pool_2)|\x0a(avg_pool_2)|\x09(add_prev_)"
    rb"|\x05(relu_)|\x04(fc_2))"
)
_RESIDUAL = ("con_4", "affine_", "relu_", "con_4", "affine_", "add_prev_", "relu_")
_RESIDUAL_DOWN = ("con_4", "affine_", "relu_", "con_4", "affine_", "avg_pool_2", "add_prev_", "relu_")
_BLOCKS = (_RESIDUAL,) * 3 + (_RESIDUAL_DOWN, *(_RESIDUAL,) * 3) + (_RESIDUAL_DOWN, *(_RESIDUAL,) * 2) * 2
_ORDER = (
    *("input_rgb_image_sized", "con_4", "affine_", "relu_", "max_pool_2"),
    *(kind for block in (*_BLOCKS, _RESIDUAL_DOWN) for kind in block),
    *("avg_pool_2", "fc_2"),
)


@dataclass(frozen=True)
class Convolution:
    """A convolution merged with the per-channel scale and shift that follows it.

    Attributes:
        weight: (out, in, height, width).
        bias: (out,).
        stride: of both axes.
        padding: of both axes.
    """

    weight: Floats
    bias: Floats
    stride: int
    padding: int


@dataclass(frozen=True)
class DlibWeights:
    """The content of the file.

    Attributes:
        mean: red, green, blue mean that is subtracted from 0..255 values.
        convolutions: in the order in which the image passes them.
        projection: (256, 128), features to embedding.
    """

    mean: Floats
    convolutions: tuple[Convolution, ...]
    projection: Floats


def read_dlib_weights(path: Path, *, sha256: str | None = None) -> DlibWeights:
    """Read the file ``dlib_face_recognition_resnet_model_v1.dat``.

    Args:
        path: the file.
        sha256: digest that its bytes must have; None takes any.

    Raises:
        ChangedError: its bytes are others than those of ``sha256``.
        DataError: it is truncated, or holds another network.
    """
    reader = _Reader(path, read_weights(path, sha256))
    mean: Floats = np.empty(0, np.float32)
    merged: list[Convolution] = []
    pending: Convolution | None = None
    projection: Floats = np.empty((0, 0), np.float32)
    for expected in _ORDER:
        kind = reader.next_kind()
        if kind != expected:
            raise DataError(
                f"{path} is not dlib's face recognition network: {kind or 'the end'} where {expected} belongs."
            )
        if kind == "input_rgb_image_sized":
            mean = np.array([reader.number() for _ in range(3)], np.float32)
        elif kind == "con_4":
            pending = _convolution(reader)
        elif kind == "affine_" and pending is not None:
            merged.append(_merge(pending, reader))
        elif kind == "fc_2":
            outputs, inputs = reader.whole(), reader.whole()
            projection = reader.shaped(reader.tensor(), (inputs, outputs))
    return DlibWeights(mean, tuple(merged), projection)


class _Reader:
    def __init__(self, path: Path, data: bytes) -> None:
        self._path = path
        self._data = data
        self._at = 0

    def next_kind(self) -> str:
        """Skip to the end of the next name of a layer and return it; empty at the end of the file."""
        match = _KINDS.search(self._data, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return next(group for group in match.groups() if group).decode()

    def whole(self) -> int:
        control = self._take(1)[0]
        value = int.from_bytes(self._take(control & 0x0F), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        mantissa, exponent = self.whole(), self.whole()
        return float(mantissa) * 2.0**exponent

    def tensor(self) -> Floats:
        """The values of a tensor, flat."""
        if self.whole() != 2:
            raise self._broken("a tensor of another version")
        size = self.whole() * self.whole() * self.whole() * self.whole()
        return np.frombuffer(self._take(4 * size), "<f4").astype(np.float32)

    def shaped(self, values: Floats, shape: tuple[int, ...]) -> Floats:
        if values.size != int(np.prod(shape)) or values.size == 0:
            raise self._broken(f"{values.size} values where the shape {shape} belongs")
        return values.reshape(shape)

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise DataError(f"{self._path} is truncated: it ends after {len(self._data)} bytes.")
        self._at += count
        return taken

    def _broken(self, cause: str) -> DataError:
        return DataError(f"{self._path} is damaged or no dlib network: {cause}, before byte {self._at}.")


def _convolution(reader: _Reader) -> Convolution:
    values = reader.tensor()
    filters, height, width, stride, stride_x, padding, padding_x = (reader.whole() for _ in range(7))
    shape = (filters, (values.size - filters) // max(1, filters * height * width), height, width)
    weight = reader.shaped(values[: values.size - filters], shape)
    if stride != stride_x or padding != padding_x or values.size <= filters:
        raise reader._broken("a convolution that differs between the axes")
    return Convolution(weight, values[weight.size :], stride, padding)


def _merge(convolution: Convolution, reader: _Reader) -> Convolution:
    scale, shift = reader.shaped(reader.tensor(), (2, len(convolution.bias)))
    return Convolution(
        convolution.weight * scale[:, None, None, None],
        convolution.bias * scale + shift,
        convolution.stride,
        convolution.padding,
    )
