"""Whether a figure is at chance, or near it.

A search: in a random order of the gallery, the mates of a probe are expected to be placed above half of the other
templates. The mean of that share over probes is 0.5 by chance (`bench.metrics.chance.share_below`). Its 95 % interval,
by bootstrap over identities, is a test at the two-sided level of 5 %: a search whose interval contains 0.5 is not
significantly different from a random order. It is at chance where the interval contains 0.5 and ends below `LIMIT`, so
that a search of a few probes, whose interval is wide, is not reported; and near chance where the interval ends below
`NEARLY`, and that of rank-1 ends within `POINTS` of what a random order gives. Verification: the same of same pairs
among different ones, the AUC; near chance where the interval ends below `LIMIT`. Expression: the mean recall against
one in the number of expressions, and the accuracy against the most frequent one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.evaluation.identification.galleries import mated_rows
from bench.metrics.bootstrap import bootstrap_interval
from bench.metrics.chance import pairs_below, random_rank_k_rate, share_below
from bench.metrics.identification import is_hit
from bench.results import Figure, ItemRow, ProbeRow

AT, NEAR = "At chance", "Near chance"
"""Beginnings of the sentences on such a run."""
LIMIT, NEARLY, POINTS = 0.65, 0.75, 0.05
LEAST_PEOPLE = 10
"""With fewer people nothing is reported: intervals over few people are too narrow."""


@dataclass(frozen=True, slots=True)
class Share:
    """The difference of a run from chance.

    Attributes:
        value: mean share of others that mates are placed above, in [0, 1]; 0.5 by chance.
        low: lower end of its 95 % interval over identities; None where there is none.
        high: upper end, likewise.
    """

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, shares: Sequence[float], people: Sequence[str], *, seed: int) -> Share:
        """The mean of shares, at least one, with its interval; none where there are too few people."""
        value = sum(shares) / len(shares)
        if len(set(people)) < LEAST_PEOPLE:
            return cls(value, None, None)
        interval = bootstrap_interval(shares, people, seed=seed)
        return cls(value, interval.low, interval.high)

    @property
    def at_chance(self) -> bool:
        """Whether it is not significantly different from chance although the interval is narrow."""
        return self.low is not None and self.high is not None and self.low <= 0.5 and self.high < LIMIT

    def ends_below(self, limit: float) -> bool:
        """Whether its interval ends below a limit."""
        return self.high is not None and self.high < limit

    @property
    def interval(self) -> str:
        """Its interval in words."""
        return "none" if self.low is None or self.high is None else f"{self.low:.0%} to {self.high:.0%}"


def search_share(rows: Sequence[ProbeRow], sizes: Mapping[str, int], *, seed: int) -> Share | None:
    """The difference of a search from a random order of the gallery; None where no probe was scored.

    Args:
        rows: of the run.
        sizes: templates that were searched, by name of the gallery (empty for one of all).
        seed: of the bootstrap.
    """
    scored = [row for row in mated_rows(rows) if row.mated_ranks and sizes[row.gallery] > len(row.mated_ranks)]
    if not scored:
        return None
    shares = [share_below(row.mated_ranks, sizes[row.gallery]) for row in scored]
    return Share.of(shares, [row.identity for row in scored], seed=seed)


def search_at_chance(rows: Sequence[ProbeRow], sizes: Mapping[str, int], *, seed: int) -> str | None:
    """The sentence on a search at or near chance; None where it is clearly above, or nothing can be reported."""
    share = search_share(rows, sizes, seed=seed)
    if share is None:
        return None
    mated = mated_rows(rows)
    expected = _expected_rank_1(mated, sizes)
    hits = [float(is_hit(row.rank)) for row in mated]
    top = bootstrap_interval(hits, [row.identity for row in mated], seed=seed).high
    near = share.ends_below(NEARLY) and top is not None and top < expected + POINTS
    if not share.at_chance and not near:
        return None
    largest = max(sizes[row.gallery] for row in mated)
    return (
        f"{AT if share.at_chance else NEAR}: rank-1 {sum(hits) / len(hits):.2%}, where a random order of {largest:,} "
        f"templates gives {expected:.2%}; a mate is placed above {share.value:.0%} of other templates (95 % interval "
        f"{share.interval}; 50 % by chance)."
    )


def pairs_at_chance(arrays: Mapping[str, Any], *, seed: int) -> str | None:
    """The sentence on pairs verified at or near chance; None where they are not, or nothing can be reported."""
    shares, places = pairs_below(arrays["scores"], arrays["same"])
    if not len(shares):
        return None
    people = [str(arrays["person"][place]) for place in places]
    share = Share.of(shares.tolist(), people, seed=seed)
    if not share.ends_below(LIMIT):
        return None
    return (
        f"{AT if share.at_chance else NEAR}: the AUC of the pairs that could be scored is {share.value:.2f} (95 % "
        f"interval {share.interval} over people; 50 % by chance)."
    )


def expressions_at_chance(items: Sequence[ItemRow], metrics: Mapping[str, Figure]) -> str | None:
    """The sentence on expressions classified at chance; None where they are not, or nothing can be reported.

    Both must hold: the interval of the mean recall contains one in the number of expressions and ends below
    three tenths of the way from there to 1, and the accuracy is not above the share of the most frequent expression.
    """
    truths = Counter(str(item.values.get("expression")) for item in items)
    recall, accuracy = metrics.get("uar"), metrics.get("accuracy")
    if len(truths) < 2 or recall is None or accuracy is None or recall.high is None or recall.low is None:
        return None
    chance, frequent = 1 / len(truths), max(truths.values()) / len(items)
    limit = chance + (2 * LIMIT - 1) * (1 - chance)
    if recall.low > chance or recall.high >= limit or accuracy.value > frequent:
        return None
    return (
        f"{AT}: the mean recall of {len(truths)} expressions is {recall.value:.1%} (95 % interval {recall.low:.1%} to "
        f"{recall.high:.1%}; {chance:.1%} by chance), and the accuracy {accuracy.value:.1%} is not above the share of "
        f"the most frequent one ({frequent:.1%})."
    )


def _expected_rank_1(rows: Sequence[ProbeRow], sizes: Mapping[str, int]) -> float:
    """Rank-1 rate of a random order, over all rows; a failed one is a miss."""
    total = 0.0
    for name in dict.fromkeys(row.gallery for row in rows):
        of_gallery = [row for row in rows if row.gallery == name]
        mates = [len(row.mated_ranks) for row in of_gallery if row.mated_ranks]
        total += random_rank_k_rate(mates, sizes[name], 1) * len(mates) if mates else 0.0
    return total / len(rows)
