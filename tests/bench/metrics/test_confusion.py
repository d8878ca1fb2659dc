"""Confusion matrices against scikit-learn, and the cases that scikit-learn does not have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, recall_score

from bench.errors import DataError
from bench.metrics.confusion import confusion, row_rates

LABELS = ("anger", "fear", "neutral")
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60)


@given(PAIRS)
def test_counts_and_rates_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = zip(*pairs, strict=True)
    result = confusion(truth, predicted, LABELS)
    assert np.array_equal(result.counts, confusion_matrix(truth, predicted, labels=LABELS))
    recalls = recall_score(truth, predicted, labels=LABELS, average=None, zero_division=np.nan)
    ours = [np.nan if rates is None else rates[place] for place, rates in enumerate(row_rates(result))]
    np.testing.assert_allclose(ours, recalls)


def test_a_class_without_items_has_no_rates() -> None:
    result = confusion(["anger", "anger", "neutral"], ["anger", "fear", "neutral"], LABELS)
    assert row_rates(result) == [(0.5, 0.5, 0.0), None, (0.0, 0.0, 1.0)]


def test_an_item_without_a_prediction_stays_in_the_denominator() -> None:
    result = confusion(["anger", "anger", "fear"], ["anger", None, None], LABELS)
    assert result.unpredicted.tolist() == [1, 1, 0] and result.totals.tolist() == [2, 1, 0]
    assert row_rates(result)[0] == (0.5, 0.0, 0.0)


@pytest.mark.parametrize(
    ("truth", "predicted", "labels", "message"),
    [
        ([], [], LABELS, "at least"),
        (["anger"], [], LABELS, "the numbers must be equal"),
        (["joy"], ["anger"], LABELS, "joy"),
        (["anger"], ["joy"], LABELS, "joy"),
        (["anger"], ["anger"], ("anger", "anger"), "twice"),
    ],
)
def test_invalid_classes_are_an_error(
    truth: list[str], predicted: list[str | None], labels: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        confusion(truth, predicted, labels)
