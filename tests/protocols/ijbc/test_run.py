"""`bench run` and `bench score` on a drawn IJB-C, in both tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import protocols.ijbc.protocol  # noqa: F401  # registers it
from bench.results.folder import read_run

Bench = Callable[..., tuple[int, str, str]]


def test_a_search_reports_joined_separate_and_mean_rates_and_scores_again_alike(
    bench: Bench, drawn_ijbc: dict[str, Path], tmp_path: Path
) -> None:
    protocol = "ijbc:false_positive_rates=[0.2]"
    code, _, err = bench("run", "--protocol", protocol, "--data-root", drawn_ijbc["C"], "--out", tmp_path / "run")
    assert code == 0, err
    result = read_run(tmp_path / "run")
    metrics = result.record.metrics
    assert len(result.probes) == 3 * 12
    assert {row.gallery for row in result.probes} == {"G1", "G2", "joined"}
    assert (result.record.protocol["flip"], result.record.protocol["fusion"]) == ("sum", "media")
    assert result.record.sample and not result.record.data["official"]
    for name, galleries in (("rank-1", ["joined"]), ("rank-1 (G1)", ["G1"])):
        rows = [row for row in result.probes if row.gallery in galleries and row.mates]
        assert metrics[name].value == pytest.approx(np.mean([row.rank == 1 for row in rows]))
    each = []
    for gallery in ("G1", "G2"):
        rows_of_gallery = [row for row in result.probes if row.gallery == gallery]
        others = sorted((float(row.best_nonmated_score or 0) for row in rows_of_gallery if not row.mates), reverse=True)
        mated = [row for row in rows_of_gallery if row.mates]
        assert (len(mated), len(others)) == (6, 6)  # 0.2 of 6 allows one alarm
        each.append(np.mean([row.rank == 1 and float(row.best_mated_score or 0) > others[1] for row in mated]))
        assert metrics[f"tpir@fpir=0.2 ({gallery})"].value == pytest.approx(each[-1])
    assert metrics["tpir@fpir=0.2"].value == pytest.approx(np.mean(each))
    code, out, _ = bench("score", tmp_path / "run", "--json")
    again = json.loads(out)
    assert code == 0 and all(again[name] == metrics[name].value for name in metrics)


def test_pairs_are_scored(bench: Bench, drawn_ijbc: dict[str, Path], tmp_path: Path) -> None:
    protocol = "ijbc:task=verification,false_positive_rates=[0.25],lr=none"
    code, _, err = bench("run", "--protocol", protocol, "--data-root", drawn_ijbc["A"], "--out", tmp_path / "run")
    assert code == 0, err
    metrics = read_run(tmp_path / "run").record.metrics
    assert any("0.25" in name for name in metrics), list(metrics)
