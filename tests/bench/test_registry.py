"""Registration, argument conversion, and the errors of both."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from bench.errors import UnknownNameError, UsageError
from bench.registry import Registry, Spec


class Thing:
    def __init__(self, **values: object) -> None:
        self.values = values


@pytest.fixture
def things() -> Registry[Thing]:
    registry: Registry[Thing] = Registry("thing")

    @registry.register("plain", summary="A thing.")
    def plain(
        *, size: int = 8, name: str = "x", mode: Literal["a", "b"] = "a", path: Path | None = None, on: bool = False
    ) -> Thing:
        return Thing(size=size, name=name, mode=mode, path=path, on=on)

    @registry.register("strict", summary="A thing that needs to be told.")
    def strict(*, size: int) -> Thing:
        return Thing(size=size)

    return registry


def test_arguments_are_converted_to_their_types(things: Registry[Thing]) -> None:
    given = {"size": "16", "mode": "b", "path": "/tmp/x", "on": "yes"}
    values = things["plain"].create(given).values
    assert values == {"size": 16, "name": "x", "mode": "b", "path": Path("/tmp/x"), "on": True}


def test_every_wrong_argument_is_listed_at_once(things: Registry[Thing]) -> None:
    with pytest.raises(UsageError) as caught:
        things["plain"].configure({"size": "big", "sizes": "1", "mode": "c"})
    text = str(caught.value)
    assert "'big' is not a whole number" in text
    assert "unknown argument 'sizes' (did you mean 'size'?);" in text
    assert "'c' is none of a, b" in text


def test_a_required_argument_is_asked_for(things: Registry[Thing]) -> None:
    with pytest.raises(UsageError, match="size is required"):
        things["strict"].create()


def test_an_unknown_name_suggests_the_near_one_and_lists_all(things: Registry[Thing]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        things["plian"]
    assert "Did you mean 'plain'?" in str(caught.value)
    assert "plain, strict" in str(caught.value)


def test_a_name_clash_is_an_error_and_the_first_stays(things: Registry[Thing]) -> None:
    before = things["plain"]
    with pytest.raises(UsageError, match="already registered"):
        things.register("plain", summary="Another.")(Thing)
    assert things["plain"] is before


@pytest.mark.parametrize("name", ["", "a:b", "a+b", "a b", "a/b", "a=b", "a,b"])
def test_a_name_that_the_grammar_could_not_read_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        Registry[Thing]("thing").register(name, summary="")


def test_a_specification_is_read_and_written_back() -> None:
    spec = Spec.parse("net:size=16,points=[1,2,3]")
    assert spec == Spec("net", (("size", "16"), ("points", "[1,2,3]")))
    assert Spec.parse(str(spec)) == spec


@pytest.mark.parametrize("text", ["", ":", "net:", "net:size", "net:=3", "net:size=1,size=2"])
def test_a_malformed_specification_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Spec.parse(text)
