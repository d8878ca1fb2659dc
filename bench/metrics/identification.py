"""Identification figures from per-probe ranks and scores. A rank of None (probe or all its mates failed) is a miss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError

ThresholdRule = Literal["nist", "pfe", "insightface"]


def is_hit(rank: int | None, k: int = 1) -> bool:
    """Whether a probe's best mate is among the k first gallery templates; a failed probe (None) is a miss."""
    return rank is not None and rank <= k


def rank_k_rate(ranks: Sequence[int | None], k: int) -> float:
    """Return the share of probes whose best mate is among the k first gallery templates.

    Args:
        ranks: 1-based rank of the best mate of each probe; None for a failed probe, which is a miss and stays in
            the denominator.
        k: at least 1.

    Returns:
        A fraction in [0, 1]. ``rank_k_rate([1, 3, None, 1], 1)`` is 0.5.

    Raises:
        DataError: no probes, or a rank below 1.
        UsageError: k below 1.

    Source: Phillips, Grother & Micheals 2011, Handbook of Face Recognition ch. 21 (no numbered equation).
    """
    return float(cmc(ranks, k)[-1])


def cmc(ranks: Sequence[int | None], max_rank: int) -> NDArray[np.float64]:
    """Return the cumulative match characteristic: the rank-k rate for k = 1..max_rank.

    Args:
        ranks: as for `rank_k_rate`.
        max_rank: at least 1.

    Returns:
        (max_rank,) float64, non-decreasing, each in [0, 1].

    Raises:
        DataError: no probes, or a rank below 1.
        UsageError: ``max_rank`` below 1.
    """
    if max_rank < 1:
        raise UsageError(f"The rank is {max_rank}; expected at least 1.")
    _check_ranks(ranks)
    hits = np.array([rank for rank in ranks if is_hit(rank, max_rank)], dtype=np.int64)
    return np.cumsum(np.bincount(hits, minlength=max_rank + 1)[1:]) / len(ranks)


def average_precision_trapezoid(mated_ranks: Sequence[int], *, mates: int | None = None) -> float:
    """Return the average precision of one probe by TinyFace's trapezoid rule.

    Precision is averaged between the rank before each mate and the rank of the mate, precision before rank 1 being 1:

    AP = sum_i 1/n * (q_i + i / r_i) / 2, with q_i = (i - 1) / (r_i - 1), and q_i = 1 where r_i = 1

    for the i-th of n mates at rank r_i. This is not the mean of precisions at the mates.

    Args:
        mated_ranks: positions of all scored mates in the sorted gallery, 1-based, strictly ascending; empty when
            the probe or all its mates failed.
        mates: n, failed mates included; the number of ``mated_ranks`` when None.

    Returns:
        A fraction in [0, 1]; 0 where no mate was scored. Mates at ranks 2 and 4 give 1/3.

    Raises:
        DataError: no mates at all, fewer mates than ranks, or ranks that are not strictly ascending from 1.

    Source: TinyFace evaluation code (Cheng, Zhu & Gong 2018), which is that of Market-1501 (Zheng et al. 2015).
    """
    relevant = len(mated_ranks) if mates is None else mates
    if relevant < 1 or relevant < len(mated_ranks):
        raise DataError(
            f"A probe has {relevant} mates and {len(mated_ranks)} mated ranks; expected at least one mate, and a rank "
            "for some or all of them."
        )
    total, previous = 0.0, 0
    for hits, rank in enumerate(mated_ranks, start=1):
        if rank <= previous:
            raise DataError(f"Mated ranks are {list(mated_ranks)[:10]}; expected strictly ascending from 1 on.")
        total += (1.0 if rank == 1 else (hits - 1) / (rank - 1)) + hits / rank
        previous = rank
    return total / (2 * relevant)


def mean_average_precision(mated_ranks: Sequence[Sequence[int] | None], mates: Sequence[int] | None = None) -> float:
    """Return the mean over probes of `average_precision_trapezoid`.

    Args:
        mated_ranks: of each probe; None for a failed probe, which counts as 0 and stays in the denominator.
        mates: number of mates of each probe, failed ones included; required where some mates of a probe were not
            scored, or where ``mated_ranks`` holds an empty sequence.

    Raises:
        DataError: no probes, another number of ``mates``, or as `average_precision_trapezoid`.
    """
    if not mated_ranks:
        raise DataError("There are no probes; mean average precision needs at least one.")
    if mates is not None and len(mates) != len(mated_ranks):
        raise DataError(f"There are {len(mated_ranks)} probes but {len(mates)} numbers of mates.")
    total = 0.0
    for index, ranks in enumerate(mated_ranks):
        if ranks is not None:
            total += average_precision_trapezoid(ranks, mates=None if mates is None else mates[index])
    return total / len(mated_ranks)


@dataclass(frozen=True, slots=True)
class OpenSetPoint:
    """One operating point of open-set identification.

    Attributes:
        rate: share of mated probes identified, DIR = TPIR = 1 - FNIR, in [0, 1].
        threshold: the threshold of scores.
        far: actual false alarm rate: share of non-mated probes accepted (FPIR), in [0, 1].
        mated: mated probes in the denominator of ``rate``, failed ones included.
        nonmated: non-mated probes in the denominator of ``far``, failed ones included.
        rule: of the threshold.
    """

    rate: float
    threshold: float
    far: float
    mated: int
    nonmated: int
    rule: ThresholdRule


def detection_identification_rate(
    ranks: Sequence[int | None],
    scores: Sequence[float | None],
    nonmated_scores: Sequence[float | None],
    far: float,
    *,
    rank: int = 1,
    rule: ThresholdRule = "nist",
) -> OpenSetPoint:
    """Return the detection and identification rate at a false alarm rate (DIR@FAR, TPIR@FPIR).

    A mated probe is identified when its best mate is at ``rank`` or better and its score is accepted. A non-mated probe
    is a false alarm when its *best* gallery score is accepted. With N non-mated probes, their best scores sorted
    from high to low as m[1..N]:

    - ``nist`` (default): accept score > m[floor(N * far) + 1]; everything if that is past the end. The lowest
      threshold whose false alarm rate does not exceed ``far``, ties or not.
    - ``pfe`` (PFE, AdaFace, CVLface): accept score >= m[round(N * far)], half to even. Reaches ``far`` more closely,
      but rounding up and ties may exceed it.
    - ``insightface`` (its IJB evaluation): accept score > m[max(floor(N * far), 1)]. One false alarm fewer than
      allowed. That code requires the mate to exceed every other score, as rank 1 with ties against the system does.

    A failed non-mated probe (None) raises no alarm and stays in N; it is at the low end of m.

    Args:
        ranks: 1-based rank of the best mate of each mated probe, ties against the system; None for a failed probe,
            a miss that stays in the denominator.
        scores: its score; None exactly where the rank is.
        nonmated_scores: best gallery score of each probe that has no mate; None for a failed one.
        far: in (0, 1].
        rank: at least 1.
        rule: how the threshold is set.

    Raises:
        DataError: no mated probes, too few non-mated ones for this rate (N * far < 1), ranks and scores that do not
            match, or a score that is not finite.
        UsageError: ``far``, ``rank`` or ``rule`` out of range.

    Source: Phillips et al. 2011, Handbook of Face Recognition ch. 21; ISO/IEC 19795-1 (FPIR, FNIR).
    """
    if not 0 < far <= 1 or rank < 1 or rule not in get_args(ThresholdRule):
        raise UsageError(
            f"far is {far}, rank {rank}, rule {rule!r}; expected far in (0, 1], rank at least 1 and a rule of "
            f"{', '.join(get_args(ThresholdRule))}."
        )
    _check_ranks(ranks)
    if len(ranks) != len(scores) or any((r is None) != (s is None) for r, s in zip(ranks, scores, strict=True)):
        raise DataError(
            f"{len(ranks)} ranks and {len(scores)} scores do not match: None must be in both or in neither."
        )
    _check_finite([score for score in (*scores, *nonmated_scores) if score is not None])
    count = len(nonmated_scores)
    alarms = count * far
    if alarms < 1 - 1e-9:
        raise DataError(
            f"A false alarm rate of {far:g} needs at least {math.ceil(1 / far - 1e-9)} non-mated probes; "
            f"there are {count}."
        )
    ordered = sorted((-math.inf if score is None else score for score in nonmated_scores), reverse=True)
    threshold, strict = _threshold(ordered, alarms, rule)

    def accepted(score: float | None) -> bool:
        return score is not None and (score > threshold if strict else score >= threshold)

    identified = sum(is_hit(r, rank) and accepted(s) for r, s in zip(ranks, scores, strict=True))
    false_alarms = sum(accepted(score) for score in nonmated_scores)
    return OpenSetPoint(identified / len(ranks), threshold, false_alarms / count, len(ranks), count, rule)


def _threshold(ordered: list[float], alarms: float, rule: ThresholdRule) -> tuple[float, bool]:
    """Return the threshold and whether a score must exceed it; ``alarms`` is N * far, at least 1."""
    whole = math.floor(alarms + 1e-9)  # 0.29 * 100 is 28.999999999999996
    if rule == "nist":
        return (ordered[whole] if whole < len(ordered) else -math.inf), True
    if rule == "pfe":
        return ordered[round(alarms) - 1], False
    return ordered[whole - 1], True


def _check_ranks(ranks: Sequence[int | None]) -> None:
    if not ranks:
        raise DataError("There are no probes; a rate needs at least one.")
    wrong = [rank for rank in ranks if rank is not None and rank < 1]
    if wrong:
        raise DataError(f"{len(wrong)} ranks are below 1 (first: {wrong[0]}); ranks count from 1, None is a failure.")


def _check_finite(scores: list[float]) -> None:
    wrong = sum(not math.isfinite(score) for score in scores)
    if wrong:
        raise DataError(f"{wrong} of {len(scores)} scores are not finite; give a failed probe as None.")
