"""Confusion against scikit-learn, and the cases it does not have."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, recall_score

from bench.errors import DataError
from bench.metrics.confusion import accuracy, confusion, recalls, row_rates, unweighted_average_recall

LABELS = ("anger", "fear", "neutral")
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60)


@given(PAIRS)
def test_all_figures_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = zip(*pairs, strict=True)
    found = confusion(truth, predicted, LABELS)
    assert np.array_equal(found.counts, confusion_matrix(truth, predicted, labels=LABELS))
    assert accuracy(found) == pytest.approx(accuracy_score(truth, predicted))
    theirs = recall_score(truth, predicted, labels=LABELS, average=None, zero_division=np.nan)
    ours = [np.nan if value is None else value for value in recalls(found).values()]
    np.testing.assert_allclose(ours, theirs)
    value, present = unweighted_average_recall(found)
    assert present == len(set(truth))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class predicted that no truth has
        assert value == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_a_class_without_items_has_no_rates_and_no_recall_and_no_part_in_the_mean() -> None:
    found = confusion(["anger", "anger", "neutral"], ["anger", "fear", "neutral"], LABELS)
    assert row_rates(found) == [(0.5, 0.5, 0.0), None, (0.0, 0.0, 1.0)]
    assert recalls(found) == {"anger": 0.5, "fear": None, "neutral": 1.0}
    assert unweighted_average_recall(found) == (0.75, 2)


def test_an_item_without_a_prediction_is_a_miss_in_every_denominator() -> None:
    found = confusion(["anger", "anger", "fear"], ["anger", None, None], LABELS)
    assert found.unpredicted.tolist() == [1, 1, 0] and found.totals.tolist() == [2, 1, 0]
    assert accuracy(found) == pytest.approx(1 / 3)
    assert row_rates(found)[0] == (0.5, 0.0, 0.0)
    assert unweighted_average_recall(found) == (0.25, 2)


@pytest.mark.parametrize(
    ("truth", "predicted", "labels", "words"),
    [
        ([], [], LABELS, "at least"),
        (["anger"], [], LABELS, "one each"),
        (["joy"], ["anger"], LABELS, "joy"),
        (["anger"], ["joy"], LABELS, "joy"),
        (["anger"], ["anger"], ("anger", "anger"), "twice"),
    ],
)
def test_what_cannot_be_counted_is_an_error(
    truth: list[str], predicted: list[str | None], labels: tuple[str, ...], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        confusion(truth, predicted, labels)
