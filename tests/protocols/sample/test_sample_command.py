"""``bench data sample`` by itself, as it will hang below ``bench data``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bench.commands.data.sample import add_parser
from bench.errors import UsageError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["sample", *arguments])
    code: int = args.main(args)
    return code


def test_it_writes_a_sample_and_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "ijbc"
    assert run("ijbc:release=C", "--identities", "4", "--seed", "2", "--out", str(out), "--painter", "cartoon") == 0
    message = capsys.readouterr().out
    assert "SAMPLE of 4 drawn people in the layout of ijbc" in message and "12 probe" in message
    record = json.loads((out / "sample.json").read_text())
    assert (record["identities"], record["seed"], record["options"]) == (4, 2, {"release": "C"})


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs between 3 and"):
        run("tinyface", "--identities", "1", "--out", str(tmp_path / "a"))
    with pytest.raises(UsageError, match="No painter"):
        run("tinyface", "--painter", "nobody", "--out", str(tmp_path / "a"))
    with pytest.raises(UsageError, match="no option size"):
        run("tinyface:size=3", "--out", str(tmp_path / "a"))
