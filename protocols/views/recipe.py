"""What is turned and how: a photograph, and the recipe of its views."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bench.align.template import Frame
from bench.errors import UsageError
from bench.types import Cut

SIDE = 128
YAWS_DEG = (22.0, 40.0, 55.0, 75.0)
JitterName = Literal["paper", "small", "none"]
JITTERS: dict[JitterName, dict[str, Any] | None] = {
    "paper": {},  # the ranges of bench.faces.pairs.pairs.Jitter
    "small": {"rotation_deg": 10.0, "shift": 0.03, "scale": (0.9, 1.0)},
    "none": None,
}


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture that may show a frontal face.

    Attributes:
        path: the file.
        cuts: how the picture is taken out of it, tried one after the other until one shows an upright frontal face.
    """

    path: Path
    cuts: tuple[Cut, ...] = (Cut(),)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made of a photograph.

    Attributes:
        frame: where the five points of the frontal face are brought to; hallucinators that give faces in one frame are
            judged in it. ``utkface200`` is that of the shipped weights.
        jitter: ranges of the random similarity of views: ``paper`` (45 degrees, 5 % of the side, 0.8 to 1), ``small``
            (10 degrees, 3 %, 0.9 to 1) or ``none``.
        yaws_deg: turns, each to both sides.
        seed: of the similarities.
        most_yaw_deg: a face turned further in the photograph is no frontal truth.
    """

    frame: Frame = "utkface200"
    jitter: JitterName = "paper"
    yaws_deg: tuple[float, ...] = YAWS_DEG
    seed: int = 0
    most_yaw_deg: float = 15.0

    def __post_init__(self) -> None:
        if self.frame not in get_args(Frame) or self.jitter not in JITTERS or not self.yaws_deg:
            raise UsageError(f"Turned views need a frame, a jitter and yaws, not {self}")
