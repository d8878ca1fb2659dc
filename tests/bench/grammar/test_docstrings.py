"""Arguments that docstrings describe."""

from __future__ import annotations

from bench.grammar.docstrings import argument_section, described_arguments


def test_an_args_section_is_read_item_by_item_and_ends_where_the_next_section_begins() -> None:
    doc = """Do it.

Args:
    size: side of the square,
        pixels: 16 or 32.
    mode (str): how.
    low, high: the range.

Returns:
    nothing: at all.
"""
    assert argument_section(doc) == {
        "size": "side of the square, pixels: 16 or 32.",
        "mode": "how.",
        "low": "the range.",
        "high": "the range.",
    }


def test_a_docstring_without_a_section_describes_nothing() -> None:
    assert argument_section("One line: no section.") == {}
    assert described_arguments(lambda size: size) == {}


def test_a_class_is_described_by_its_constructor_and_by_those_it_inherits() -> None:
    class Base:
        def __init__(self, *, size: int, seed: int) -> None:
            """Set up.

            Args:
                size: of the base.
                seed: of the draw.
            """

    class Heir(Base):
        """A thing.

        Args:
            size: of the heir.
        """

    assert described_arguments(Base) == {"size": "of the base.", "seed": "of the draw."}
    assert described_arguments(Heir) == {"size": "of the heir.", "seed": "of the draw."}
