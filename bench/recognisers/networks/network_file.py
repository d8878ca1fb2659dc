"""What recognisers of any network file share: checks of arguments and ports, the face template, and the input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.align.templates import ARCFACE_112, DLIB_150, FACENET_160, SPHEREFACE_112X96
from bench.errors import DataError, UsageError
from bench.interfaces import ByteImages
from bench.onnx.ports import CHANNELS_AT, Layout, Port, describe_ports
from bench.recognisers.networks.chips import PLAIN, USUAL, Colour, Scaling, network_input
from bench.types import FaceTemplate, Points

ColourName = Literal["rgb", "bgr", "gray"]
TemplateName = Literal["arcface", "sphereface", "facenet", "dlib"]
COLOURS: dict[str, Colour] = {"rgb": "RGB", "bgr": "BGR", "gray": "gray"}
_TEMPLATES = {"arcface": ARCFACE_112, "sphereface": SPHEREFACE_112X96, "facenet": FACENET_160, "dlib": DLIB_150}
_CHANNELS = (3, 1)


def check_arguments(
    recogniser: str,
    *,
    colour: str,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    size: tuple[int, ...],
    points: tuple[float, ...],
) -> None:
    """Raise UsageError for arguments that fit no network file; the names are those of the recogniser's arguments."""
    for name, values in (("mean", mean), ("std", std)):
        if values is not None and len(values) not in ((1,) if colour == "gray" else (1, 3)):
            raise UsageError(
                f"{recogniser}: {name}={list(values)} must hold {'1' if colour == 'gray' else '1 or 3'} values"
            )
        if not np.isfinite(values or ()).all():
            raise UsageError(f"{recogniser}: {name}={list(values or ())} must be finite")
    if std is not None and 0 in std:
        raise UsageError(f"{recogniser}: std={list(std)}: no std may be 0")
    if len(size) not in (0, 2) or any(side < 1 for side in size):
        raise UsageError(f"{recogniser}: size={size} must be height and width in pixels, such as [112,112]")
    if len(points) not in (0, 10):
        raise UsageError(f"{recogniser}: points holds {len(points)} numbers; five points are ten: x, y, x, y...")


def check_types(image: Port, output: Port, path: Path) -> None:
    """Raise DataError unless both ports hold numbers."""
    for port, what in ((image, "takes"), (output, "gives")):
        if np.dtype(port.dtype if port.dtype != "unknown" else object).kind not in "fiu":
            raise DataError(f"The weights {path} are of a graph that {what} {port}; a recogniser's are numbers.")


def check_embedding_size(size: int, path: Path) -> int:
    """Refuse an embedding of one number, such as a score, a class or an age: it cannot distinguish people.

    Raises:
        DataError: the length is 1 or less.
    """
    if size < 2:
        raise DataError(f"The network {path} gives {size} number for an image; an embedding has more.")
    return size


def check_channels(channels: int | None, colour: Colour, image: Port, path: Path) -> None:
    """Raise UsageError where the network takes another number of channels than the colour has."""
    if channels not in (1 if colour == "gray" else 3, None):
        say = "Say colour=gray (luma)." if channels == 1 else "colour=gray is for networks of one channel."
        raise UsageError(f"{path.name} takes images of {channels} channel(s): {image}. {say}")


def choose_output(outputs: Sequence[Port], name: str, path: Path, *, by_index: bool = False) -> int:
    """Index of the output that is the embedding.

    Args:
        outputs: of the file.
        name: its name; empty where the file has one output.
        path: the file, for errors.
        by_index: whether ``name`` may also be an index, from 0.

    Raises:
        UsageError: there is none of that name, or several and none was named.
    """
    names = [port.name for port in outputs]
    if name in names and names.count(name) == 1:
        return names.index(name)
    if by_index and name.isdecimal() and name.isascii() and len(name) < 6 and int(name) < len(names):
        return int(name)
    if not name and len(names) == 1:
        return 0
    if name:
        raise UsageError(
            f"{path.name} has no output {name!r}; it has {describe_ports(outputs)}. Name one by output_name="
        )
    raise UsageError(
        f"{path.name} has {len(outputs)} outputs: {describe_ports(outputs)}. "
        "Give the name of the embedding by output_name="
    )


def image_axes(
    image: Port, layout: Layout | Literal["auto"], path: Path
) -> tuple[Layout, tuple[int | None, int | None, int | None, int | None]]:
    """The order of the axes, and the lengths of batch, channels, height and width.

    Raises:
        DataError: the port takes no image of one or three channels.
    """
    dims = (None,) * 4 if image.dims is None else image.dims
    if len(dims) == 3:
        dims = (1, *dims)
    orders: tuple[Layout, ...] = ("nchw", "nhwc") if layout == "auto" else (layout,)
    if len(dims) == 4:
        for channels in (*_CHANNELS, None):
            for order in orders:
                if dims[CHANNELS_AT[order]] == channels:
                    _, *rest = dims
                    height, width = (rest[1], rest[2]) if order == "nchw" else (rest[0], rest[1])
                    return order, (dims[0], channels, height, width)
    shape = " or ".join("(N, 3, height, width)" if order == "nchw" else "(N, height, width, 3)" for order in orders)
    raise DataError(f"The weights {path} take an input {image}; a recogniser takes {shape}, or 1 channel.")


def chip_size(
    recogniser: str, size: tuple[int, ...], declared: tuple[int | None, int | None], path: Path
) -> tuple[int, int]:
    """Height and width of a chip: those given, else those that the file declares.

    Raises:
        UsageError: the two differ, or there is neither.
    """
    sides = size or declared
    for side, fixed in zip(sides, declared, strict=True):
        if fixed is not None and side != fixed:
            raise UsageError(f"{recogniser}: size={list(size)} was given; {path.name} takes {list(declared)}")
    height, width = sides
    if height is None or width is None:
        raise UsageError(f"{recogniser}: {path.name} takes images of any size; say which: size=[112,112]")
    return height, width


def face_template(height: int, width: int, name: TemplateName, points: tuple[float, ...]) -> FaceTemplate:
    """The template of a chip: ten numbers of five points, else a known template scaled to the chip."""
    if points:
        return FaceTemplate(height, width, tuple(zip(points[::2], points[1::2], strict=True)))
    known = _TEMPLATES[name]
    scaled: Points = tuple((x * width / known.width, y * height / known.height) for x, y in known.points)
    return FaceTemplate(height, width, scaled)


def scaling_of(
    recogniser: str,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    *,
    image: Port,
    fitting: Scaling,
    path: Path,
) -> Scaling:
    """The scaling that the arguments give; without them the fitting one.

    Raises:
        UsageError: the network takes whole numbers, and the scaled values do not fit into them.
    """
    kind = np.dtype(image.dtype)
    if mean is None and std is None:
        if kind == np.int8:
            raise UsageError(
                f"{recogniser}: {path.name} takes {image}; say how 0..255 become signed bytes, such as "
                "mean=[128],std=[1]"
            )
        return fitting
    scaling = Scaling(mean or USUAL.mean, std or USUAL.std)
    if kind.kind in "iu":
        low, high = (0 - max(scaling.mean)) / min(scaling.std), (255 - min(scaling.mean)) / min(scaling.std)
        if low < np.iinfo(kind).min or high > np.iinfo(kind).max or high - low < 128:
            raise UsageError(
                f"{recogniser}: {path.name} takes {image}; mean={list(scaling.mean)},std={list(scaling.std)} makes "
                f"values from {low:g} to {high:g}, which whole numbers of that kind do not hold. Leave both out."
            )
    return scaling


def describe_scaling(scaling: Scaling) -> str:
    """A scaling in words: ``(x - 127.5) / 128``."""
    return f"(x - {_numbers(scaling.mean)}) / {_numbers(scaling.std)}"


def image_input(chips: ByteImages, scaling: Scaling, *, colour: Colour, layout: Layout, dtype: Any) -> Any:
    """The array that a network takes; whole numbers are rounded and kept in range.

    Args:
        chips: RGB, uint8 (N, H, W, 3).
        scaling: of the values.
        colour: channel order of the network.
        layout: order of the axes of the network's input.
        dtype: NumPy's type of the network's input.

    Returns:
        (N, C, H, W) or (N, H, W, C) of ``dtype``, contiguous.
    """
    planes = network_input(chips, colour=colour, mean=scaling.mean, std=scaling.std)
    if layout == "nhwc":
        planes = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    return whole_numbers(planes, dtype)


def whole_numbers(values: Any, dtype: Any) -> Any:
    """Values as ``dtype``, rounded and kept in range where it is one of whole numbers."""
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        values = np.rint(values).clip(limits.min, limits.max)
    return values.astype(kind, copy=False)


def default_scaling(image: Port) -> Scaling:
    """None for networks that take bytes, else to [-1, 1]."""
    return PLAIN if np.dtype(image.dtype).kind in "iu" else USUAL


def _numbers(values: tuple[float, ...]) -> str:
    return f"{values[0]:g}" if len(values) == 1 else f"({', '.join(f'{value:g}' for value in values)})"
