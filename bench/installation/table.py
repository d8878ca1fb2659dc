"""The description of an installation as lines of a terminal and as plain values."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from bench.installation import SECTIONS
from bench.installation.facts import Fact

_MARKS = {"fact": "    ", "note": "note", "problem": "FAIL"}
_LEAST = 60  # columns of a value that is wrapped


def to_lines(facts: Sequence[Fact], width: int | None) -> list[str]:
    """The facts under the headings of their sections, names and values aligned.

    Args:
        facts: in any order.
        width: columns of the terminal at which longer values are wrapped; None for no wrapping.
    """
    lines = []
    wide = max((len(fact.name) for fact in facts), default=0)
    indent = " " * (len(_MARKS["fact"]) + wide + 5)
    for section, heading in SECTIONS.items():
        rows = [fact for fact in facts if fact.section == section]
        lines += [heading] if rows else []
        for fact in rows:
            first = f"  {_MARKS[fact.level]} {fact.name:<{wide}}  "
            lines += _wrap(first, fact.value, indent, width)
            lines += _wrap(indent, f"-> {fact.hint}", indent, width) if fact.hint else []
    return lines


def to_plain(facts: Sequence[Fact]) -> list[dict[str, str]]:
    """One mapping per fact, ready for JSON."""
    return [asdict(fact) for fact in facts]


def _wrap(first: str, text: str, indent: str, width: int | None) -> list[str]:
    columns = max(len(indent) + _LEAST, width) if width else 1 << 20
    wrapped = textwrap.wrap(
        text, columns, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapped or [first.rstrip()]
