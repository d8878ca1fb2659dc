"""Tables on a plain pipe: columns line up, and text of others stays text."""

from __future__ import annotations

from rich.cells import cell_len

from bench.io.columns import align_columns


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [("name", "value", "note"), ("a", "1", "x"), ("long name", "12.50", "")]
    assert align_columns(rows, right=(1,)) == [
        "  name       value  note",
        "  a              1  x",
        "  long name  12.50",
    ]
    assert align_columns(rows, right=(1,), indent=0)[1] == "a              1  x"


def test_characters_of_double_width_and_marks_without_width_line_up() -> None:
    lines = align_columns([("名前", "|"), ("e\u0301", "|"), ("plain", "|")], indent=0)
    assert {cell_len(line.partition("|")[0]) for line in lines} == {7}


def test_control_characters_are_shown_and_counted_as_shown() -> None:
    (first, second) = align_columns([("a\x1b[2J\n", "|"), ("bbbbbbbbbbbbbbbbbbbbbbbb", "|")], indent=0)
    assert first.startswith("a‹U+001B›[2J‹U+000A›") and first.index("|") == second.index("|")


def test_no_rows_are_no_lines() -> None:
    assert align_columns([]) == []
