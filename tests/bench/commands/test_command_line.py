"""How the command line is read: help, spellings, suggestions, what `bench list` explains."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.interfaces import REGISTRIES
from bench.registry import load_plugins

Bench = Callable[..., tuple[int, str, str]]


def usage_error(bench: Bench, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as caught:
        bench(*words)
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("data",), ("config",), ("userstudy",)])
def test_a_command_without_its_command_prints_its_help_on_standard_output(bench: Bench, words: tuple[str]) -> None:
    code, out, err = bench(*words)
    assert (code, err) == (0, "")
    assert out.startswith(" ".join(("usage: bench", *words)))
    assert "commands:" in out


def test_the_earlier_name_of_the_user_study_works_and_is_not_in_the_help(bench: Bench, tmp_path: Path) -> None:
    code, out, err = bench("study", "tally", tmp_path / "absent.json")
    assert code != 0 and err.startswith("note: `bench study` is now called `bench userstudy`.\n")
    assert "\n    study " not in bench()[1] and "\n    userstudy " in bench()[1]
    assert "note:" not in bench("userstudy", "tally", tmp_path / "absent.json")[2]


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_is_printed(flag: str, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    from bench import __version__

    with pytest.raises(SystemExit) as caught:
        bench(flag)
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"bench {__version__}\n"


@pytest.mark.parametrize("words", [["--recognizer", "foo"], ["--recognizer=foo"], ["--Recogniser", "foo"]])
def test_an_option_is_taken_in_american_spelling(words: list[str], bench: Bench) -> None:
    code, _, err = bench("run", "--protocol", "tinyface", *words)
    assert code == 2
    assert "Unknown recogniser 'foo'" in err


def test_an_option_is_taken_with_underscores(bench: Bench) -> None:
    code, _, err = bench("run", "--protocol", "tinyface", "--align_gallery", "foo")
    assert code == 2
    assert "Unknown aligner 'foo'" in err


def test_an_unknown_option_is_an_error_with_the_nearest_one_and_the_usage_of_its_command(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    err = usage_error(bench, capsys, "run", "--protocol", "tinyface", "--recogniserr=sface")
    assert err.startswith("usage: bench run")
    assert "bench run: error: unknown option --recogniserr (did you mean '--recogniser'?)" in err
    assert "unknown option --zzz\n" in usage_error(bench, capsys, "doctor", "--zzz")


def test_a_surplus_argument_is_named(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    err = usage_error(bench, capsys, "list", "none", "bicubic")
    assert "bench list: error: 'bicubic' is one argument too many" in err


def test_an_unknown_command_is_an_error_with_the_nearest_one(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(bench, capsys, "reprot").endswith("(did you mean 'report'?)\n")
    assert usage_error(bench, capsys, "data", "chekc").endswith("(did you mean 'check'?)\n")
    assert "did you mean" not in usage_error(bench, capsys, "zzz")


@pytest.mark.parametrize(
    ("plural", "kind"),
    [
        ("protocols", "protocol"),
        ("protocol", "protocol"),
        ("hallucinators", "hallucinator"),
        ("recognizers", "recogniser"),
        ("Recogniser", "recogniser"),
        ("aligner", "aligner"),
    ],
)
def test_list_shows_one_kind(bench: Bench, plural: str, kind: str) -> None:
    code, out, _ = bench("list", plural)
    kinds = [line for line in out.splitlines() if line and not line.startswith((" ", "`"))]
    assert (code, kinds) == (0, [f"{kind}s"])
    listed = json.loads(bench("list", plural, "--json")[1])["components"]
    assert {component["kind"] for component in listed} == {kind}


def test_the_error_on_a_mistyped_kind_suggests_the_right_one(bench: Bench) -> None:
    code, _, err = bench("list", "halucinatorz")
    assert code == 2
    assert "Did you mean 'hallucinators'?" in err


def test_list_names_the_code_that_affects_the_output_of_a_component(bench: Bench) -> None:
    (described,) = json.loads(bench("list", "bicubic", "--json")[1])["components"]
    assert "bench.images" in described["modules"] and "hallucinators.bicubic" in described["modules"]
    assert f"{len(described['modules'])} modules affect its output" in bench("list", "bicubic")[1]
    assert all("modules" not in each for each in json.loads(bench("list", "--json")[1])["components"])


def test_list_describes_each_argument(bench: Bench) -> None:
    code, out, _ = bench("list", "tinyface")
    assert code == 0
    flat = " ".join(out.split())
    assert "unit_length=bool (default true) scale embeddings to unit length, where Euclidean distance" in flat
    (component,) = json.loads(bench("list", "tinyface", "--json")[1])["components"]
    words = {argument["name"]: argument["description"] for argument in component["arguments"]}
    assert words["unit_length"].startswith("scale embeddings to unit length")


def test_every_argument_of_every_component_is_described() -> None:
    load_plugins()
    silent = [
        f"{entry.kind} {entry.name}: {argument.name}"
        for registry in REGISTRIES
        for entry in registry
        if entry.module.split(".")[0] in ("bench", "hallucinators", "protocols")
        for argument in entry.arguments()
        if len(argument.description.split()) < 2 or re.match(r"(the same|as (of|in)|likewise)\b", argument.description)
    ]
    assert silent == []


def test_the_help_of_samples_names_every_one(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    from protocols.sample import samples

    with pytest.raises(SystemExit):
        bench("data", "sample", "--help")
    words = re.findall(r"\w+", capsys.readouterr().out)
    assert set(words) >= set(samples())
