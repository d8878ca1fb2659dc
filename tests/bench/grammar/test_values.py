"""Values as a user writes them, and the nearest known name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from bench.grammar.values import convert, nearest, suggestion


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        ("none", int | None, None),
        ("3", int | None, 3),
        (3, float, 3.0),
        ("[1, 2.5]", tuple[float, ...], (1.0, 2.5)),
        ([1, 2], tuple[int, ...], (1, 2)),
        ("false", bool, False),
        ("2", Literal[1, 2], 2),
    ],
)
def test_values_convert(value: object, annotation: object, expected: object) -> None:
    assert convert(value, annotation) == expected


@pytest.mark.parametrize(
    ("value", "annotation"),
    [("maybe", bool), (True, int), ("1.5", int), ("x", float), ("", Path), ("x", int | None), (3, str), ("x", dict)],
)
def test_values_that_do_not_fit_are_refused(value: object, annotation: object) -> None:
    with pytest.raises(ValueError):
        convert(value, annotation)


def test_a_wrong_choice_is_met_with_the_near_one_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^'engin' is none of engine, template \(did you mean 'engine'\?\)$"):
        convert("engin", Literal["engine", "template"])


def test_nothing_is_suggested_where_no_name_is_near() -> None:
    assert nearest("zzz", ["size"]) is None
    assert suggestion("zzz", ["size"]) == ""
