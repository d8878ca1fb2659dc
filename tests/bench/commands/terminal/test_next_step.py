"""The line to type after a run."""

from __future__ import annotations

from pathlib import Path

from bench.commands.terminal.next_step import comparing_command


def test_the_lr_face_is_compared_with_a_hallucinator_that_ships() -> None:
    flags = {"protocol": "tinyface", "out": "runs/lr", "overwrite": "always"}
    assert comparing_command("tinyface", "none", flags) == (
        "bench run --protocol tinyface --hallucinator none,vividgan-flow"
    )


def test_a_hallucinator_is_compared_with_the_lr_face_on_the_same_data() -> None:
    flags = {"data_root": "my data", "limit": "50", "no_cache": True}
    assert comparing_command("lfw:lr=16", "bicubic", flags) == (
        "bench run --protocol lfw:lr=16 --hallucinator none,bicubic --data-root 'my data' --limit 50 --no-cache"
    )


def test_arguments_with_commas_stay_one_hallucinator() -> None:
    command = comparing_command("tinyface", "vividgan:output=fine,frame=lr", {}, Path("x.toml"))
    assert command == (
        "bench run x.toml --protocol tinyface --hallucinator none --hallucinator vividgan:output=fine,frame=lr"
    )
