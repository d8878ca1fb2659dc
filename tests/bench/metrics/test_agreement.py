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
    result = krippendorff_alpha(units())
    assert result.alpha == pytest.approx(0.743, abs=5e-4)
    assert (result.units, result.ratings) == (11, 40)


def test_by_hand() -> None:
    # two raters, two units: one agreed on, one not; n = 4, alike = 2, counts a: 3, b: 1
    result = krippendorff_alpha([["a", "a"], ["a", "b"]])
    assert result.alpha == pytest.approx(1 - 3 * (4 - 2) / (16 - 10))
    assert result.share == 0.5


def test_full_agreement_is_one_and_a_single_category_is_not_defined() -> None:
    assert krippendorff_alpha([["a", "a"], ["b", "b", "b"]]).alpha == 1.0
    result = krippendorff_alpha([["a", "a"], ["a", "a"]])
    assert result.alpha is None and "same" in result.why
    result = krippendorff_alpha([["a"], []])
    assert result.alpha is None and (result.units, result.share) == (0, None)
    with pytest.raises(DataError):
        krippendorff_alpha([])


def test_equal_counts_agree_with_scipy() -> None:
    counts = [30, 22, 41, 27, 18]
    ours, theirs = chi_squared_of_equal_counts(counts), stats.chisquare(counts)
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.degrees == 4


def test_few_counts_have_a_statistic_but_no_p() -> None:
    result = chi_squared_of_equal_counts([3, 1])
    assert result.statistic == pytest.approx(1.0) and result.p_value is None
    for wrong in ([4], [0, 0], [3, -1]):
        with pytest.raises(DataError):
            chi_squared_of_equal_counts(wrong)
