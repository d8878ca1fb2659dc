"""Values read from JSON, checked against a dataclass or a typed dictionary: every wrong field is named in one line."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bench.io.printing import printable
from bench.io.strictfiles import shown

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_MOST_FAULTS = 5
_SURROGATE = re.compile("[\ud800-\udfff]")


def as_type(kind: type[T], value: object) -> T:
    """A value of JSON as a ``kind``, of exactly its types: text is no number, and a truth value is none either.

    pydantic is imported here, since that takes 0.1 s and most commands read no JSON.

    Args:
        kind: a dataclass or typed dictionary, with pydantic's constraints where it has any.
        value: as `bench.io.strictfiles.parse_json` returns it. Lone surrogates in its texts are replaced as
            `printable` does, since pydantic refuses them.

    Raises:
        ValueError: some fields are of another type; for at most five of them the field, its value and the rule.
    """
    from pydantic import ValidationError

    text = _SURROGATE.sub(lambda match: printable(match[0]), json.dumps(value, ensure_ascii=False))
    adapter: TypeAdapter[T] = _adapter(cast("Any", kind))
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        faults = [_worded(fault) for fault in error.errors(include_url=False, include_context=False)]
    more = len(faults) - _MOST_FAULTS
    raise ValueError("; ".join(faults[:_MOST_FAULTS]) + (f"; and {more} more" if more > 0 else ""))


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _worded(fault: Any) -> str:
    place = shown(".".join(map(str, fault["loc"])) or "the file", 80)
    if fault["type"] == "missing":
        return f"{place} is missing"
    rule = fault["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
    return f"{place} is {shown(repr(fault['input']), 40)}: {shown(rule)}"
