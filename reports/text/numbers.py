"""How a report writes numbers and text: fractions as percent, what is missing as a dash, hostile text as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from bench.io.printing import printable as plain

__all__ = [
    "GAP", "arguments", "chosen", "count", "measured", "metric", "percent", "plain", "points", "probability", "ranked",
    "reason_counts", "score", "seconds", "shorten", "unit_word", "versions",
]  # fmt: skip

GAP = "–"
_MINUS = "−"


def shorten(text: str, length: int) -> str:
    """The text, its middle left out where it is longer than ``length`` characters."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def percent(fraction: float | None) -> str:
    """A fraction as percent with two decimals and without a sign: 0.3708 gives ``37.08``."""
    return GAP if fraction is None else f"{100 * fraction:.2f}"


_FOUR = ("ssim", "cosine", "lpips")
_NO_WORD = ("fraction", "count", *_FOUR)


def measured(value: float | None, unit: str) -> str:
    """A figure's value without its unit: fractions as percent, counts whole, similarities with four decimals."""
    if value is None or unit == "fraction":
        return percent(value)
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:,.{4 if unit in _FOUR else 2}f}".replace("-", _MINUS)


def unit_word(unit: str) -> str:
    """What stands beside a value: ``%``, ``dB``, ``ms``; nothing for counts and for what names itself."""
    return "%" if unit == "fraction" else "" if unit in _NO_WORD else unit


def points(difference: float | None) -> str:
    """A difference of fractions in percentage points, always with its sign: ``+1.30``, ``−0.65``, ``0.00``."""
    if difference is None:
        return GAP
    text = f"{100 * abs(difference):.2f}"
    return text if float(text) == 0 else f"{_MINUS if difference < 0 else '+'}{text}"


def probability(p_value: float | None) -> str:
    """A p-value with three decimals; below 0.001 only that it is below."""
    if p_value is None:
        return GAP
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def count(number: int | None) -> str:
    """A whole number with thousands separated: ``1,540``."""
    return GAP if number is None else f"{number:,}"


def score(value: float | None) -> str:
    """A similarity with three decimals."""
    return GAP if value is None else f"{value:.3f}".replace("-", _MINUS)


def ranked(value: int | None) -> str:
    """``rank 3``, or ``failed`` where there is no rank."""
    return "failed" if value is None else f"rank {value:,}"


def arguments(values: Mapping[str, object]) -> str:
    """``key=value`` pairs of a component, in the order stored; a dash where it has none."""
    pairs = (f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in values.items())
    return ", ".join(pairs) or GAP


def seconds(value: float | None) -> str:
    """A duration with one decimal."""
    return GAP if value is None else f"{value:,.1f}"


def metric(name: str) -> str:
    """A figure as literature writes it."""
    return {"map": "mAP"}.get(name, name)


def chosen(values: Mapping[str, object], keys: Iterable[str]) -> str:
    """Those of the named entries that are there: ``device: cpu, threads: 2``; a dash for none."""
    entries = (f"{key.replace('_', ' ')}: {values[key]}" for key in keys if values.get(key) is not None)
    return ", ".join(entries) or GAP


def versions(values: object) -> str:
    """Packages with their versions; a dash where none are recorded."""
    return ", ".join(f"{name} {text}" for name, text in values.items()) if isinstance(values, Mapping) else GAP


def reason_counts(reasons: Mapping[str, int]) -> str:
    """Reasons with their counts, most frequent first; a dash where there are none."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{number:,} × {reason}" for reason, number in ordered) or GAP
