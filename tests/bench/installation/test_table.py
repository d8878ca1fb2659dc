"""How the facts are printed, and that no look ends the description."""

from __future__ import annotations

import pytest

from bench import installation
from bench.errors import one_line
from bench.installation.facts import Fact, examined, format_size
from bench.installation.table import to_lines


def test_facts_stand_under_their_headings_with_marks_and_hints() -> None:
    facts = [
        Fact("data", "lfw", "not configured"),
        Fact("system", "memory", "1 GiB", "note", "Close something."),
        Fact("packages", "torch", "broken", "problem"),
    ]
    assert to_lines(facts, None) == [
        "System",
        "  note memory  1 GiB",
        "               -> Close something.",
        "Python and packages",
        "  FAIL torch   broken",
        "Data sets",
        "       lfw     not configured",
    ]


def test_long_values_are_wrapped_in_a_terminal_under_their_beginning() -> None:
    lines = to_lines([Fact("system", "memory", "word " * 40)], 80)
    assert len(lines) > 2
    assert all(len(line) <= 80 for line in lines)
    assert lines[2].startswith(" " * 15 + "word")


def test_a_check_that_raises_is_one_fact() -> None:
    def broken() -> list[Fact]:
        raise ZeroDivisionError("nothing\nhere")

    assert examined("system", "memory", broken) == [
        Fact("system", "memory", "unknown (ZeroDivisionError: nothing here)", "note")
    ]


def test_no_failed_check_ends_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Fact]:
        raise RuntimeError("odd machine")

    for name in ("machine.device_facts", "machine.system_facts", "packages.package_facts", "packages.plugin_facts"):
        monkeypatch.setattr(f"bench.installation.{name}", broken)
    for name in ("storage_facts", "weight_facts", "data_facts"):
        monkeypatch.setattr(f"bench.installation.storage.{name}", broken)
    facts = installation.describe()
    assert {fact.section for fact in facts} == set(installation.SECTIONS)
    assert all("odd machine" in fact.value for fact in facts)


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 KiB"), (3 * 2**40, "3.0 TiB")])
def test_sizes_are_formatted_in_a_suitable_unit(size: int, text: str) -> None:
    assert format_size(size) == text


def test_an_error_is_one_line_of_limited_length() -> None:
    assert one_line(ValueError("a\n\tb\x00c"), named=True) == r"ValueError: a b\x00c"
    assert one_line(ValueError("a")) == "a" and one_line(ValueError()) == "ValueError"
    assert one_line(ValueError(), named=True) == "ValueError"
    assert one_line("x" * 10_000) == "x" * 4000 + " ... (6000 more characters)"
