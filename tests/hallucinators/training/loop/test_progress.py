from __future__ import annotations

import pytest

from hallucinators.training.loop import progress


def test_a_line_comes_every_ten_seconds(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    tell = progress.ProgressLines(lines.append, "toy", 1000, None)
    for step in range(1, 31):
        clock[0] += 0.5
        tell(step, {"pixel": 0.123456}, 8, clock[0])
    assert lines == ["toy: step 20 of 1,000: pixel 0.1235; 16.0 faces/s, about 8 min 10 s left"]


def test_the_time_left_heeds_the_limit(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    tell = progress.ProgressLines(lines.append, "toy", 1000, 1.0)
    clock[0] = 20.0
    tell(1, {}, 8, 20.0)
    assert "about 40 s left" in lines[0]
