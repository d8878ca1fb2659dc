"""Names that users give to runs."""

from __future__ import annotations

import pytest

from bench.grammar.labels import label_fault


@pytest.mark.parametrize("label", ["ours", "our method (8x)", "Müller et al.", "x" * 60])
def test_a_short_printable_text_names_a_run(label: str) -> None:
    assert label_fault(label) == ""


@pytest.mark.parametrize("label", ["", " ", "x" * 61, "a\nb", "a=b", "a/b", "none", "strongest"])
def test_what_would_be_read_as_something_else_does_not(label: str) -> None:
    assert label_fault(label)
