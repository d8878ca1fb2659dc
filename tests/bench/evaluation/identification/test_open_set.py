"""Open-set figures: a case worked by hand, plain NumPy, and the vectorised bootstrap against a loop."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UsageError
from bench.evaluation.identification.figures import figures_of
from bench.evaluation.identification.open_set import missing_figures, open_set_figures
from bench.metrics.identification import detection_identification_rate
from bench.results import ProbeRow
from bench.types import Status

GOLDEN = json.loads((Path(__file__).parents[3] / "goldens" / "ijbc.json").read_text())


def row(
    identity: str,
    rank: int | None,
    score: float | None,
    *,
    gallery: str = "",
    mated: bool = True,
    status: Status = "ok",
    key: str = "",
) -> ProbeRow:
    """A probe: a mated one with its mate's rank and score, another with the best score of strangers."""
    return ProbeRow(
        key=key or f"{identity} in {gallery}",
        identity=identity,
        status=status,
        stage="",
        reason="",
        mates=int(mated),
        rank=rank if mated else None,
        rank_optimistic=rank if mated else None,
        mated_ranks=(rank,) if mated and rank else (),
        best_mated_score=score if mated else None,
        best_mated_key="",
        best_nonmated_score=None if mated else score,
        best_nonmated_key="",
        gallery=gallery,
    )


def drawn(rng: np.random.Generator, gallery: str, mated: list[str], others: list[str]) -> list[ProbeRow]:
    """One to three probes a person, some failed, some scores equal."""
    rows = []
    for people, is_mated in ((mated, True), (others, False)):
        for person in people:
            for _ in range(int(rng.integers(1, 4))):
                score = round(float(rng.normal(0.5 if is_mated else 0.2, 0.2)), 2)
                failed = rng.random() < 0.05
                rank = int(rng.choice([1, 1, 1, 2, 7]))
                rows.append(
                    row(
                        person,
                        None if failed else rank,
                        None if failed else score,
                        gallery=gallery,
                        mated=is_mated,
                        status="failed" if failed else "ok",
                    )
                )
    return rows


def two_galleries(seed: int = 0, people: int = 30) -> list[ProbeRow]:
    rng = np.random.default_rng(seed)
    names = [f"p{i}" for i in range(people)]
    one, two = names[: people // 3], names[people // 3 :]
    return drawn(rng, "G1", one, two) + drawn(rng, "G2", two, one)


def plain_tpir(rows: list[ProbeRow], rate: float) -> float:
    """NIST's rule in plain NumPy."""
    others = np.array(
        [-np.inf if r.best_nonmated_score is None else r.best_nonmated_score for r in rows if not r.mates]
    )
    allowed = math.floor(len(others) * rate + 1e-9)
    ordered = np.sort(others)[::-1]
    threshold = ordered[allowed] if allowed < len(ordered) else -np.inf
    mated = [r for r in rows if r.mates]
    return float(np.mean([r.rank == 1 and float(r.best_mated_score or 0) > threshold for r in mated]))


def test_a_case_worked_by_hand_has_the_expected_rates() -> None:
    case: dict[str, Any] = GOLDEN["rows"]
    rows = [row(r["identity"], r["rank"], r["score"], gallery=r["gallery"], mated=r["mated"]) for r in case["probes"]]
    result = open_set_figures(rows, (case["rate"],), seed=0, ranks=(1,))
    assert {name: figure.value for name, figure in result.items()} == pytest.approx(case["figures"], abs=1e-12)
    assert result["tpir@fpir=0.5"].n == 8 and result["tpir@fpir=0.5 (G1)"].n == 3


def test_each_gallery_has_its_own_threshold_and_the_mean_is_plain() -> None:
    rows = two_galleries()
    result = open_set_figures(rows, (0.1, 0.3), seed=0)
    for rate in (0.1, 0.3):
        each = [plain_tpir([r for r in rows if r.gallery == name], rate) for name in ("G1", "G2")]
        assert result[f"tpir@fpir={rate:g} (G1)"].value == pytest.approx(each[0], abs=1e-12)
        assert result[f"tpir@fpir={rate:g} (G2)"].value == pytest.approx(each[1], abs=1e-12)
        assert result[f"tpir@fpir={rate:g}"].value == pytest.approx(np.mean(each), abs=1e-12)
    assert 0 < result["tpir@fpir=0.1"].value < 1


def test_the_bootstrap_equals_a_loop_that_sets_the_threshold_in_each_resample() -> None:
    rows, rates, seed, resamples = two_galleries(people=24), (0.1, 0.25), 5, 120
    people = sorted({r.identity for r in rows})
    weights = np.random.default_rng(seed).multinomial(len(people), np.full(len(people), 1 / len(people)), resamples)
    loop: dict[str, list[float]] = {}
    for draw in weights:
        times = dict(zip(people, draw.tolist(), strict=True))
        again = [r for r in rows for _ in range(times[r.identity])]
        for rate in rates:
            each = []
            for name in ("G1", "G2"):
                mated = [r for r in again if r.gallery == name and r.mates]
                others = [r.best_nonmated_score for r in again if r.gallery == name and not r.mates]
                if len(others) * rate >= 1:
                    scores = [None if r.rank is None else r.best_mated_score for r in mated]
                    each.append(detection_identification_rate([r.rank for r in mated], scores, others, rate).rate)
                else:  # too few for the function; the rule still has a threshold: the highest
                    each.append(plain_tpir([r for r in again if r.gallery == name], rate))
                loop.setdefault(f"tpir@fpir={rate:g} ({name})", []).append(each[-1])
            loop.setdefault(f"tpir@fpir={rate:g}", []).append(float(np.mean(each)))
    result = open_set_figures(rows, rates, seed=seed, resamples=resamples)
    assert set(result) == set(loop)
    for name, values in loop.items():
        expected = np.quantile(values, (0.025, 0.975))
        assert (result[name].low, result[name].high) == pytest.approx(tuple(expected), abs=1e-12), name
        assert result[name].interval == f"bootstrap over 24 identities, {resamples} resamples, threshold set in each"
        assert np.ptp(expected) > 0.01


def test_the_uncertainty_of_the_threshold_is_in_the_interval() -> None:
    """All mated probes are alike and all are found; the width comes from the strangers alone."""
    rows = [row(f"m{i}", 1, 0.5 + 0.001 * (i % 5), gallery="g") for i in range(40)]
    rows += [row(f"n{i}", None, 0.3 + 0.02 * i, gallery="g", mated=False) for i in range(12)]
    figure = open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"]
    assert figure.low is not None and figure.high is not None
    assert figure.high - figure.low > 0.5


def test_a_mate_at_rank_two_is_a_miss_whatever_its_score() -> None:
    strangers = [row(f"n{i}", None, 0.1, gallery="g", mated=False) for i in range(10)]
    rows = [row("a", 2, 0.99, gallery="g"), row("b", 1, 0.5, gallery="g"), *strangers]
    assert open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"].value == 0.5


def test_a_mate_at_rank_one_with_a_score_equal_to_the_threshold_is_a_miss() -> None:
    strangers = [row(f"n{i}", None, 0.4 if i else 0.9, gallery="g", mated=False) for i in range(10)]
    rows = [row("a", 1, 0.4, gallery="g"), row("b", 1, 0.41, gallery="g"), *strangers]
    assert open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"].value == 0.5


def test_failed_probes_count_and_are_excluded_from_the_second_figure() -> None:
    strangers = [row(f"n{i}", None, 0.1, gallery="g", mated=False) for i in range(10)]
    rows = [row("a", 1, 0.5, gallery="g"), row("b", None, None, gallery="g", status="failed"), *strangers]
    figure = open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"]
    assert (figure.value, figure.n, figure.without_failures, figure.n_without_failures) == (0.5, 2, 1.0, 1)
    rows[-1] = row("n9", None, None, gallery="g", mated=False, status="failed")
    figure = open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"]
    assert (figure.value, figure.without_failures, figure.n_without_failures) == (0.5, None, 0)  # 9 are too few


def test_too_few_nonmated_probes_omit_the_figure_and_the_mean_with_a_warning() -> None:
    rows = [row("a", 1, 0.9, gallery="G1"), row("b", 1, 0.9, gallery="G2")]
    rows += [row(f"n{i}", None, 0.1, gallery="G1", mated=False) for i in range(10)]
    rows += [row(f"n{i}", None, 0.1, gallery="G2", mated=False) for i in range(9)]
    assert list(open_set_figures(rows, (0.01, 0.1, 0.2), seed=0)) == [
        "tpir@fpir=0.1 (G1)", "tpir@fpir=0.2", "tpir@fpir=0.2 (G1)", "tpir@fpir=0.2 (G2)",
    ]  # fmt: skip
    assert missing_figures(rows, (0.01, 0.1, 0.2)) == (
        "tpir@fpir=0.01 is not given: it needs at least 100 probes without a mate in a gallery (10 in G1; 9 in G2).",
        "tpir@fpir=0.1 is not given: it needs at least 10 probes without a mate in a gallery (9 in G2).",
    )


def test_the_joined_gallery_is_excluded_even_if_a_probe_has_no_mate_in_it() -> None:
    rows = two_galleries()
    joined = [row("stranger", None, 0.9, gallery="joined", mated=False), row("p1", 1, 0.2, gallery="joined")]
    assert open_set_figures(rows + joined, (0.1,), seed=0) == open_set_figures(rows, (0.1,), seed=0)


def test_a_single_gallery_gives_its_own_figure() -> None:
    rng = np.random.default_rng(2)
    rows = drawn(rng, "", [f"m{i}" for i in range(9)], [f"n{i}" for i in range(15)])
    result = open_set_figures(rows, (0.1,), seed=0, ranks=(1,))
    assert list(result) == ["tpir@fpir=0.1"]
    assert result["tpir@fpir=0.1"].value == pytest.approx(plain_tpir(rows, 0.1), abs=1e-12)


def test_a_closed_set_has_no_open_set_figures() -> None:
    rows = [row("a", 1, 0.9), row("b", 2, 0.8)]
    assert open_set_figures(rows, (0.1,), seed=0) == {}
    assert "no open-set figures" in missing_figures(rows, (0.1,))[0]


def test_the_plain_mean_of_rank_k_over_galleries_is_added_to_the_pooled_one() -> None:
    rows = two_galleries()
    result = figures_of(rows, ranks=(1, 5), mean_average_precision=False, seed=0, false_positive_rates=(0.2,))
    each = [result[f"rank-1 ({name})"] for name in ("G1", "G2")]
    assert result["rank-1 (mean)"].value == pytest.approx((each[0].value + each[1].value) / 2, abs=1e-12)
    pooled = (each[0].value * each[0].n + each[1].value * each[1].n) / (each[0].n + each[1].n)
    assert result["rank-1"].value == pytest.approx(pooled, abs=1e-12)
    assert result["rank-1"].value != pytest.approx(result["rank-1 (mean)"].value, abs=1e-4)
    low, high = result["rank-5 (mean)"].low, result["rank-5 (mean)"].high
    assert low is not None and high is not None and low < result["rank-5 (mean)"].value < high


def test_if_all_resamples_are_equal_the_interval_is_over_people() -> None:
    rows = [row(f"m{i}", 1, 0.9) for i in range(20)] + [row(f"n{i}", None, 0.1, mated=False) for i in range(20)]
    figure = open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"]
    assert (figure.value, figure.high) == (1.0, 1.0)
    assert figure.low == pytest.approx(0.025 ** (1 / 20))
    assert "Clopper-Pearson on 20 identities" in figure.interval


def test_resamples_without_mated_or_nonmated_probes_are_counted() -> None:
    rows = [row("m", 1, 0.9), row("m2", 1, 0.12)] + [row("n", None, 0.1 + i / 50, mated=False) for i in range(10)]
    figure = open_set_figures(rows, (0.1,), seed=0)["tpir@fpir=0.1"]
    assert "more had no probe of one kind" in figure.interval


@pytest.mark.parametrize("wrong", [{"false_positive_rates": (0.0,)}, {"resamples": 10}])
def test_arguments_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"false_positive_rates": (0.1,), **wrong}
    with pytest.raises(UsageError, match="expected at least 100"):
        open_set_figures(two_galleries(), seed=0, **arguments)


def test_the_same_seed_gives_the_same_interval_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = two_galleries()
    whole = open_set_figures(rows, (0.1,), seed=3)
    monkeypatch.setattr("bench.metrics.bootstrap.BLOCK", 1000)
    assert open_set_figures(rows, (0.1,), seed=3) == whole
    assert open_set_figures(rows, (0.1,), seed=4) != whole


def test_three_thousand_probes_are_fast() -> None:
    rows = two_galleries(people=1500)
    start = time.process_time()
    open_set_figures(rows, (0.01, 0.1), seed=0)
    assert time.process_time() - start < 5
