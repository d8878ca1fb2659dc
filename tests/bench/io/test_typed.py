"""JSON values have exactly the declared types; the error for another type names the field in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bench.io.typed import as_type


@dataclass(frozen=True)
class Inner:
    value: float
    low: float | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    flag: bool
    inner: Mapping[str, Inner]
    texts: tuple[str, ...] = ()


GOOD: dict[str, Any] = {"name": "a", "count": 1, "flag": True, "inner": {"x": {"value": 1}}, "more": [None]}


def test_nested_dataclasses_are_built_and_unknown_fields_are_ignored() -> None:
    assert as_type(Outer, {**GOOD, "texts": ["t"]}) == Outer("a", 1, True, {"x": Inner(1.0)}, ("t",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 1}, "name is 1: should be a valid string"),
        ({"count": "1"}, "count is '1': should be a valid integer"),
        ({"count": 1.0}, "count is 1.0: should be a valid integer"),
        ({"count": True}, "count is True: should be a valid integer"),
        ({"flag": 1}, "flag is 1: should be a valid boolean"),
        ({"inner": {"x": {"value": "0.5"}}}, "inner.x.value is '0.5': should be a valid number"),
        ({"inner": {"x": {}}}, "inner.x.value is missing"),
        ({"texts": "abc"}, "texts is 'abc': should be a valid array"),
    ],
)
def test_the_wrong_field_is_named_with_its_value(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        as_type(Outer, {**GOOD, **change})
    assert str(caught.value) == message


def test_up_to_five_faults_are_listed_and_the_others_counted() -> None:
    with pytest.raises(ValueError, match=r"^name is missing; count is missing; .*inner is missing$"):
        as_type(Outer, {})
    with pytest.raises(ValueError, match=r"texts.4 is 4: .*; and 45 more$"):
        as_type(Outer, {**GOOD, "texts": list(range(50))})


def test_names_and_values_of_a_file_are_printable_and_short() -> None:
    with pytest.raises(ValueError) as caught:
        as_type(Outer, {**GOOD, "inner": {"\x1b[2J\u202e" + "x" * 500: {"value": "\x1b\n" * 500}}})
    text = str(caught.value)
    assert text.isprintable() and len(text) < 250 and "\u202e" not in text


def test_bytes_that_are_not_utf8_are_replaced_as_in_print() -> None:
    assert as_type(Outer, {**GOOD, "name": "\udcff"}).name == "‹U+DCFF›"


def test_pydantic_is_imported_only_where_json_is_checked() -> None:
    rooms = "bench.io.typed, bench.results.folder, bench.matrix.state, reports, reports.runs.load"
    lines = f"import sys, {rooms}; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
