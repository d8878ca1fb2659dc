"""Several components in one flag."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.interfaces import HALLUCINATORS, PROTOCOLS
from bench.registry import load_plugins
from bench.specs import check_item, split_items


@pytest.fixture(autouse=True)
def loaded() -> None:
    load_plugins()


@pytest.mark.parametrize(
    ("texts", "items"),
    [
        (["none"], ["none"]),
        (["none,bicubic"], ["none", "bicubic"]),
        (["none", "bicubic:size=64"], ["none", "bicubic:size=64"]),
        (["vividgan-flow:output=fine,size=16,none"], ["vividgan-flow:output=fine,size=16", "none"]),
        (["none,vividgan-flow:output=fine,size=16"], ["none", "vividgan-flow:output=fine,size=16"]),
        (["bicubic:size=16+vividgan:size=16,device=cuda:1,none+bicubic"],
         ["bicubic:size=16+vividgan:size=16,device=cuda:1", "none+bicubic"]),
        (["vividgan:size=16,output=fine+bicubic:size=8,none"], ["vividgan:size=16,output=fine+bicubic:size=8", "none"]),
        (["bicubic:size=[1,2],none"], ["bicubic:size=[1,2]", "none"]),
        ([" none , bicubic:size=3 "], ["none", "bicubic:size=3"]),
        (["none,bicubic", "none"], ["none", "bicubic"]),
        (["nosuch:a=1,b=2"], ["nosuch:a=1,b=2"]),
    ],
)  # fmt: skip
def test_a_comma_starts_a_component_where_a_name_follows(texts: list[str], items: list[str]) -> None:
    assert split_items(texts, "hallucinator", HALLUCINATORS) == items


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("none,size=16", "write none:size=16"),
        ("size=16,none", "is an argument without a component"),
        ("bicubic:size=16+none,size=3", "write bicubic:size=16+none:size=3"),
        ("none,,bicubic", "empty component"),
        ("none,", "empty component"),
        ("vividgan:weights=/a,b.safetensors", "Unknown hallucinator 'b.safetensors'"),
        ("none,bicubik", "Did you mean 'bicubic'"),
        ("none,none+bicubik", "Did you mean 'bicubic'"),
    ],
)
def test_an_ambiguous_item_is_refused_with_the_advice_to_repeat_the_flag(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_items([text], "hallucinator", HALLUCINATORS)
    assert part in str(caught.value)
    assert "give --hallucinator once for each" in str(caught.value)


def test_all_is_a_protocol_and_no_hallucinator() -> None:
    assert split_items(["all,tinyface:variant=adaface"], "protocol", PROTOCOLS) == ["all", "tinyface:variant=adaface"]
    with pytest.raises(UsageError, match="Unknown hallucinator 'all'"):
        split_items(["none,all"], "hallucinator", HALLUCINATORS)


def test_names_and_arguments_are_checked_without_building() -> None:
    assert check_item("none+bicubic:size=16", HALLUCINATORS) is None
    assert check_item("vividgan:weights=/nowhere.safetensors", HALLUCINATORS) is None
    assert "'sise'" in (check_item("none+bicubic:sise=16", HALLUCINATORS) or "")
    assert "not a whole number" in (check_item("bicubic:size=x", HALLUCINATORS) or "")
