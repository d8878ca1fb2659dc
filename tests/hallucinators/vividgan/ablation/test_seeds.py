"""Means, spread and paired intervals over the seeds of an ablation."""

from __future__ import annotations

import csv
import io

import pytest

from hallucinators.vividgan.ablation.measure import Measures
from hallucinators.vividgan.ablation.seeds import combine, to_csv, to_markdown
from hallucinators.vividgan.ablation.table import Row

PEOPLE = ("a", "a", "b", "b", "c", "c")


def row(name: str, psnr: list[float | None], ranks: list[int | None]) -> Row:
    return Row(name, name, (), Measures(tuple(psnr), tuple(psnr), tuple(ranks), PEOPLE, "frame", {"ok": 6}))


def tables() -> list[list[Row]]:
    return [
        [row("full", [20, 21, 22, 23, 24, 25], [1, 1, 1, 2, 2, 2]), row("no-ema", [19, 20, 21, 22, 23, 24], [2] * 6)],
        [row("full", [22, 23, 24, 25, 26, 27], [1, 1, 1, 1, 2, 2]), row("no-ema", [20, 20, 22, 23, 26, 24], [2] * 6)],
    ]


def test_the_mean_is_over_seeds_and_probes_and_the_spread_over_seeds() -> None:
    cell = next(c for c in combine(tables()) if (c.variant, c.measure) == ("full", "psnr_db"))
    assert cell.value == pytest.approx(23.5) and cell.spread == pytest.approx(2**0.5) and cell.probes == 6
    assert cell.interval and cell.interval[0] < 23.5 < cell.interval[1]
    assert cell.difference is None


def test_differences_are_paired_by_probe_and_seed() -> None:
    cell = next(c for c in combine(tables()) if (c.variant, c.measure) == ("no-ema", "psnr_db"))
    assert cell.difference == pytest.approx((-1 + -2) / 2)
    assert cell.difference_spread == pytest.approx(0.5**0.5)
    assert cell.difference_interval and cell.difference_interval[0] <= -1.5 <= cell.difference_interval[1]
    rank = next(c for c in combine(tables()) if (c.variant, c.measure) == ("no-ema", "rank_1"))
    assert rank.value == 0 and rank.difference == pytest.approx(-7 / 12)


def test_a_probe_without_a_value_in_one_seed_is_left_out_and_a_failed_probe_is_a_miss() -> None:
    changed = tables()
    changed[1][0] = row("full", [None, 23, 24, 25, 26, 27], [None, 1, 1, 1, 2, 2])
    cells = {(c.variant, c.measure): c for c in combine(changed)}
    assert cells["full", "psnr_db"].probes == 5 and cells["full", "rank_1"].probes == 6
    assert cells["full", "rank_1"].value == pytest.approx((3 + 3) / 12)


def test_a_variant_that_failed_with_one_seed_has_the_reason_and_no_figure() -> None:
    changed = tables()
    changed[1][1] = Row("no-ema", "", (), None, failure="out of | memory")
    cells = combine(changed)
    failed = [cell for cell in cells if cell.variant == "no-ema"]
    assert all(cell.value is None and cell.failure == "out of | memory" for cell in failed)
    assert "FAILED: out of \\| memory" in to_markdown(cells, 2, smoke=False)


def test_the_tables_have_a_line_for_each_variant_and_measure_and_a_smoke_run_is_labelled() -> None:
    cells = combine(tables())
    assert len(list(csv.DictReader(io.StringIO(to_csv(cells))))) == len(cells) == 6
    text = to_markdown(cells, 2, smoke=True)
    assert "SMOKE RUN" in text and "SMOKE RUN" not in to_markdown(cells, 2, smoke=False)
    assert "| no-ema | PSNR, dB | 22.00" in text
