"""Agreement of raters and preference for a position: Krippendorff's alpha, chi-squared against equal counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from bench.errors import DataError


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of raters.

    Attributes:
        alpha: 1 for full agreement, 0 for agreement by chance; None where it is not defined.
        why: why it is not defined; empty where it is.
        units: units with two ratings or more; only these are used.
        ratings: ratings of these units.
        share: share of equal pairs of ratings of one unit, each unit weighted by its ratings; None without units.
    """

    alpha: float | None
    why: str
    units: int
    ratings: int
    share: float | None


def krippendorff_alpha(units: Sequence[Sequence[Hashable]]) -> Agreement:
    """Return Krippendorff's alpha for nominal data; units may have any number of ratings.

    alpha = 1 - (n - 1) (n - sum_u sum_c n_uc (n_uc - 1) / (n_u - 1)) / (n^2 - sum_c n_c^2), over units with two ratings
    or more.

    Args:
        units: the ratings of each unit; missing ratings are omitted.

    Raises:
        DataError: there are no units.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section C.
    """
    if not units:
        raise DataError("Agreement needs at least one unit with ratings.")
    paired = [Counter(ratings) for ratings in units if len(ratings) > 1]
    total = sum(sum(counts.values()) for counts in paired)
    if not paired:
        return Agreement(None, "no unit has two ratings", 0, 0, None)
    agreeing = sum(sum(n * (n - 1) for n in counts.values()) / (sum(counts.values()) - 1) for counts in paired)
    all_counts = sum(paired, Counter())
    by_chance = total * total - sum(n * n for n in all_counts.values())
    if not by_chance:
        return Agreement(None, "all ratings are the same, so chance would agree as well", len(paired), total, 1.0)
    alpha = 1 - (total - 1) * (total - agreeing) / by_chance
    return Agreement(alpha, "", len(paired), total, agreeing / total)


@dataclass(frozen=True, slots=True)
class ChiSquared:
    """A test of counts against equal ones.

    Attributes:
        counts: the observed counts.
        statistic: sum of (observed - expected)^2 / expected.
        degrees: degrees of freedom.
        p_value: None where the expected count is below 5, too few for the test.
    """

    counts: tuple[int, ...]
    statistic: float
    degrees: int
    p_value: float | None


def chi_squared_of_equal_counts(counts: Sequence[int]) -> ChiSquared:
    """Test whether counts differ from equal counts; events are assumed independent.

    Raises:
        DataError: fewer than two counts, a negative one, or all 0.

    Source: Pearson 1900.
    """
    if len(counts) < 2 or min(counts) < 0 or not sum(counts):
        raise DataError(f"Counts {list(counts)}: expected two or more, not all 0.")
    from scipy.stats import chi2

    expected = sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    degrees = len(counts) - 1
    p_value = float(chi2.sf(statistic, degrees)) if expected >= 5 else None
    return ChiSquared(tuple(counts), statistic, degrees, p_value)
