"""Argument descriptions of docstrings: the ``Args`` section in Google's style."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

_HEADINGS = ("Args:", "Arguments:", "Parameters:")
_ITEM = re.compile(r"^\*{0,2}(?P<names>\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)$")


def described_arguments(factory: Callable[..., object]) -> dict[str, str]:
    """Argument descriptions in the docstrings of a function, or of a class and its constructor.

    If the docstrings of an inherited constructor and of the class describe the same argument, the latter is used.

    Args:
        factory: a function or a class.

    Returns:
        One line of text by argument name, without entries for undescribed arguments.
    """
    if not isinstance(factory, type):
        return argument_section(inspect.getdoc(factory) or "")
    texts: dict[str, str] = {}
    for base in reversed(factory.__mro__):
        constructor = vars(base).get("__init__")
        for doc in (getattr(constructor, "__doc__", None), base.__doc__):
            if base is not object:
                texts |= argument_section(inspect.cleandoc(doc or ""))
    return texts


def argument_section(doc: str) -> dict[str, str]:
    """The ``Args`` section of a docstring whose first line is not indented: text by argument name.

    ``name: text``, ``name (type): text`` and ``first, second: text for both`` are read; indented lines continue.
    """
    lines = doc.splitlines()
    start = next((index for index, line in enumerate(lines) if line.strip() in _HEADINGS and line[:1] != " "), None)
    if start is None:
        return {}
    texts: dict[str, str] = {}
    names: list[str] = []
    indent = 0
    for line in lines[start + 1 :]:
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            break
        indent = indent or depth
        item = _ITEM.match(line.strip()) if depth <= indent else None
        if item:
            names = [name.strip().lstrip("*") for name in item["names"].split(",")]
            texts.update(dict.fromkeys(names, item["text"]))
        else:
            texts.update({name: f"{texts[name]} {line.strip()}".strip() for name in names})
    return texts
