"""A photograph, and the recipe of the views rendered from it."""

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
    """An image that may show a frontal face.

    Attributes:
        path: the file.
        cuts: crops of the file, tried in order until one shows an upright frontal face.
    """

    path: Path
    cuts: tuple[Cut, ...] = (Cut(),)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How views are rendered.

    Attributes:
        frame: frame to which the five points of the frontal face are aligned, and in which hallucinated faces are
            compared with it. ``utkface200`` is the frame of the shipped weights.
        jitter: ranges of the random similarity of views: ``paper`` (45 degrees, 5 % of the side, 0.8 to 1), ``small``
            (10 degrees, 3 %, 0.9 to 1) or ``none``.
        yaws_deg: yaws rendered to both sides, degrees.
        seed: of the similarities.
        most_yaw_deg: a photograph whose face is turned further is not used as frontal.
    """

    frame: Frame = "utkface200"
    jitter: JitterName = "paper"
    yaws_deg: tuple[float, ...] = YAWS_DEG
    seed: int = 0
    most_yaw_deg: float = 15.0

    def __post_init__(self) -> None:
        if self.frame not in get_args(Frame) or self.jitter not in JITTERS or not self.yaws_deg:
            raise UsageError(f"Rendered views need a known frame, a known jitter and yaws, not {self}")
