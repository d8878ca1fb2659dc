"""Do people agree, and do they favour a place? Krippendorff's alpha for names, chi-squared against equal counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from bench.errors import DataError


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters agree.

    Attributes:
        alpha: 1 for full agreement, 0 for what chance gives; None where it is not defined.
        why: why it is not; empty where it is.
        units: units with two ratings or more, which alone count.
        ratings: ratings of these.
        share: pairs of ratings of one unit that are alike, each unit weighted by its ratings; None without units.
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
        units: the ratings of each unit; missing ones left out.

    Raises:
        DataError: there are no units.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section C.
    """
    if not units:
        raise DataError("Agreement of no units: there is nothing to agree on.")
    paired = [Counter(ratings) for ratings in units if len(ratings) > 1]
    total = sum(sum(counts.values()) for counts in paired)
    if not paired:
        return Agreement(None, "no unit has two ratings", 0, 0, None)
    alike = sum(sum(n * (n - 1) for n in counts.values()) / (sum(counts.values()) - 1) for counts in paired)
    whole = sum(paired, Counter())
    by_chance = total * total - sum(n * n for n in whole.values())
    if not by_chance:
        return Agreement(None, "all ratings are the same, so chance would agree as well", len(paired), total, 1.0)
    alpha = 1 - (total - 1) * (total - alike) / by_chance
    return Agreement(alpha, "", len(paired), total, alike / total)


@dataclass(frozen=True, slots=True)
class ChiSquared:
    """A test of counts against equal ones.

    Attributes:
        counts: that were seen.
        statistic: sum of (seen - expected)^2 / expected.
        degrees: of freedom.
        p_value: None where fewer than 5 are expected at each place, too few for the test.
    """

    counts: tuple[int, ...]
    statistic: float
    degrees: int
    p_value: float | None


def equal_counts(counts: Sequence[int]) -> ChiSquared:
    """Test counts against equal ones; events are taken as independent.

    Raises:
        DataError: fewer than two counts, a negative one, or nothing counted.

    Source: Pearson 1900.
    """
    if len(counts) < 2 or min(counts) < 0 or not sum(counts):
        raise DataError(f"Counts {list(counts)}: expected two or more, and something counted.")
    from scipy.stats import chi2

    expected = sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    degrees = len(counts) - 1
    p_value = float(chi2.sf(statistic, degrees)) if expected >= 5 else None
    return ChiSquared(tuple(counts), statistic, degrees, p_value)
