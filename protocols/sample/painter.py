"""Who draws the people of a sample: the contract of a painter, and the one place that names the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from bench.errors import ContractError, UsageError
from bench.faces.people.look import Look
from bench.interfaces import ByteImages
from protocols.sample.photo import turned

Painter = Callable[[Sequence[Look]], list[ByteImages]]
"""Looks of any sizes, mixed, to RGB uint8 (size, size, 3) in the same order; equal looks give equal bytes.

A painter may have ``name`` (for sample.json) and ``points(look)``: float64 (5, 2), xy in pixels, of the eye on the
image's left, the other eye, the nose tip, and the two mouth corners, left first.
"""

Advance = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""A title and a number of images to a context that is told how many were just done, like `bench.progress.stage`."""

DEFAULT_PAINTER = "people"
_BATCH = 16  # looks drawn between two signs of progress; several threads share them
# Where a face stands in a painter's square when the painter does not say: fractions of the side, x y z, from the
# centre of the head; z towards the viewer.
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
"""Painters by name; a factory imports what it needs."""


def painter(name: str | None = None) -> Painter:
    """Build a painter; None is the default one.

    Raises:
        UsageError: there is none of that name.
    """
    name = name or DEFAULT_PAINTER
    if name not in PAINTERS:
        raise UsageError(f"No painter {name!r}; there are {', '.join(sorted(PAINTERS))}.")
    return PAINTERS[name]()


def default_painter() -> str:
    """Name of the painter that draws when nobody names one."""
    return DEFAULT_PAINTER


def painter_name(paint: Painter) -> str:
    """What sample.json calls a painter."""
    name = getattr(paint, "name", None) or getattr(paint, "__name__", None) or type(paint).__name__
    return str(name)


def silent(title: str, total: int) -> AbstractContextManager[Advance]:
    """A progress that shows nothing."""
    del title, total
    return nullcontext(lambda done: None)


def painted(looks: Sequence[Look], paint: Painter, advance: Advance) -> Iterator[ByteImages]:
    """Paint in batches and hand out one image after the other, in order; ``advance`` counts them.

    Raises:
        ContractError: the painter returned other images than asked for.
    """
    for start in range(0, len(looks), _BATCH):
        batch = looks[start : start + _BATCH]
        images = paint(batch)
        if len(images) != len(batch):
            raise ContractError(
                f"Painter {painter_name(paint)} returned {len(images)} images for {len(batch)} looks; one each is due."
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
    """Eyes, nose tip and mouth corners, (5, 2) xy in pixels of the look's square: the painter's, or nominal ones."""
    own = getattr(paint, "points", None)
    if own is None:
        return (turned(_NOMINAL, look)[:, :2] + _CENTRE) * look.size
    found = np.asarray(own(look), np.float64)
    if found.shape != (5, 2) or not np.isfinite(found).all():
        raise ContractError(f"Painter {painter_name(paint)}: points of shape {found.shape}; expected finite (5, 2).")
    return found


def face_box(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """A tight face box about five points: left, top, right, bottom, in their pixels.

    Forehead to chin is about 2.9 times the distance from the eyes to the mouth; the box is three quarters as wide.
    """
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    height = 2.9 * float(np.hypot(*(mouth - eyes)))
    x, y = (eyes + mouth) / 2 - (0.0, 0.05 * height)
    return float(x - 0.375 * height), float(y - height / 2), float(x + 0.375 * height), float(y + height / 2)
