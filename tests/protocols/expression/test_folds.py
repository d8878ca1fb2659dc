"""People dealt into folds."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import DataError, UsageError
from protocols.expression.folds import check_folds, deal_folds

PEOPLE = st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=80)


@given(PEOPLE, st.integers(2, 12), st.none() | st.integers(0, 9))
def test_folds_are_disjoint_cover_everybody_and_differ_by_one_at_most(
    people: list[str], folds: int, seed: int | None
) -> None:
    if len(set(people)) < folds:
        with pytest.raises(DataError, match=f"{len(set(people))} people .* {folds} folds"):
            deal_folds(people, folds, seed=seed)
        return
    dealt = deal_folds(people, folds, seed=seed)
    sizes = Counter(dealt.values())
    assert set(dealt) == set(people)  # a mapping: nobody can be in two
    assert set(sizes) == set(range(folds))
    assert max(sizes.values()) - min(sizes.values()) <= 1


@given(st.permutations([f"S{i}" for i in range(1, 15)]))
def test_the_order_in_which_people_come_does_not_matter(people: list[str]) -> None:
    assert deal_folds(people, 3) == deal_folds(sorted(people), 3)


def test_ids_are_dealt_like_cards_in_the_order_of_their_numbers() -> None:
    assert deal_folds(["S10", "S9", "S2", "S1"], 2) == {"S1": 0, "S2": 1, "S9": 0, "S10": 1}


def test_a_seed_deals_otherwise_and_always_the_same() -> None:
    people = [str(i) for i in range(30)]
    assert deal_folds(people, 5, seed=1) == deal_folds(people, 5, seed=1) != deal_folds(people, 5)


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(UsageError, match="folds is 1"):
        deal_folds(["a", "b"], 1)


def test_each_tested_fold_needs_two_expressions_of_the_others() -> None:
    shown = [(0, "fear"), (1, "fear"), (1, "anger")]
    with pytest.raises(
        DataError, match=r"Fold 1 cannot be tested: .*\(the other folds\) show fear; .* two expressions"
    ):
        check_folds(shown)
    check_folds(shown, tested=(0,))
    with pytest.raises(DataError, match="Fold 2 has no face to test"):
        check_folds(shown, tested=(2,))
