"""The table of figures that a run prints, and what it says in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.results import Figure, RunRecord, StageRecord
from bench.run.figures_table import figure_lines, figure_name, in_words


def figure(value: float, n: int, unit: str = "fraction", without: int | None = None) -> Figure:
    return Figure(value, n, value / 2, value, "bootstrap", value, n if without is None else without, unit)


def record(kind: str, metrics: dict[str, Figure], **rules: Any) -> RunRecord:
    return RunRecord(
        bench_version="1",
        label="net",
        created="2026",
        smoke=False,
        limit=None,
        sample=False,
        config={},
        config_digest="",
        protocol={"name": kind, **({} if kind == "identification" else {"kind": kind}), **rules},
        data={"name": "data", "counts": {"probe identities": 7}},
        stages=(StageRecord("embed", "gallery", "sface", "1", {}, ()),),
        metrics=metrics,
        ledger={},
        warnings=(),
        timings={},
        environment={},
        seed=0,
    )


def test_a_search_without_failures_is_a_plain_table_and_a_sentence() -> None:
    lines = figure_lines(record("identification", {"rank-1": figure(42 / 248, 248), "map": figure(0.1472, 248)}))
    assert lines == [
        "figure   value  95 % interval     n",
        "rank-1  16.94%  8.47% - 16.94%  248",
        "mAP     14.72%  7.36% - 14.72%  248",
        "42 of 248 probes found their person first in the gallery.",
        "n counts probes, of 7 identities; a failed probe counts as a miss",
    ]


def test_a_failure_adds_the_figure_without_it() -> None:
    lines = figure_lines(record("identification", {"rank-1": figure(0.5, 8, without=6)}))
    assert lines[0].endswith("n  without failures")
    assert lines[1].endswith("8  50.00% of 6")
    nobody = replace(figure(0.0, 8), without_failures=None, n_without_failures=0)
    assert figure_lines(record("identification", {"rank-1": nobody}))[1].endswith("no probe was scored")


def test_a_mean_that_leaves_faces_out_adds_no_column() -> None:
    lines = figure_lines(record("restoration", {"psnr_db": figure(21.5, 8, "dB", without=6)}, items="faces"))
    assert "without" not in lines[0]


@pytest.mark.parametrize(
    ("kind", "metrics", "words"),
    [
        ("identification", {"rank-1": figure(0.171, 248)}, "17.1% of 248 probes found their person first"),
        ("identification", {"tpir@fpir=0.01 (G1)": figure(0.5, 8)}, ""),
        ("verification", {"accuracy": figure(0.955, 6000)}, "95.5% of 6,000 pairs were judged right"),
        ("expression", {"accuracy": figure(0.5, 10)}, "5 of 10 faces were given the expression"),
        ("restoration", {"psnr_db": figure(21.5, 8, "dB")}, "8 faces are 21.50 dB PSNR from the true ones"),
        ("efficiency", {"ms@batch=8": figure(12.3, 30, "ms")}, "12.3 ms in batches of 8"),
    ],
)  # fmt: skip
def test_the_first_figure_is_put_in_words(kind: str, metrics: dict[str, Figure], words: str) -> None:
    sentence = in_words(record(kind, metrics))
    assert words in sentence if words else sentence == ""


def test_map_is_written_as_literature_does() -> None:
    assert [figure_name(name) for name in ("map", "map (G1)", "rank-1")] == ["mAP", "mAP (G1)", "rank-1"]
