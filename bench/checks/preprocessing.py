"""Check channel order and scaling of a recogniser by trying others on drawn people.

A network with swapped channels or another range of values still works on large faces and loses much on tiny ones. So
photographs of drawn people are shrunk to 16 pixels and embedded under each setting. The measure is how often another
photograph of the person ranks before those of all other people. A setting is reported where it is better by more than
the interval of the paired difference over people.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.images import resize
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.pipeline.build import Built, build
from bench.registry import Spec
from bench.types import FaceTemplate, Points

PEOPLE, PHOTOGRAPHS = 96, 3
_FIRST = 90_000  # seed of the first person, different from those of samples
_SIDE = 16  # pixels
_MIN_GAIN = 0.02  # of a better setting, at the lower end of the interval
_POOR = 0.5  # below this rate both the order and the scaling may be wrong
_CONFIDENCE = 0.999  # several settings are tried
_MAX_SECONDS = 15.0  # CPU time for all chips; a slower network gets fewer chips, and scalings are not tried
_SCALINGS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "[-1, 1]": ((127.5,), (127.5,)),
    "(x - 127.5) / 128": ((127.5,), (128.0,)),
    "[0, 1]": ((0.0,), (255.0,)),
    "0..255": ((0.0,), (1.0,)),
    "ImageNet's mean and deviation": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}
"""Scalings in use: mean and deviation of 0..255 values, RGB."""


Embed = Callable[[ByteImages], FloatImages]


class Trial(NamedTuple):
    """Result for channel order or scaling.

    Attributes:
        name: ``channel-order`` or ``scaling``.
        better: whether another setting is significantly better.
        detail: figures and advice, as text.
    """

    name: str
    better: bool
    detail: str


class _Gain(NamedTuple):
    """The rate under another setting, and the interval of its difference to the rate as given."""

    rate: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > _MIN_GAIN


def try_preprocessing(built: Built[Recogniser]) -> list[Trial]:
    """Try the other channel order, and other scalings where the recogniser takes ``mean`` and ``std``.

    Args:
        built: a recogniser that passes its conformance checks.

    Returns:
        One trial each for channel order and scaling, where they can be changed. Seven passes over 288 chips; fourteen
        where a scaling is wrong.
    """
    component = built.component
    chips = drawn_chips(component.face)
    few = chips[: 4 * PHOTOGRAPHS]
    component.embed(few)  # builds the network
    start = time.process_time()  # independent of the load by other programs
    component.embed(few)
    slow = (time.process_time() - start) / len(few) * len(chips) > _MAX_SECONDS
    if slow:
        chips = chips[: PEOPLE // 2 * PHOTOGRAPHS]
    base = component.embed(chips)
    order = _order(built, component.embed, chips, base)
    if slow or not _takes(built, "mean", "std"):
        return order
    scalings = {name: embed for name in _SCALINGS if (embed := _rebuilt(built, name)) is not None}
    gains = {name: _gain(base, embed(chips)) for name, embed in scalings.items()}
    if not gains:
        return order
    best = max(gains, key=lambda name: gains[name].rate)
    poor = gains[best].clear or float(mates_first(base).mean()) < _POOR
    if not poor or not order or order[0].better:
        return [*order, _scaling_trial(built, best, "", base, gains[best])]
    swapped = {name: _gain(base, embed(_swapped(chips))) for name, embed in scalings.items()}  # both may be wrong
    other = max(swapped, key=lambda name: swapped[name].rate)
    if swapped[other].rate <= gains[best].rate:
        return [*order, _scaling_trial(built, best, "", base, gains[best])]
    order = _order(built, scalings[other], chips, scalings[other](chips))
    return [*order, _scaling_trial(built, other, f" and {_other_order(built)}", base, swapped[other])]


def mates_first(embeddings: FloatImages) -> NDArray[np.float64]:
    """How often another photograph of the person ranks before those of all other people.

    Args:
        embeddings: `PHOTOGRAPHS` rows for each person in turn, finite.

    Returns:
        By person, the share of ordered pairs of photographs; float64 (people,).
    """
    rows = embeddings.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    scores = unit @ unit.T
    person = np.arange(len(rows)) // PHOTOGRAPHS
    same = person[:, None] == person
    best_other = np.where(same, -np.inf, scores).max(axis=1, keepdims=True)
    hits = (scores > best_other) & same
    np.fill_diagonal(hits, False)
    shares: NDArray[np.float64] = hits.sum(axis=1).reshape(-1, PHOTOGRAPHS).sum(axis=1) / (
        PHOTOGRAPHS * (PHOTOGRAPHS - 1)
    )
    return shares


def drawn_chips(face: FaceTemplate) -> ByteImages:
    """Chips of drawn people, enlarged from 16 x 16 pixels.

    Expression, position, light, white balance and noise differ between the photographs of a person.

    Args:
        face: the recogniser's template.

    Returns:
        RGB, uint8 (`PEOPLE` * `PHOTOGRAPHS`, H, W, 3), the photographs of a person together.
    """
    from bench.align.none import whole_image

    generator = np.random.default_rng(0)
    y, x = np.mgrid[0 : face.height, 0 : face.width] / face.height - 0.5
    chips = []
    for photo, points in _photographs():
        moved = points + generator.normal(0, 2.0, points.shape)
        chip = _placed(photo, moved, face).astype(np.float64)
        angle, slope = generator.uniform(0, 2 * np.pi), generator.uniform(0, 0.7)
        light = 1 + slope * (np.cos(angle) * x + np.sin(angle) * y)
        chip *= light[..., None] * generator.uniform(0.6, 1.3) * generator.uniform(0.92, 1.08, 3)
        tiny = resize(np.rint(chip).clip(0, 255).astype(np.uint8), _SIDE, _SIDE)
        noisy = np.rint(tiny + generator.normal(0, 5.0, tiny.shape)).clip(0, 255).astype(np.uint8)
        chips.append(whole_image(noisy, face))
    return np.stack(chips)


@lru_cache(maxsize=1)
def _photographs() -> tuple[tuple[ByteImages, NDArray[np.float64]], ...]:
    """Frontal photographs of drawn people, and their five points, (5, 2)."""
    from bench.faces.landmarks.points import five_points
    from bench.faces.people.look import Expression
    from bench.faces.people.model import People

    expressions: tuple[tuple[Expression, float], ...] = (("neutral", 1.0), ("happiness", 0.8), ("surprise", 0.7))
    people = People()
    photographs = []
    for person in range(_FIRST, _FIRST + PEOPLE):
        for expression, strength in expressions:
            photo, landmarks = people.photograph(person, expression, strength)
            photographs.append((photo, five_points(landmarks.points)[:, :2].astype(np.float64)))
    return tuple(photographs)


def _placed(photo: ByteImages, points: NDArray[np.float64], face: FaceTemplate) -> ByteImages:
    """The chip; beyond the photograph its border is repeated."""
    import cv2

    from bench.media.similarity import fit_similarity

    source: Points = tuple((float(x), float(y)) for x, y in points)
    matrix = fit_similarity(source, face.points)
    size = (face.width, face.height)
    chip = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(chip, np.uint8)


def _order(built: Built[Recogniser], embed: Embed, chips: ByteImages, base: FloatImages) -> list[Trial]:
    if built.component.colour == "gray":
        return []
    other = _other_order(built)
    gain = _gain(base, embed(_swapped(chips)))
    advice = f"use colour={other.lower()}" if _takes(built, "colour") else f"the network seems to be trained on {other}"
    return [Trial("channel-order", gain.clear, _words(base, f"with {other}", gain, advice))]


def _scaling_trial(built: Built[Recogniser], name: str, order: str, base: FloatImages, gain: _Gain) -> Trial:
    mean, std = (_listed(_in_order(values, built.component)) for values in _SCALINGS[name])
    return Trial("scaling", gain.clear, _words(base, f"with {name}{order}", gain, f"use mean={mean},std={std}"))


def _other_order(built: Built[Recogniser]) -> str:
    return "BGR" if built.component.colour == "RGB" else "RGB"


def _swapped(chips: ByteImages) -> ByteImages:
    return np.ascontiguousarray(chips[..., ::-1])


def _rebuilt(built: Built[Recogniser], scaling: str) -> Embed | None:
    """The recogniser with another scaling; None where it cannot be built with it."""
    other_arguments = tuple((name, value) for name, value in built.spec.arguments if name not in ("mean", "std"))
    mean, std = (_listed(_in_order(values, built.component)) for values in _SCALINGS[scaling])
    try:
        return build(
            RECOGNISERS, Spec(built.spec.name, (*other_arguments, ("mean", mean), ("std", std)))
        ).component.embed
    except BenchError:
        return None


def _in_order(values: tuple[float, ...], component: Recogniser) -> tuple[float, ...]:
    """Values of RGB in the order of the network's channels."""
    if component.colour == "gray":
        return (round(float(np.mean(values)), 3),)
    return values[::-1] if component.colour == "BGR" else values


def _takes(built: Built[Recogniser], *names: str) -> bool:
    """Whether the recogniser can be built with these arguments."""
    if built.spec.name not in RECOGNISERS:
        return False
    return set(names) <= {argument.name for argument in RECOGNISERS[built.spec.name].arguments()}


def _gain(base: FloatImages, embeddings: FloatImages) -> _Gain:
    """The rate under another setting and the interval of the paired difference over people (Student's t)."""
    from scipy.stats import t

    if not np.isfinite(embeddings).all():
        return _Gain(0.0, -1.0, -1.0)
    rates = mates_first(embeddings)
    differences = rates - mates_first(base)
    spread = differences.std(ddof=1) / np.sqrt(len(differences))
    half = float(t.ppf((1 + _CONFIDENCE) / 2, len(differences) - 1) * spread)
    middle = float(differences.mean())
    return _Gain(float(rates.mean()), middle - half, middle + half)


def _words(base: FloatImages, how: str, gain: _Gain, advice: str) -> str:
    rates = mates_first(base)
    figures = (
        f"mates found first among {len(rates)} drawn people of {_SIDE} pixels: {rates.mean():.1%} as given, "
        f"{gain.rate:.1%} {how} (difference {100 * gain.low:+.1f} to {100 * gain.high:+.1f} points, "
        f"{100 * _CONFIDENCE:g} % interval)"
    )
    return f"{figures}: {advice}" if gain.clear else figures


def _listed(values: tuple[float, ...]) -> str:
    return f"[{','.join(f'{value:g}' for value in values)}]"
