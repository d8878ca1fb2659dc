"""Runs below the LR face beyond the interval, and what may be compared with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from bench.diagnosis.below import BELOW, below_lr_face, lr_run_of, shortfall
from bench.diagnosis.headline import Headline, headline
from bench.results import ItemRow, ProbeRow, RoleLedger, RunRecord, RunResult, StageRecord

Row = Callable[..., ProbeRow]


def _hits(values: Mapping[str, float], people: int = 30) -> Headline:
    return Headline(
        "rank-1", "fraction", "probes", {k: (str(i % people), v) for i, (k, v) in enumerate(values.items())}
    )


def _drawn(rate: float, seed: int, count: int = 120) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {f"p{i}": float(rng.random() < rate) for i in range(count)}


def record(label: str = "none", **changes: object) -> RunRecord:
    """A record as far as comparisons read it."""
    plain = RunRecord(
        bench_version="0",
        label=label,
        created="",
        smoke=False,
        limit=None,
        sample=True,
        config={"hallucinate": "probe", "align": None, "align_gallery": None},
        config_digest="",
        protocol={"name": "toys", "kind": "identification"},
        data={"digest": "d", "name": "toys"},
        stages=(StageRecord("embed", "probe", "sface", "1", {"threads": 0}, ()),),
        metrics={},
        ledger={"probe": RoleLedger(100, 100, 0, 0, {})},
        warnings=(),
        timings={},
        environment={},
        seed=0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_run_far_below_the_lr_face_is_reported_with_both_values_and_the_interval() -> None:
    result = shortfall(_hits(_drawn(0.1, 1)), _hits(_drawn(0.5, 0)), seed=0)
    assert result is not None
    assert result.high < 0
    assert result.sentence().startswith(f"{BELOW}: rank-1 ")
    assert "on the same 120 probes" in result.sentence()
    assert "Likely causes: a; b." in result.sentence(["a.", "b"])


@pytest.mark.parametrize("rate", [0.5, 0.48, 0.9])
def test_a_run_as_good_or_better_is_not(rate: float) -> None:
    assert shortfall(_hits(_drawn(rate, 1)), _hits(_drawn(0.5, 0)), seed=0) is None


def test_of_few_people_other_probes_or_another_figure_nothing_is_reported() -> None:
    lost, base = dict.fromkeys(_drawn(0, 0), 0.0), dict.fromkeys(_drawn(0, 0), 1.0)
    base["p0"], lost["p1"] = 0.0, 1.0
    assert shortfall(_hits(lost), _hits(base), seed=0) is not None
    assert shortfall(_hits(lost, 5), _hits(base, 5), seed=0) is None
    assert shortfall(_hits({f"q{k}": v for k, v in lost.items()}), _hits(base), seed=0) is None
    assert shortfall(replace(_hits(lost), name="auc"), _hits(base), seed=0) is None
    assert shortfall(None, _hits(base), seed=0) is None


def _run(row: Row, run_record: RunRecord, rate: float, seed: int) -> RunResult:
    drawn = _drawn(rate, seed)
    rows = tuple(row(key, str(i % 30), [1 if hit else 9]) for i, (key, hit) in enumerate(drawn.items()))
    return RunResult(run_record, rows, ())


def test_finished_runs_are_compared_and_what_the_record_shows_is_reported(row: Row) -> None:
    ledger = {"probe": RoleLedger(100, 20, 80, 0, {"align: face not found": 80})}
    bad = _run(row, record("net", ledger=ledger, warnings=("swapped-channels: 60 of 64 outputs fit",)), 0.1, 1)
    sentence = below_lr_face(bad, _run(row, record(), 0.5, 0))
    assert sentence is not None
    for cause in ("80 of 100 probe images fell back", "swapped-channels: 60 of 64", "--hallucinate both"):
        assert cause in sentence
    message = _run(row, record("net", warnings=(f"{BELOW}: rank-1 ...",)), 0.1, 1)
    assert below_lr_face(message, _run(row, record(), 0.5, 0)) is None


def test_the_lr_face_is_the_run_of_none_measured_alike(row: Row) -> None:
    lr, run = _run(row, record(), 0.5, 0), _run(row, record("net"), 0.1, 1)
    assert lr_run_of(run, [run, lr]) is lr
    assert lr_run_of(lr, [lr]) is None
    others = [
        record(data={"digest": "e", "name": "toys"}),
        record(limit=5),
        record(protocol={"name": "toys", "kind": "identification", "arguments": {"lr": 8}}),
        record(stages=(StageRecord("embed", "probe", "dlib", "1", {}, ()),)),
        record(config={"hallucinate": "probe", "align": "yunet", "align_gallery": None}),
        record("bicubic"),
    ]
    assert lr_run_of(run, [_run(row, other, 0.5, 0) for other in others]) is None
    threads = record(stages=(StageRecord("embed", "probe", "sface", "1", {"threads": 4}, ()),))
    assert lr_run_of(run, [_run(row, threads, 0.5, 0)]) is not None


def test_restored_faces_are_paired_by_psnr_and_pairs_by_fold_or_person() -> None:
    items = [
        ItemRow("a", "1", "ok", "", "", {"psnr_rgb_db": 20.0}),
        ItemRow("b", "2", "failed", "", "", {}),
        ItemRow("c", "3", "ok", "", "", {"psnr_rgb_db": "inf"}),
    ]
    result = headline("restoration", (), items, {})
    assert result is not None
    assert result.values == {"a": ("1", 20.0)}
    folds = [ItemRow(f"fold {i}", "", "ok", "", "", {"accuracy": 0.5}) for i in range(3)]
    by_fold = headline("verification", (), folds, {})
    assert by_fold is not None
    assert by_fold.name == "accuracy"
    arrays = {"scores": np.array([0.9, 0.1, 0.5]), "same": np.array([True, False, True]), "person": np.array([4, 4, 7])}
    by_person = headline("verification", (), [ItemRow("all pairs", "", "ok", "", "", {"pairs": 3.0})], arrays)
    assert by_person is not None
    assert by_person.name == "auc"
    assert by_person.values == {"0": ("4", 1.0), "2": ("7", 1.0)}
    assert headline("efficiency", (), [], {}) is None
