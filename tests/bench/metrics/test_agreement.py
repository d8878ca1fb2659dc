"""Agreement against the published worked example, chi-squared against SciPy."""

from __future__ import annotations

import pytest
from scipy import stats

from bench.errors import DataError
from bench.metrics.agreement import chi_squared_of_equal_counts, krippendorff_alpha

# Krippendorff 2011, section C: four observers, twelve units; a dot is missing
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def units() -> list[list[str]]:
    return [[row[k] for row in OBSERVERS if row[k] != "."] for k in range(12)]


def test_the_published_example() -> None:
    found = krippendorff_alpha(units())
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.ratings) == (11, 40)


def test_by_hand() -> None:
    # two raters, two units: one agreed on, one not; n = 4, alike = 2, counts a: 3, b: 1
    found = krippendorff_alpha([["a", "a"], ["a", "b"]])
    assert found.alpha == pytest.approx(1 - 3 * (4 - 2) / (16 - 10))
    assert found.share == 0.5


def test_full_agreement_is_one_and_a_single_category_is_not_defined() -> None:
    assert krippendorff_alpha([["a", "a"], ["b", "b", "b"]]).alpha == 1.0
    found = krippendorff_alpha([["a", "a"], ["a", "a"]])
    assert found.alpha is None and "same" in found.why
    found = krippendorff_alpha([["a"], []])
    assert found.alpha is None and (found.units, found.share) == (0, None)
    with pytest.raises(DataError):
        krippendorff_alpha([])


def test_equal_counts_agree_with_scipy() -> None:
    counts = [30, 22, 41, 27, 18]
    ours, theirs = chi_squared_of_equal_counts(counts), stats.chisquare(counts)
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.degrees == 4


def test_few_counts_have_a_statistic_but_no_p() -> None:
    found = chi_squared_of_equal_counts([3, 1])
    assert found.statistic == pytest.approx(1.0) and found.p_value is None
    for wrong in ([4], [0, 0], [3, -1]):
        with pytest.raises(DataError):
            chi_squared_of_equal_counts(wrong)
