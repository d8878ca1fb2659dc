"""One fact about an installation, and the format of sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.errors import one_line

Level = Literal["fact", "note", "problem"]
"""``fact``: nothing to do. ``note``: something optional does not work or is missing. ``problem``: something that every
run needs does not work."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the description of an installation.

    Attributes:
        section: the section of the output: ``system``, ``packages``, ``devices``, ``storage``, ``weights``,
            ``data`` or ``plugins``.
        name: its subject.
        value: one line.
        level: whether something must be done.
        hint: what to do; empty for nothing.
    """

    section: str
    name: str
    value: str
    level: Level = "fact"
    hint: str = ""


def examined(section: str, name: str, examine: Callable[[], list[Fact]]) -> list[Fact]:
    """The facts of one examination; an exception in it becomes one fact.

    Args:
        section: of the fact of an exception.
        name: of that fact.
        examine: returns the facts.
    """
    try:
        return examine()
    except Exception as error:  # noqa: BLE001  # the other facts are still useful
        return [Fact(section, name, f"unknown ({one_line(error, named=True)})", "note")]


def format_size(size: float) -> str:
    """A number of bytes in a suitable unit: ``9.4 MiB``."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
