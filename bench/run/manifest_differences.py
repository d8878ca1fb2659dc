"""What two manifests do not have in common, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

_PIXELS = 0.01
"""Landmarks found by a network on two machines may differ in their last digits; a hundredth of a pixel is the same."""
_HEADS = ("protocol", "dataset", "kind", "version", "arguments")
_FREE = ("landmarks", "cut")
_ABSENT = object()


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Everything in which the found manifest is not the expected one; what is said first weighs most.

    Notes and whether a set is official are not compared: they follow from the rest.
    """
    if expected.get("digest") == found.get("digest"):
        return []
    heads = [line for name in _HEADS for line in _values(name, expected.get(name), found.get(name))]
    if any(expected.get(name) != found.get(name) for name in ("protocol", "kind")):
        return heads
    rest = [*_media(expected["media"], found["media"]), *_values("", expected["compared"], found["compared"])]
    return heads + rest


def _values(name: str, expected: Any, found: Any) -> Iterator[str]:
    """Differences of two values; mappings are looked into."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in sorted(expected.keys() | found.keys()):
            path = f"{name} {key}".strip()
            yield from _values(path, expected.get(key, _ABSENT), found.get(key, _ABSENT))
    elif not _alike(expected, found, 0.0):
        yield f"{name} is {_worded(found)}, in the manifest {_worded(expected)}"


def _media(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> Iterator[str]:
    theirs, ours = _by_name(expected), _by_name(found)
    for name in sorted(theirs.keys() - ours.keys()):
        yield f"{_title(name)} is not in these data"
    for name in sorted(ours.keys() - theirs.keys()):
        yield f"{_title(name)} is not in the manifest"
    for name in sorted(theirs.keys() & ours.keys()):
        one, other = theirs[name], ours[name]
        for key in sorted(one.keys() | other.keys()):
            a, b = one.get(key, _ABSENT), other.get(key, _ABSENT)
            if not _alike(a, b, _PIXELS if key in _FREE else 0.0):
                yield f"{_title(name)} has the {key} {_worded(b)}, in the manifest {_worded(a)}"


def _by_name(media: list[dict[str, Any]]) -> dict[tuple[str, str, str, int], dict[str, Any]]:
    """Media by role, key, template, and which of several alike it is."""
    seen: Counter[tuple[str, str, str]] = Counter()
    named = {}
    for entry in media:
        name = (entry["role"], entry["key"], entry["template"])
        named[(*name, seen[name])] = entry
        seen[name] += 1
    return named


def _title(name: tuple[str, str, str, int]) -> str:
    return f"{name[0]} {name[1]}"


def _alike(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int) and tolerance:
        return abs(one - other) <= tolerance
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_alike(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[key], other[key], tolerance) for key in one)
    return bool(one == other)


def _worded(value: Any) -> str:
    if value is _ABSENT:
        return "none"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
