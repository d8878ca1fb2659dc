"""How far a stage is: rates, times left, lines on a pipe, bars on a terminal."""

from __future__ import annotations

import io
import re
import time

import pytest

from bench import progress
from bench.progress import StageProgress, counted, duration, format_rate, stage


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_time_left_follows_the_rate_of_single_items(clock: Clock) -> None:
    tally = StageProgress("embed", 11, clock)
    assert (tally.rate, tally.left) == (None, None)
    for _ in range(6):
        clock.now += 2
        tally(1)
    assert tally.rate == pytest.approx(0.5)
    assert tally.left == pytest.approx(10)
    clock.now += 1.5  # the time left goes down between two items
    assert tally.left == pytest.approx(8.5)
    clock.now += 100
    assert tally.left == 0


def test_loading_before_the_first_item_is_excluded_from_the_rate(clock: Clock) -> None:
    tally = StageProgress("embed", 100, clock)
    clock.now += 60
    tally(1)
    for _ in range(4):
        clock.now += 1
        tally(1)
    assert tally.rate == pytest.approx(1)
    assert tally.left == pytest.approx(95)


def test_cached_items_do_not_shorten_the_time_left(clock: Clock) -> None:
    tally = StageProgress("embed", 1000, clock)
    for _ in range(9):
        clock.now += 0.01
        tally.reuse(100)
    assert (tally.rate, tally.left) == (None, None)
    for _ in range(5):
        clock.now += 3
        tally(1)
    assert tally.rate == pytest.approx(1 / 3)
    assert tally.left == pytest.approx(95 * 3)
    assert "905 of 1,000, 900 of them from the cache" in tally.line(15)


def test_items_that_turn_out_slower_than_those_before_set_the_time_left(clock: Clock) -> None:
    tally = StageProgress("read", 1000, clock)
    for _ in range(500):  # kept by an earlier run, which the reader does not say
        clock.now += 0.001
        tally(1)
    for _ in range(12):
        clock.now += 2
        tally(1)
    assert tally.left == pytest.approx(488 * 2, rel=0.1)


def test_many_quick_items_need_few_stored_updates(clock: Clock) -> None:
    tally = StageProgress("read", 10**6, clock)
    for _ in range(20_000):
        clock.now += 0.0005
        tally(1)
    assert tally.rate == pytest.approx(2000, rel=0.01)
    assert len(tally._updates) < 500


@pytest.mark.parametrize(
    ("seconds", "expected_text"), [(0.2, "0 s"), (7.4, "7 s"), (99, "99 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_formatted(seconds: float, expected_text: str) -> None:
    assert duration(seconds) == expected_text


def test_rates_are_formatted() -> None:
    assert [format_rate(12.54), format_rate(0.3125), format_rate(None)] == ["12.5 a second", "3.2 s each", ""]


def test_a_pipe_gets_one_line_at_the_end_of_a_short_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with stage("embed", 200) as advance:
        for _ in range(200):
            advance(1)
    assert capsys.readouterr().err == "embed: 200 of 200 in 0 s\n"


def test_a_pipe_gets_a_line_every_few_seconds_even_while_one_item_takes_longer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.2)
    with stage("embed", 3) as advance:
        time.sleep(0.5)
        for _ in range(3):
            time.sleep(0.25)
            advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("embed: 0 of 3 after ")
    assert any(re.match(r"embed: [12] of 3 after .*, about .* left$", line) for line in lines)
    assert lines[-1].startswith("embed: 3 of 3 in ")


def test_a_stage_that_fails_does_not_say_that_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), stage("embed", 3) as advance:
        advance(1)
        raise KeyError
    assert capsys.readouterr().err == ""


def test_a_stage_without_items_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with stage("embed", 0) as advance:
        advance(0)
    assert capsys.readouterr().err == ""


def test_a_worker_that_reports_its_total_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with counted("read") as tell:
        for done in range(1, 6):
            tell(done, 5)
    assert capsys.readouterr().err == "read: 5 of 5 in 0 s\n"


def test_a_terminal_gets_a_bar_that_ends_with_the_time_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with stage("embed", 30) as advance:
        for _ in range(30):
            time.sleep(0.03)
            advance(1)
    text = terminal.getvalue()
    assert "30/30" in text and "took " in text
    steps = set(re.findall(r"(\d+)/30", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)))
    assert len(steps) >= 4  # it moved on the way
    assert "left" in text
