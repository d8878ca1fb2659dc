"""Painters of the people of samples: their contract, and the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractError, UsageError
from bench.faces.people.look import Look
from bench.interfaces import ByteImages
from protocols.sample.photo import rotate_by_look

Painter = Callable[[Sequence[Look]], list[ByteImages]]
"""Looks of any sizes, mixed, to RGB uint8 (size, size, 3) in the same order; equal looks give equal bytes.

A painter may have ``name`` (for sample.json) and ``points(look)``: float64 (5, 2), xy in pixels, of the eye on the
image's left, the other eye, the nose tip, and the two mouth corners, left first.
"""

Advance = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""Called with a title and a number of images; the context's value is called with the images done since then."""

DEFAULT_PAINTER = "people"
_BATCH = 16  # looks drawn between two reports of progress; several threads share them
# Five points of a face where a painter has no ``points``: x, y, z as fractions of the side, from the centre of the
# head; z towards the viewer.
_NOMINAL = np.array(
    [(-0.12, -0.08, 0.26), (0.12, -0.08, 0.26), (0.0, 0.06, 0.34), (-0.09, 0.19, 0.26), (0.09, 0.19, 0.26)]
)
_CENTRE = (0.5, 0.52)


def _cartoon() -> Painter:
    from protocols.sample.cartoon import Cartoon

    return Cartoon()


def _people() -> Painter:
    from bench.faces.people.model import People

    return People()


PAINTERS: dict[str, Callable[[], Painter]] = {"cartoon": _cartoon, "people": _people}
"""Painters by name; factories import when called."""


def painter(name: str | None = None) -> Painter:
    """Build a painter; None is the default one.

    Raises:
        UsageError: there is no painter of that name.
    """
    name = name or DEFAULT_PAINTER
    if name not in PAINTERS:
        raise UsageError(f"No painter {name!r}; there are {', '.join(sorted(PAINTERS))}.")
    return PAINTERS[name]()


def default_painter() -> str:
    """Name of the default painter."""
    return DEFAULT_PAINTER


def painter_name(paint: Painter) -> str:
    """Name of a painter in sample.json."""
    name = getattr(paint, "name", None) or getattr(paint, "__name__", None) or type(paint).__name__
    return str(name)


def silent(title: str, total: int) -> AbstractContextManager[Advance]:
    """A progress that shows nothing."""
    del title, total
    return nullcontext(lambda done: None)


def painted(looks: Sequence[Look], paint: Painter, advance: Advance) -> Iterator[ByteImages]:
    """Paint in batches and yield the images in order; ``advance`` is called with 1 for each.

    Raises:
        ContractError: the painter returned a wrong number of images, or a wrong shape or dtype.
    """
    for start in range(0, len(looks), _BATCH):
        batch = looks[start : start + _BATCH]
        images = paint(batch)
        if len(images) != len(batch):
            raise ContractError(
                f"Painter {painter_name(paint)} returned {len(images)} images for {len(batch)} looks; expected one "
                "each."
            )
        for look, image in zip(batch, images, strict=True):
            if image.dtype != np.uint8 or image.shape != (look.size, look.size, 3):
                raise ContractError(
                    f"Painter {painter_name(paint)} returned {image.dtype} {image.shape} for a look of size "
                    f"{look.size}; expected uint8 ({look.size}, {look.size}, 3)."
                )
            advance(1)
            yield image


def five_points(paint: Painter, look: Look) -> NDArray[np.float64]:
    """Eyes, nose tip and mouth corners, float64 (5, 2), xy in pixels: the painter's, else nominal ones."""
    points_of = getattr(paint, "points", None)
    if points_of is None:
        return (rotate_by_look(_NOMINAL, look)[:, :2] + _CENTRE) * look.size
    points = np.asarray(points_of(look), np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise ContractError(f"Painter {painter_name(paint)}: points of shape {points.shape}; expected finite (5, 2).")
    return points


def face_box(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """A tight face box about five points: left, top, right, bottom, in their pixels.

    Forehead to chin is about 2.9 times the distance from the eyes to the mouth; the box is three quarters as wide.
    """
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    height = 2.9 * float(np.hypot(*(mouth - eyes)))
    x, y = (eyes + mouth) / 2 - (0.0, 0.05 * height)
    return float(x - 0.375 * height), float(y - height / 2), float(x + 0.375 * height), float(y + height / 2)
