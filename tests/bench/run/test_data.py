"""What a user is told when a sample takes the place of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.run.data import draw_once


def test_a_sample_is_announced_before_it_is_written_and_never_again(
    toys: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    write = toys.protocol.write_sample

    def watched(self: object, out: Path) -> None:
        order.append(capsys.readouterr().err)
        write(self, out)

    monkeypatch.setattr(toys.protocol, "write_sample", watched)
    root = draw_once(toys.protocol(), tmp_path)
    (announced,) = order
    assert announced.startswith("No data set toys is configured, so a sample is used: people who do not exist")
    assert str(root) in announced
    assert draw_once(toys.protocol(), tmp_path) == root
    assert capsys.readouterr().err == ""


def test_a_protocol_whose_faces_are_always_drawn_announces_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from protocols.efficiency import Efficiency

    draw_once(Efficiency(), tmp_path)
    assert capsys.readouterr().err == ""
