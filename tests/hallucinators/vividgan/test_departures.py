"""The list of differences from the paper, and what reads it."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from bench.__main__ import make_parser
from bench.commands.training_options import apply_recipe
from bench.errors import UsageError
from hallucinators.networks.shipped import SHIPPED
from hallucinators.vividgan import departures
from hallucinators.vividgan.departures import DEPARTURES, values
from hallucinators.vividgan.training import teacher
from hallucinators.vividgan.training.settings import OURS, VividSettings

DOCS = Path(__file__).parents[3] / "docs"


def parse(*words: str) -> argparse.Namespace:
    return make_parser().parse_args(["train", "vividgan", "--data", "a.npz", "--out", "b", *words])


def test_every_setting_of_the_stages_is_on_the_list_with_its_default() -> None:
    listed = {d.name: d.ours for d in DEPARTURES if not d.shared and d.name != "carry"}
    assert listed == {field.name: getattr(OURS, field.name) for field in fields(VividSettings)}


def test_every_difference_is_an_option_whose_values_differ() -> None:
    assert len({d.name for d in DEPARTURES}) == len(DEPARTURES)
    for departure in DEPARTURES:
        assert departure.ours != departure.paper and type(departure.ours) is type(departure.paper)
        assert hasattr(parse(), departure.name)
        assert sum(departure.option in line.split() for line in departures.VIVIDGAN) == 1


def test_the_recipe_paper_sets_the_papers_value_of_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "paper_teacher", lambda: "resnet50-1.pth")
    args = parse("--recipe", "paper")
    chosen = apply_recipe(args, "vividgan")
    assert args.identity == "resnet50-1.pth"
    got = chosen | {"preset": args.preset, "precision": args.precision, "identity": "resnet50"}
    assert got == {d.name: d.paper for d in DEPARTURES}


def test_the_recipe_ours_is_the_default_and_sets_nothing() -> None:
    args = parse()
    assert apply_recipe(args, "vividgan") == {}
    assert (args.preset, args.precision, args.identity) == ("compact", "bf16", "dlib")


def test_an_option_overrides_its_recipe() -> None:
    args = parse("--recipe", "paper", "--carry", "--ema", "0.9", "--identity", "none", "--preset", "compact")
    chosen = apply_recipe(args, "vividgan")
    assert chosen["carry"] is True and chosen["ema"] == 0.9 and chosen["clip"] == 0
    assert (args.identity, args.preset, args.precision) == ("none", "compact", "fp32")


def test_without_resnet_50_dlib_replaces_it_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    args = parse("--recipe", "paper")
    apply_recipe(args, "vividgan")
    assert args.identity == "dlib" and "dlib's network stands in" in capsys.readouterr().err
    file = tmp_path / "hub" / "checkpoints" / "resnet50-0676ba61.pth"
    file.parent.mkdir(parents=True)
    file.touch()
    args = parse("--recipe", "paper")
    apply_recipe(args, "vividgan")
    assert args.identity == str(file) and not capsys.readouterr().err


@pytest.mark.parametrize("words", [("--recipe", "paper"), ("--no-carry",), ("--clip", "0")])
def test_other_methods_refuse_the_options_of_the_recipe(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="vividgan has it"):
        apply_recipe(parse(*words), "srgan")


@pytest.mark.parametrize(
    "given", [{"ema": 1.0}, {"ema": -0.1}, {"clip": -1.0}, {"mild_share": 1.1}, {"clip": float("nan")}]
)
def test_values_out_of_range_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=f"--{next(iter(given)).replace('_', '-')} is"):
        values("ours", given)


def test_the_table_of_the_documentation_is_the_list() -> None:
    assert departures.table() in (DOCS / "training.md").read_text(encoding="utf-8")


def _commands(text: str) -> list[list[str]]:
    """The lines that start with ``bench`` in the blocks of code of a text, without comments."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("bench ")]


@pytest.mark.parametrize("card", sorted(path.name for path in SHIPPED.glob("vividgan*.md")))
def test_the_cards_of_vividgan_name_commands_that_the_parser_knows(card: str) -> None:
    commands = _commands((SHIPPED / card).read_text(encoding="utf-8"))
    assert ["train", "data"] == sorted({words[0] for words in commands}, reverse=True)
    for words in commands:
        args = make_parser().parse_args(words)
        if words[0] == "train":
            apply_recipe(args, args.method)


def test_commands_on_the_other_cards_are_known_to_the_parser() -> None:
    for path in SHIPPED.glob("*.md"):
        for words in _commands(path.read_text(encoding="utf-8")):
            make_parser().parse_args(words)
