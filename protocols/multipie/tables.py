"""Tables of CMU Multi-PIE: cameras and their yaw, recordings and their expression, flashes, subjects.

Source: Gross et al., Multi-PIE, Image and Vision Computing 2010; bob.db.multipie; the code of TP-GAN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

FRONTAL = "05_1"
CAMERAS: Mapping[str, int] = {
    "11_0": -90, "12_0": -75, "09_0": -60, "08_0": -45, "13_0": -30, "14_0": -15, FRONTAL: 0, "05_0": 15, "04_1": 30,
    "19_0": 45, "20_0": 60, "01_0": 75, "24_0": 90,
}  # fmt: skip
"""Cameras at head height and the yaw of a face in them, degrees. The sign is a convention."""

SURVEILLANCE = ("08_1", "19_1")
"""Cameras that look down from above; not part of a pose sweep."""

BEST_FLASH: Mapping[str, int] = {
    "11_0": 15, "12_0": 15, "09_0": 15, "08_0": 15, "13_0": 5, "14_0": 6, FRONTAL: 6, "05_0": 6, "04_1": 7,
    "19_0": 9, "20_0": 8, "01_0": 8, "24_0": 10,
}  # fmt: skip
"""The shot that lights the face best in each camera, by TP-GAN; landmarks are detected in it first."""

SHOTS = range(20)
"""00 and 19 have no flash, 01 to 18 one each."""

EXPRESSIONS: Mapping[tuple[int, int], str] = {
    (1, 1): "neutral", (1, 2): "smile",
    (2, 1): "neutral", (2, 2): "surprise", (2, 3): "squint",
    (3, 1): "neutral", (3, 2): "smile", (3, 3): "disgust",
    (4, 1): "neutral", (4, 2): "neutral", (4, 3): "scream",
}  # fmt: skip
"""Session and recording to expression."""

SESSIONS = (1, 2, 3, 4)
SUBJECTS = 337

KNOWN_BAD = frozenset(
    (16, 31, 37, 55, 61, 63, 115, 118, 126, 129, 153, 167, 174, 175, 184, 209, 210, 238, 239, 257, 280, 330)
)
"""Subjects that one public project leaves out as misaligned, without further reasons."""

LAST_TRAINING = {"paper": 200, "1": 150, "2": 200}
"""By setting, the last subject of the training set."""

Setting = Literal["paper", "1", "2"]
PEOPLE: Mapping[Setting, int] = {"paper": 50, "1": 100, "2": 137}
"""By setting, the number of test subjects."""
PROBES_A_PERSON = 100
"""In the paper's setting."""


def is_neutral(session: int, recording: int) -> bool:
    """Whether a recording shows neutral faces."""
    return EXPRESSIONS.get((session, recording)) == "neutral"
