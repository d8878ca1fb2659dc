"""What `bench run` prints of runs of every kind."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.commands.terminal.output import print_check, print_figures
from bench.results import Figure, RoleLedger, RunResult
from bench.types import CheckLine
from tests.bench.run_records import run_record


def figure(value: float, n: int, unit: str = "fraction", without: int | None = None) -> Figure:
    return Figure(value, n, None, None, "none", value, n if without is None else without, unit)


def result(kind: str, metrics: dict[str, Figure], **rules: Any) -> RunResult:
    ledger = {"probe": RoleLedger(9, 8, 0, 1, {"decode: x": 1}), "gallery": RoleLedger(0, 0, 0, 0, {})}
    record = replace(run_record(kind, metrics, **rules), ledger=ledger)
    return RunResult(record, (), ())


def test_a_search_counts_a_failed_probe_as_a_miss(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("identification", {"rank-1": figure(0.5, 9, without=8)}))
    out = capsys.readouterr().out
    assert "(sface)" in out and "50.00% of 8" in out
    assert "  n counts probes, of 7 identities; a failed probe counts as a miss\n" in out


def test_many_figures_are_grouped_and_overall_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    base = {"psnr_db": figure(21.5, 8, "dB"), "landmark_error": figure(0.2, 4), "landmarks_found": figure(0.5, 9)}
    parts = {f"{name} (yaw {yaw})": f for yaw in (0, 22, 40, 55, 75) for name, f in base.items()}
    print_figures(result("restoration", base | parts, items="faces"))
    out = capsys.readouterr().out
    assert re.search(r"\n  psnr_db +21.50 dB  none +8\n", out)
    assert "\n  yaw 22: psnr_db 21.50 dB, landmark_error 20.00%, landmarks_found 50.00%\n" in out
    assert "without failures" not in out
    assert "n counts faces" in out and "a failed face has no part in a mean" in out
    assert "probe counts as a miss" not in out


def test_few_figures_are_printed_one_a_line_parts_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("identification", {"rank-1": figure(0.5, 9), "rank-1 (G1)": figure(0.25, 4)}))
    assert "\n  rank-1 (G1)  25.00%  none" in capsys.readouterr().out


def test_costs_have_no_recogniser_no_people_and_no_misses(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = {"parameters": figure(26_500_000, 1, "count"), "ms@batch=1": figure(12.345, 30, "ms")}
    print_figures(result("efficiency", outcome, items="measurements"))
    out = capsys.readouterr().out
    assert "26,500,000" in out and "12.35 ms" in out and re.search(r"12.35 ms +none +30\n", out)
    for absent in ("sface", "identities", "miss", "gallery"):
        assert absent not in out


def test_the_classifier_of_an_expression_run_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("expression", {"uar": figure(0.5, 9)}, items="faces", classifier={"name": "vgg"}))
    out = capsys.readouterr().out
    assert "(vgg)" in out and "sface" not in out and "a failed face counts as a miss" in out


def test_pairs_with_a_failed_template_are_errors(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("verification", {"accuracy": replace(figure(0.5, 9), without_failures=None)}, items="pairs"))
    out = capsys.readouterr().out
    assert "n counts pairs" in out and "a pair with a failed template counts as an error" in out
    assert "none was scored" in out and "no probe" not in out


@pytest.mark.parametrize(
    ("expected", "level", "verdict"),
    [
        ("5,749", "ok", "the official set, complete"),
        ("5,749", "differs", "usable, but NOT the official set"),
        ("none", "ok", "no faults; no set is published to compare with"),
        ("", "differs", "usable; no set is published to compare with"),
        ("none", "damaged", "damaged: repair the marked entries before a run"),
    ],
)
def test_a_check_calls_official_only_what_is_published(
    capsys: pytest.CaptureFixture[str], expected: str, level: Any, verdict: str
) -> None:
    print_check("any", Path("root"), [CheckLine("ok", "files", "7", expected)], level)
    assert f"verdict: {verdict}\n" in capsys.readouterr().out
