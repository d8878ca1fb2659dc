"""Which runs are at chance: those of random orders, and no others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.diagnosis.chance import expressions_at_chance, pairs_at_chance, search_at_chance
from bench.evaluation.expression.figures import figures_of
from bench.results import ItemRow, ProbeRow

Row = Callable[..., ProbeRow]
TEMPLATES = 200


def _search(row: Row, draw: str, probes: int, seed: int, mates: int = 1) -> list[ProbeRow]:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(probes):
        if draw == "random":
            ranks = sorted(rng.choice(TEMPLATES, mates, replace=False) + 1)
        elif draw == "weak":  # as a recogniser of tiny faces: a tenth at rank 1, most above the middle
            ranks = [1] if rng.random() < 0.12 else [int(TEMPLATES * rng.beta(0.8, 1.8)) + 1]
        else:  # far from it, yet useless: nearly no hit, mates a little above the middle
            ranks = [2 + int((TEMPLATES - 1) * rng.beta(1.0, 1.5))]
        rows.append(row(f"p{i}", str(i % (probes // 2)), [int(rank) for rank in ranks]))
    return rows


@pytest.mark.parametrize("mates", [1, 3])
def test_random_orders_are_at_chance_for_any_number_of_mates(row: Row, mates: int) -> None:
    sentences = [search_at_chance(_search(row, "random", 300, s, mates), {"": TEMPLATES}, seed=0) for s in range(20)]
    assert sum(sentence is not None and sentence.startswith("At chance") for sentence in sentences) >= 17
    assert all(sentence is not None for sentence in sentences)
    assert f"a random order of 200 templates gives {mates / 200:.2%}" in str(sentences[0])


def test_a_search_that_hardly_beats_chance_is_near_it(row: Row) -> None:
    sentence = search_at_chance(_search(row, "useless", 600, 0), {"": TEMPLATES}, seed=0)
    assert sentence is not None
    assert sentence.startswith("Near chance")


@pytest.mark.parametrize("seed", range(10))
def test_a_weak_search_that_finds_a_tenth_is_not_at_chance(row: Row, seed: int) -> None:
    assert search_at_chance(_search(row, "weak", 300, seed), {"": TEMPLATES}, seed=0) is None


@pytest.mark.parametrize("seed", range(20))
def test_of_five_probes_nothing_is_reported(row: Row, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [row(f"p{i}", str(i), [int(rng.integers(1, TEMPLATES))]) for i in range(5)]
    assert search_at_chance(rows, {"": TEMPLATES}, seed=0) is None


def test_constant_embeddings_whose_mates_rank_last_are_at_chance(row: Row) -> None:
    rows = [row(f"p{i}", str(i), [TEMPLATES]) for i in range(40)]
    sentence = search_at_chance(rows, {"": TEMPLATES}, seed=0)
    assert sentence is not None
    assert sentence.startswith("At chance: rank-1 0.00%")


def test_failed_probes_and_probes_without_a_mate_do_not_count_for_the_order(row: Row) -> None:
    rows = [row(f"p{i}", str(i), [1]) for i in range(40)]
    lost = [row(f"f{i}", str(i), [], mates=1) for i in range(200)]
    strangers = [row(f"s{i}", "x", [], mates=0) for i in range(200)]
    assert search_at_chance([*rows, *lost, *strangers], {"": TEMPLATES}, seed=0) is None
    assert search_at_chance(lost, {"": TEMPLATES}, seed=0) is None


def test_the_joined_gallery_is_looked_at_where_there_is_one(row: Row) -> None:
    good = [row(f"p{i}", str(i), [1], gallery="joined") for i in range(60)]
    bad = [row(f"q{i}", str(i), [50], gallery="one") for i in range(60)]
    assert search_at_chance([*good, *bad], {"joined": TEMPLATES, "one": 100}, seed=0) is None


def _pairs(shift: float, pairs: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    same = np.arange(pairs) % 2 == 0
    scores = rng.normal(same * shift, 1.0).astype(np.float32)
    scores[:3] = np.nan
    return {"scores": scores, "same": same, "person": np.arange(pairs) // 4}


def test_pairs_scored_at_random_are_at_chance_and_reported_ones_are_not() -> None:
    sentence = pairs_at_chance(_pairs(0.0, 600, 0), seed=0)
    assert sentence is not None
    assert sentence.startswith("At chance: the AUC")
    assert str(pairs_at_chance(_pairs(0.35, 600, 0), seed=0)).startswith("Near chance")
    assert pairs_at_chance(_pairs(1.0, 600, 0), seed=0) is None
    assert pairs_at_chance(_pairs(0.0, 16, 0), seed=0) is None


def _expressions(right: float, faces: int, seed: int) -> list[ItemRow]:
    rng = np.random.default_rng(seed)
    names = ["anger", "fear", "joy", "surprise"]
    items = []
    for i in range(faces):
        truth = names[i % 4]
        messages = truth if rng.random() < right else names[rng.integers(4)]
        values = {"expression": truth, "fold": 0.0, "predicted": messages}
        items.append(ItemRow(f"f{i}", str(i // 8), "ok", "", "", values))
    return items


@pytest.mark.parametrize(("right", "reported"), [(-1.0, True), (0.5, False)])
def test_expressions_guessed_at_random_are_at_chance(right: float, reported: bool) -> None:
    answers = []
    for seed in range(6):
        items = _expressions(right, 240, seed)
        metrics = figures_of(items, ["anger", "fear", "joy", "surprise"], seed=0)
        answers.append(expressions_at_chance(items, metrics) is not None)
    assert any(answers) if reported else not any(answers)
