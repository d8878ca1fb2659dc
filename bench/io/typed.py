"""Checks values from JSON against a dataclass or a typed dictionary and names every wrong field in one line."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bench.io.printing import printable
from bench.io.strictfiles import shorten

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_MOST_FAULTS = 5
_SURROGATE = re.compile("[\ud800-\udfff]")


def as_type(kind: type[T], value: object) -> T:
    """Convert a JSON value to ``kind`` with strict types: neither text nor a boolean is a number.

    pydantic is imported here, since that takes 0.1 s and most commands read no JSON.

    Args:
        kind: a dataclass or typed dictionary, possibly with pydantic's constraints.
        value: as `bench.io.strictfiles.parse_json` returns it. Lone surrogates in its texts are replaced as
            `printable` does, since pydantic refuses them.

    Raises:
        ValueError: some fields have a wrong type; names for at most five of them the field, its value and the rule.
    """
    from pydantic import ValidationError

    text = _SURROGATE.sub(lambda match: printable(match[0]), json.dumps(value, ensure_ascii=False))
    adapter: TypeAdapter[T] = _adapter(cast("Any", kind))
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        faults = [_describe_fault(fault) for fault in error.errors(include_url=False, include_context=False)]
    more = len(faults) - _MOST_FAULTS
    raise ValueError("; ".join(faults[:_MOST_FAULTS]) + (f"; and {more} more" if more > 0 else ""))


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _describe_fault(fault: Any) -> str:
    field = shorten(".".join(map(str, fault["loc"])) or "the file", 80)
    if fault["type"] == "missing":
        return f"{field} is missing"
    rule = fault["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
    return f"{field} is {shorten(repr(fault['input']), 40)}: {shorten(rule)}"
