"""The table by hand: means, paired differences, failures that stay, and cells that cannot be broken."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from hallucinators.vividgan.ablation.measure import Measures
from hallucinators.vividgan.ablation.table import Row, compute, to_csv, to_json, to_markdown

FACTS = {"told": {"Length": "3 steps"}, "recipe": {"seed": 0}}
PEOPLE = ("0", "0", "1", "1")


def measures(psnr: list[float | None], ranks: list[int | None]) -> Measures:
    return Measures(
        tuple(psnr), tuple(None if v is None else 0.5 for v in psnr), tuple(ranks), PEOPLE, "frame", {"ok": 4}
    )


def rows() -> list[Row]:
    instance = [
        Row("minus", "L-", ["pixel"], measures([20.0, 21.0, 22.0, None], [1, 2, 1, None])),
        Row("star", "L*", ["pixel"], None, "stage coarse: a | b\nand c"),
        Row("full", "L_G", ["pixel"], measures([21.0, 23.0, float("inf"), 25.0], [1, 1, 1, 1])),
    ]
    compute(instance)
    return instance


def test_means_leave_out_what_has_no_value_and_count_it() -> None:
    minus, _, full = rows()
    cell = minus.cells["psnr_db"]
    assert (cell.value, cell.probes, cell.failed, cell.infinite) == (21.0, 4, 1, 0)
    assert (full.cells["psnr_db"].value, full.cells["psnr_db"].infinite) == (pytest.approx(23.0), 1)
    assert minus.cells["rank_1"].value == 0.5 and minus.cells["rank_1"].failed == 1
    assert full.cells["rank_1"].value == 1.0 and full.cells["rank_1"].low is not None
    assert minus.cells["ssim"].low is None, "all values are equal, which is no interval"


def test_differences_are_paired_on_the_probes_that_both_have() -> None:
    minus, star, full = rows()
    assert minus.differences["psnr_db"].value == pytest.approx(np.mean([20 - 21, 21 - 23]))
    assert minus.differences["psnr_db"].probes == 2
    assert minus.differences["rank_1"].value == -0.5 and minus.differences["rank_1"].probes == 4
    assert full.differences == {} and star.differences == {}
    p_values = [d.p_value for d in minus.differences.values()]
    assert minus.differences["rank_1"].p_holm >= minus.differences["rank_1"].p_value == min(p_values)


def test_a_failed_variant_stays_in_every_file_with_its_reason() -> None:
    text = to_markdown(rows(), FACTS)
    line = next(line for line in text.splitlines() if line.startswith("| star"))
    assert "FAILED: stage coarse: a \\| b and c" in line
    cells = [line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")]
    assert len(set(cells)) == 1, "every line has as many cells"
    assert text.index("| minus") < text.index("| star") < text.index("| full")
    assert "3 steps" in text and "reference" in text
    result = list(csv.DictReader(io.StringIO(to_csv(rows()))))
    assert [(row["variant"], row["measure"]) for row in result] == [
        ("minus", "psnr_db"), ("minus", "ssim"), ("minus", "rank_1"), ("star", ""),
        ("full", "psnr_db"), ("full", "ssim"), ("full", "rank_1"),
    ]  # fmt: skip
    assert result[3]["failure"] and float(result[0]["difference"]) == -1.5
    plain = json.loads(to_json(rows(), FACTS))
    assert plain["variants"][1]["failure"] and plain["variants"][0]["cells"]["psnr_db"]["value"] == 21.0


def test_without_the_full_variant_there_are_no_differences() -> None:
    instance = rows()
    instance[2].measures = None
    instance[2].failure = "no"
    for row in instance:
        row.cells, row.differences = {}, {}
    compute(instance)
    assert instance[0].cells and not instance[0].differences
    assert "| - |" in to_markdown(instance, FACTS)
