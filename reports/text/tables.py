"""Tables as lines of a terminal: text of others stays text and never steers the terminal."""

from __future__ import annotations

import json

from reports.text.numbers import GAP, measured, plain, shorten, unit_word

MINUS = "−"
_MOST = 48  # characters of a name


def cell(text: object, length: int = _MOST) -> str:
    """Text of others on one line: control characters by their code points, its middle left out where it is long."""
    return shorten(plain(text), length)


def number(value: float | None, unit: str) -> str:
    """A figure with its unit; a dash for none."""
    word = unit_word(unit)
    return GAP if value is None else f"{_minus(value, unit)}{f' {word}' if word else ''}"


def interval(low: float | None, high: float | None, unit: str) -> str:
    """``[12.50, 20.00]``; ``no interval`` where there is none."""
    return "no interval" if low is None or high is None else f"[{_minus(low, unit)}, {_minus(high, unit)}]"


def _minus(value: float, unit: str) -> str:
    """`measured`, whose fractions below 0 (of differences alone) have a hyphen."""
    return measured(value, unit).replace("-", MINUS)


def signed(value: float | None, unit: str) -> str:
    """A difference, always with its sign: of fractions in percentage points."""
    if value is None:
        return GAP
    text = measured(abs(value), unit)
    if not any(digit in "123456789" for digit in text):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def to_json(value: object) -> str:
    """Strict, indented JSON of ASCII alone, with a final newline: what is no ASCII stands by its code point."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=True) + "\n"
