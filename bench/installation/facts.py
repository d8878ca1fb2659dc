"""One fact about an installation, and how sizes and several lines are worded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.errors import one_line

Level = Literal["fact", "note", "problem"]
"""``fact``: nothing to do. ``note``: something does not run or is not there, and nobody may need it. ``problem``: what
every run needs cannot work."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the description of an installation.

    Attributes:
        section: under which heading it stands: ``system``, ``packages``, ``devices``, ``storage``, ``weights``,
            ``data`` or ``plugins``.
        name: what it is of.
        value: what was found, one line.
        level: whether something is to be done.
        hint: what to do; empty where nothing is.
    """

    section: str
    name: str
    value: str
    level: Level = "fact"
    hint: str = ""


def guarded(section: str, name: str, look: Callable[[], list[Fact]]) -> list[Fact]:
    """What a look finds; where it raises, one fact that says so. No odd machine ends the description.

    Args:
        section: of the fact that says what was raised.
        name: of that fact.
        look: finds the facts.
    """
    try:
        return look()
    except Exception as error:  # noqa: BLE001  # whatever a machine lacks, the other facts are still of use
        return [Fact(section, name, f"unknown ({one_line(error, named=True)})", "note")]


def in_words(size: float) -> str:
    """A number of bytes in the unit that suits it: ``9.4 MiB``."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
