"""Cartoon faces drawn from a seed: images for the doctor and for conformance checks, never for results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.images import ByteImages

_OVERSAMPLING = 4


class _Person(NamedTuple):
    """Appearance of one identity, common to all its images; lengths as fractions of the image side."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    background: tuple[int, int, int]
    width: float
    height: float
    hairline: float
    eye_distance: float
    eye_height: float
    eye_size: float
    brow: float
    nose: float
    mouth_width: float
    mouth_height: float
    beard: bool


def draw_face(identity: int, image: int, size: int = 64) -> ByteImages:
    """Draw one image of one identity.

    Args:
        identity: seed of the person: colours and proportions.
        image: seed of the image: small shifts, light, noise. Equal seeds give equal bytes.
        size: side in pixels.

    Returns:
        RGB, uint8 (size, size, 3).
    """
    from PIL import Image, ImageDraw

    person = _person(identity)
    rng = np.random.default_rng((identity, image))
    side = size * _OVERSAMPLING
    canvas = Image.new("RGB", (side, side), person.background)
    pen = ImageDraw.Draw(canvas)
    cx, cy = 0.5 + rng.uniform(-0.02, 0.02), 0.52 + rng.uniform(-0.02, 0.02)

    def disc(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
        pen.ellipse([(x - rx) * side, (y - ry) * side, (x + rx) * side, (y + ry) * side], fill=colour)

    disc(cx, cy - person.hairline, person.width * 1.12, person.height * 1.02, person.hair)
    disc(cx, cy, person.width, person.height, person.skin)
    if person.beard:
        disc(cx, cy + person.height * 0.62, person.width * 0.62, person.height * 0.36, person.hair)
    for sign in (-1, 1):
        x, y = cx + sign * person.eye_distance, cy - person.eye_height
        disc(x, y, person.eye_size, person.eye_size * 0.6, (245, 245, 245))
        disc(x, y, person.eye_size * 0.5, person.eye_size * 0.5, (35, 25, 20))
        disc(x, y - person.brow, person.eye_size * 1.3, person.eye_size * 0.25, person.hair)
    shade = tuple(int(c * 0.8) for c in person.skin)
    disc(cx, cy + person.nose * 0.5, person.nose * 0.4, person.nose, (shade[0], shade[1], shade[2]))
    disc(cx, cy + person.height * 0.5, person.mouth_width, person.mouth_height, (160, 60, 60))
    small = np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float64)
    lit = small * rng.uniform(0.92, 1.08) + rng.normal(0.0, 3.0, small.shape)
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def _person(identity: int) -> _Person:
    rng = np.random.default_rng((identity, 0xFACE))

    def colour(low: int, high: int) -> tuple[int, int, int]:
        red, green, blue = (int(v) for v in rng.integers(low, high, 3))
        return red, green, blue

    tone = rng.uniform(0.35, 1.0)
    return _Person(
        skin=(int(235 * tone), int(190 * tone), int(160 * tone)),
        hair=colour(10, 150),
        background=colour(40, 220),
        width=rng.uniform(0.24, 0.34),
        height=rng.uniform(0.34, 0.43),
        hairline=rng.uniform(0.03, 0.12),
        eye_distance=rng.uniform(0.09, 0.15),
        eye_height=rng.uniform(0.04, 0.12),
        eye_size=rng.uniform(0.035, 0.065),
        brow=rng.uniform(0.05, 0.09),
        nose=rng.uniform(0.05, 0.10),
        mouth_width=rng.uniform(0.06, 0.14),
        mouth_height=rng.uniform(0.012, 0.04),
        beard=bool(rng.random() < 0.3),
    )
