"""The description of an image of a drawn person, from which painters draw it. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Expression = Literal["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"]

EXPRESSIONS: tuple[Expression, ...] = ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise")
ILLUMINATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One image of one drawn identity; equal looks give equal bytes.

    Attributes:
        identity: seed of the person.
        variation: seed of small differences between images of the same pose: shift, light, noise.
        yaw_deg: rotation of the head about the vertical axis; positive turns the face to the image's right.
        pitch_deg: positive looks up.
        roll_deg: rotation in the image plane; positive turns clockwise.
        expression: one of seven.
        strength: of the expression, 0 (neutral) to 1 (apex).
        illumination: 0 (even light) to 19; 1..18 are single lamps from the left (1) over the front to the right (18).
        size: side of the square image in pixels; the face has the same relative size at every one.
    """

    identity: int
    variation: int = 0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    expression: Expression = "neutral"
    strength: float = 1.0
    illumination: int = 0
    size: int = 128
