"""Conversion of values by type annotation, and the nearest known name to a wrong one."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Union

_BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)


def convert(value: object, annotation: Any) -> object:
    """Convert a string to the annotated type; a value of another type is only checked.

    Supports bool, int, float, str, Path, Literal, unions with None (``none``), and tuples of one item type
    (``[1,2,3]``).

    Raises:
        ValueError: the value is invalid; the text says what is valid.
    """
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        options = typing.get_args(annotation)
        chosen = any(typing.get_origin(o) is Literal and value in typing.get_args(o) for o in options)  # "none" may be
        if type(None) in options and not chosen:
            if value is None or (isinstance(value, str) and value.lower() == "none"):
                return None
        faults = []
        for option in options:
            if option is not type(None):
                try:
                    return convert(value, option)
                except ValueError as error:
                    faults.append(str(error))
        raise ValueError("; ".join(faults))
    if origin is Literal:
        choices = typing.get_args(annotation)
        for choice in choices:
            if value == choice or str(value) == str(choice):
                return choice
        raise ValueError(
            f"{value!r} is none of {', '.join(map(str, choices))}{suggestion(str(value), map(str, choices))}"
        )
    if origin is tuple:
        item = typing.get_args(annotation)[0]
        if isinstance(value, str):
            inner = value.strip().removeprefix("[").removesuffix("]")
            value = [part for part in inner.split(",") if part.strip()]
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{value!r} is not a list such as [1,2]")
        return tuple(convert(part, item) for part in value)
    return _convert_plain(value, annotation)


def _convert_plain(value: object, annotation: Any) -> object:
    if annotation is Any or annotation is object:
        return value
    if annotation is Path:
        if isinstance(value, (str, Path)) and str(value):
            return Path(value).expanduser()
        raise ValueError(f"{value!r} is not a path")
    if not isinstance(value, str):
        if annotation is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, annotation) and not (annotation in (int, float) and isinstance(value, bool)):
            return value
        raise ValueError(f"{value!r} is {type(value).__name__}, not {type_name(annotation)}")
    if annotation is bool:
        if value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        raise ValueError(f"{value!r} is neither true nor false")
    if annotation in (int, float):
        try:
            number: int | float = annotation(value)
        except ValueError:
            raise ValueError(f"{value!r} is not {'a whole number' if annotation is int else 'a number'}") from None
        return number
    if annotation is str:
        return value
    raise ValueError(f"arguments of type {type_name(annotation)} cannot be given as text")


def type_name(annotation: Any) -> str:
    """An annotation as a user reads it, for instance ``int|none``, ``[float,...]`` or ``none|mtcnn``."""
    if typing.get_origin(annotation) is Literal:
        return "|".join(map(str, typing.get_args(annotation)))
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return "|".join(type_name(option) for option in typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return f"[{type_name(typing.get_args(annotation)[0])},...]"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name with the most similar spelling, or None if there is none."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return near[0] if near else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """`nearest` as the end of a clause, after a space: `` (did you mean 'size'?)``; empty if there is none."""
    near = nearest(name, known)
    return f" (did you mean {near!r}?)" if near else ""


def split_outside_brackets(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
