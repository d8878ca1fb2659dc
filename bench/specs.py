"""Several components in one flag: ``none,bicubic:size=64,vividgan:output=coarse,size=16``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bench.errors import UnknownNameError, UsageError
from bench.grammar.values import split_outside_brackets
from bench.registry import Registry, Spec

_HEAD = re.compile(r"[^:+=]*")
_RULE = (
    "A comma starts another component where a name follows it, and another argument where key=value does. Put the "
    "commas of a value in brackets, or give --{flag} once for each component."
)


def split_items(texts: Sequence[str], flag: str, registry: Registry[Any]) -> list[str]:
    """Split the values of a flag into components or chains, without duplicates.

    Names contain no ``=``, and an argument is ``key=value``. So a piece after a comma is an argument of the component
    before it if ``=`` comes before any ``:`` and ``+``; otherwise it starts a new component. Commas in brackets belong
    to a value. A single component is returned unchecked.

    Args:
        texts: the flag's values; it may be repeated.
        flag: its name, for messages.
        registry: where names are looked up.

    Raises:
        UsageError: a piece is empty, is an argument without a component, or names an unknown component.
    """
    all_items: list[str] = []
    for text in texts:
        items: list[str] = []
        for piece in split_outside_brackets(text):
            head = _HEAD.match(piece)
            if head is None or piece[head.end() : head.end() + 1] != "=":
                items.append(piece.strip())
            elif not items or ":" not in items[-1].rpartition("+")[2]:
                before = f"{items[-1]!r} has no arguments yet: write {items[-1]}:{piece.strip()}. " if items else ""
                raise UsageError(
                    f"--{flag} {text!r}: {before}{piece!r} is an argument without a component. {_rule(flag)}"
                )
            else:
                items[-1] += f",{piece.strip()}"
        all_items += items
    distinct = list(dict.fromkeys(all_items))
    if len(distinct) > 1:
        for item in distinct:
            _check_names(item, flag, registry)
    return distinct


def check_item(item: str, registry: Registry[Any]) -> str | None:
    """The fault in the names and arguments of a component or chain, or None. Nothing is built."""
    for part in item.split("+"):
        try:
            spec = Spec.parse(part)
            registry[spec.name].configure(dict(spec.arguments))
        except UsageError as error:
            return str(error)
    return None


def _check_names(item: str, flag: str, registry: Registry[Any]) -> None:
    if not item:
        raise UsageError(f"--{flag} names an empty component. {_rule(flag)}")
    for part in item.split("+"):
        try:
            if part.strip() != "all" or registry.kind != "protocol":
                registry[Spec.parse(part).name]
        except UnknownNameError as error:
            raise UsageError(f"--{flag}: {error} {_rule(flag)}") from error


def _rule(flag: str) -> str:
    return _RULE.format(flag=flag)
