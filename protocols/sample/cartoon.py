"""A simple painter: cartoon faces with pose, expression and lighting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.faces.people.look import ILLUMINATIONS, Expression, Look
from bench.interfaces import ByteImages
from protocols.sample.photo import rotate_by_look

Colour = tuple[int, int, int]
Vector = NDArray[np.float64]


class _Face(NamedTuple):
    """Parameters of an expression at full strength; neutral is 0, with eyes of 1."""

    smile: float
    jaw: float
    brow: float
    slant: float
    eyes: float


_FACES: dict[Expression, _Face] = {
    "neutral": _Face(0.0, 0.0, 0.0, 0.0, 1.0),
    "anger": _Face(-0.5, 0.1, -0.6, 1.0, 0.8),
    "disgust": _Face(-0.8, 0.25, -0.4, 0.5, 0.55),
    "fear": _Face(-0.4, 0.6, 0.7, -0.9, 1.4),
    "happiness": _Face(1.0, 0.4, 0.1, 0.0, 0.75),
    "sadness": _Face(-1.0, 0.0, 0.2, -1.0, 0.8),
    "surprise": _Face(0.0, 1.0, 1.0, 0.0, 1.5),
}


class _Person(NamedTuple):
    """Appearance of one identity, common to all its images; lengths as fractions of the image side."""

    skin: Colour
    hair: Colour
    iris: Colour
    width: float
    height: float
    hairline: float
    eye_distance: float
    eye_height: float
    eye_size: float
    brow: float
    nose: float
    mouth_width: float
    beard: bool


class Cartoon:
    """Draws looks with ellipses: fast, and the same bytes with the same Pillow and NumPy."""

    name = "cartoon"

    def __call__(self, looks: Sequence[Look]) -> list[ByteImages]:
        """Draw each look; see `protocols.sample.painter.Painter`."""
        return [_draw(look) for look in looks]

    def points(self, look: Look) -> Vector:
        """Eyes, nose tip and mouth corners of a look: float64 (5, 2), xy in pixels."""
        person, centre = _person(look.identity), _centre(look)
        return (_spots(person, look)[:, :2] + centre) * look.size


def _draw(look: Look) -> ByteImages:
    from PIL import Image, ImageDraw

    person, centre, face = _person(look.identity), _centre(look), _face(look)
    side = look.size * (4 if look.size <= 160 else 2)
    behind = np.random.default_rng((look.identity, look.variation, 2)).integers(
        60, 200, 3
    )  # independent of the identity
    canvas = Image.new("RGB", (side, side), (int(behind[0]), int(behind[1]), int(behind[2])))
    pen = ImageDraw.Draw(canvas)

    def disc(x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        pen.ellipse([(x - rx) * side, (y - ry) * side, (x + rx) * side, (y + ry) * side], fill=colour)

    def on_head(x: float, y: float, rx: float, ry: float, colour: Colour, drop: float = 0.0) -> None:
        """A disc on the head's surface, foreshortened; drawn where the surface is visible."""
        depth = 0.9 * person.width * np.sqrt(max(0.0, 1 - (x / person.width) ** 2 - (y / person.height) ** 2))
        spot = rotate_by_look(np.array([(x, y, depth)]), look)[0]
        if spot[2] > 0.02:
            seen = max(0.25, min(1.0, float(spot[2]) / max(depth, 1e-6)))
            disc(spot[0] + centre[0], spot[1] + centre[1] + drop, rx * seen, ry, colour)

    shade: Colour = (int(person.skin[0] * 0.8), int(person.skin[1] * 0.8), int(person.skin[2] * 0.8))
    cx, cy = centre
    back = -0.12 * np.sin(np.deg2rad(look.yaw_deg))
    disc(cx, cy + person.height * 1.25, person.width * 1.6, person.height * 0.4, person.iris)
    disc(cx, cy + person.height * 0.8, person.width * 0.5, person.height * 0.5, shade)
    disc(cx + back, cy - person.hairline, person.width * 1.12, person.height * 1.02, person.hair)
    disc(cx, cy, person.width, person.height, person.skin)
    if person.beard:
        on_head(0.0, person.height * 0.62, person.width * 0.62, person.height * 0.34, person.hair)
    for sign in (-1, 1):
        x, y = sign * person.eye_distance, -person.eye_height
        on_head(x, y, person.eye_size, person.eye_size * 0.6 * face.eyes, (245, 245, 245))
        on_head(x, y, person.eye_size * 0.45, person.eye_size * 0.5 * min(face.eyes, 1.1), person.iris)
        height = y - person.brow - 0.035 * face.brow
        for step in (
            -1.0,
            -0.5,
            0.0,
            0.5,
            1.0,
        ):  # the inner end (towards the nose) is lower in anger, higher in sadness
            inner = -step * sign
            on_head(
                x + step * person.eye_size,
                height + 0.02 * face.slant * inner,
                person.eye_size * 0.4,
                0.011,
                person.hair,
            )
    on_head(0.0, person.nose * 0.5, person.nose * 0.4, person.nose, shade)
    wide = person.mouth_width * (1 + 0.25 * face.smile - 0.25 * face.jaw)
    for step in np.linspace(-1, 1, 9):
        drop = -0.035 * face.smile * (step * step - 0.4)
        thick = 0.013 + 0.05 * face.jaw * np.sqrt(1 - 0.9 * step * step)
        on_head(step * wide, person.height * 0.5 + drop, wide * 0.2, thick, (150, 55, 60))
    if face.jaw > 0.3:
        on_head(0.0, person.height * 0.5, wide * 0.6, 0.03 * face.jaw, (50, 15, 20))
    small = np.asarray(canvas.resize((look.size, look.size), Image.Resampling.BOX), np.float32)
    rng = np.random.default_rng((look.identity, look.variation, 1))
    lit = small * rng.uniform(0.94, 1.06) * _light(look) + 2 * rng.standard_normal(small.shape, np.float32)
    image: ByteImages = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
    return image


def _light(look: Look) -> NDArray[Any]:
    """Gain by column, (1, size, 1): constant for 0 and the last illumination, else brighter towards the lamp."""
    if look.illumination in (0, ILLUMINATIONS - 1):
        return np.ones((1, look.size, 1))
    angle = np.deg2rad(-90 + 180 * (look.illumination - 1) / (ILLUMINATIONS - 3))
    across = np.linspace(-1, 1, look.size)
    gain: NDArray[Any] = 0.8 + 0.25 * np.cos(angle) + 0.45 * np.sin(angle) * across
    return gain.reshape(1, -1, 1)


def _face(look: Look) -> _Face:
    """The expression at its strength."""
    rest, apex = _FACES["neutral"], _FACES[look.expression]
    return _Face(*(a + look.strength * (b - a) for a, b in zip(rest, apex, strict=True)))


def _centre(look: Look) -> Vector:
    """Centre of the head in the image, as fractions of the side."""
    rng = np.random.default_rng((look.identity, look.variation, 0))
    return np.array([0.5, 0.52]) + rng.uniform(-0.015, 0.015, 2)


def _spots(person: _Person, look: Look) -> Vector:
    """Eyes, nose tip and mouth corners after rotation, from the centre of the head, (5, 3), fractions of the side."""
    mouth = person.mouth_width * (1 + 0.25 * _face(look).smile - 0.25 * _face(look).jaw)
    flat = np.array(
        [
            (-person.eye_distance, -person.eye_height),
            (person.eye_distance, -person.eye_height),
            (0.0, person.nose),
            (-mouth, person.height * 0.5),
            (mouth, person.height * 0.5),
        ]
    )
    inside = np.maximum(0.0, 1 - (flat[:, 0] / person.width) ** 2 - (flat[:, 1] / person.height) ** 2)
    return rotate_by_look(np.column_stack([flat, 0.9 * person.width * np.sqrt(inside)]), look)


def _person(identity: int) -> _Person:
    rng = np.random.default_rng((identity, 0xFACE))

    def colour(low: int, high: int) -> Colour:
        red, green, blue = (int(v) for v in rng.integers(low, high, 3))
        return red, green, blue

    tone = rng.uniform(0.35, 1.0)
    return _Person(
        skin=(int(235 * tone), int(190 * tone), int(160 * tone)),
        hair=colour(10, 150),
        iris=colour(15, 90),
        width=rng.uniform(0.25, 0.33),
        height=rng.uniform(0.34, 0.41),
        hairline=rng.uniform(0.03, 0.10),
        eye_distance=rng.uniform(0.10, 0.14),
        eye_height=rng.uniform(0.05, 0.11),
        eye_size=rng.uniform(0.035, 0.06),
        brow=rng.uniform(0.05, 0.08),
        nose=rng.uniform(0.05, 0.09),
        mouth_width=rng.uniform(0.06, 0.12),
        beard=bool(rng.random() < 0.3),
    )
