"""``bench report --style paper`` on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.__main__ import main


def test_the_command_writes_tables(
    paper_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = paper_run("a", "identification", "none"), tmp_path / "out"
    assert main(["report", str(run), "--style", "paper", "--with-published", "--out", str(out)]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert printed[0] == out / "index.md" and sorted(printed) == sorted(out.iterdir())
    assert "84.20%" in (out / "table-6a.md").read_text()


@pytest.mark.parametrize("flags", [["--with-published"], ["--style", "paper", "--baseline", "none"]])
def test_options_of_the_other_style_are_refused(
    flags: list[str], paper_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = paper_run("a", "identification", "none")
    assert main(["report", str(run), *flags, "--out", str(tmp_path / "out")]) != 0
    assert "--style paper" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
