"""The differences of two manifests, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

_TOLERANCE_PIXELS = 0.01
"""Landmarks detected by a network on two machines may differ in their last digits: so many pixels are no difference."""
_HEADER = ("protocol", "dataset", "kind", "version", "arguments")
_WITH_TOLERANCE = ("landmarks", "cut")
_ABSENT = object()


def differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """Everything in which a manifest differs from the expected one; the most important first.

    Notes and whether a set is official are not compared: they follow from the rest.
    """
    if expected.get("digest") == actual.get("digest"):
        return []
    header = [line for name in _HEADER for line in _values(name, expected.get(name), actual.get(name))]
    if any(expected.get(name) != actual.get(name) for name in ("protocol", "kind")):
        return header
    rest = [*_media(expected["media"], actual["media"]), *_values("", expected["compared"], actual["compared"])]
    return header + rest


def _values(name: str, expected: Any, actual: Any) -> Iterator[str]:
    """Differences of two values; those of mappings by key."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key in sorted(expected.keys() | actual.keys()):
            path = f"{name} {key}".strip()
            yield from _values(path, expected.get(key, _ABSENT), actual.get(key, _ABSENT))
    elif not _equal(expected, actual, 0.0):
        yield f"{name} is {_in_words(actual)}, in the manifest {_in_words(expected)}"


def _media(expected: list[dict[str, Any]], actual: list[dict[str, Any]]) -> Iterator[str]:
    expected_by_name, actual_by_name = _by_name(expected), _by_name(actual)
    for name in sorted(expected_by_name.keys() - actual_by_name.keys()):
        yield f"{_title(name)} is not in these data"
    for name in sorted(actual_by_name.keys() - expected_by_name.keys()):
        yield f"{_title(name)} is not in the manifest"
    for name in sorted(expected_by_name.keys() & actual_by_name.keys()):
        one, other = expected_by_name[name], actual_by_name[name]
        for key in sorted(one.keys() | other.keys()):
            a, b = one.get(key, _ABSENT), other.get(key, _ABSENT)
            if not _equal(a, b, _TOLERANCE_PIXELS if key in _WITH_TOLERANCE else 0.0):
                yield f"{_title(name)} has the {key} {_in_words(b)}, in the manifest {_in_words(a)}"


def _by_name(media: list[dict[str, Any]]) -> dict[tuple[str, str, str, int], dict[str, Any]]:
    """Media by role, key, template, and its number among equal ones."""
    seen: Counter[tuple[str, str, str]] = Counter()
    named = {}
    for entry in media:
        name = (entry["role"], entry["key"], entry["template"])
        named[(*name, seen[name])] = entry
        seen[name] += 1
    return named


def _title(name: tuple[str, str, str, int]) -> str:
    return f"{name[0]} {name[1]}"


def _equal(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int) and tolerance:
        return abs(one - other) <= tolerance
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_equal(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key], tolerance) for key in one)
    return bool(one == other)


def _in_words(value: Any) -> str:
    if value is _ABSENT:
        return "none"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
