"""Results of a search and of a comparison by chance, and comparison of results with chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.errors import DataError, UsageError


def random_rank_k_rate(mates: Sequence[int], templates: int, k: int) -> float:
    """Return the expected rank-k rate of a random order of the gallery.

    A probe with m mates among N templates is a hit with probability 1 - C(N - m, k) / C(N, k).

    Args:
        mates: gallery templates of each probe's identity, from 1 to ``templates``.
        templates: N, those searched.
        k: at least 1.

    Returns:
        The mean over probes, in (0, 1].

    Raises:
        DataError: no probes, or a number of mates outside its range.
        UsageError: ``k`` below 1.
    """
    if k < 1:
        raise UsageError(f"The requested rank is {k}; expected at least 1.")
    if not mates or min(mates) < 1 or max(mates) > templates:
        raise DataError(f"{len(mates)} probes with mates among {templates} templates; each needs one or more.")
    rates = []
    for mates_of_probe in mates:
        miss_probability = 1.0
        for draw in range(min(k, templates)):
            miss_probability *= max(0, templates - mates_of_probe - draw) / (templates - draw)
        rates.append(1.0 - miss_probability)
    return float(np.mean(rates))


def share_below(mated_ranks: Sequence[int], templates: int) -> float:
    """Return the share of other people's templates that rank below a probe's mates, mean over its mates.

    It is the mean rank of the mates, scaled so that a random order gives 0.5 on average, a perfect search 1 and its
    reverse 0 (the Mann-Whitney statistic over N - m other templates).

    Args:
        mated_ranks: ranks of the m scored mates in the sorted gallery, 1-based, ascending; ties against the system.
        templates: N, those searched; more than m.

    Raises:
        DataError: no mates, ranks that do not ascend within 1..N, or no other template.
    """
    mates = len(mated_ranks)
    others = templates - mates
    ranks = np.asarray(mated_ranks, np.int64)
    if not mates or others < 1 or ranks[0] < 1 or ranks[-1] > templates or (np.diff(ranks) < 1).any():
        raise DataError(f"Mated ranks {list(mated_ranks)[:10]} among {templates} templates are impossible.")
    above = ranks - np.arange(1, mates + 1)  # other people's templates before each mate
    return float((1 - above / others).mean())


def pairs_below(scores: ArrayLike, same: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for each scored same pair the share of different pairs that score below it, ties counting half.

    Their mean is the area under the ROC curve of the pairs that could be scored.

    Args:
        scores: (P,), NaN where a pair failed; such a pair is left out.
        same: (P,) whether both images are of one person.

    Returns:
        The shares, float64 (S,), and the place of each same pair in ``scores``, int64 (S,); both empty where no same
        pair, or no different one, was scored.
    """
    values, is_same = np.asarray(scores, np.float64), np.asarray(same, bool)
    scored = ~np.isnan(values)
    mated, others = np.flatnonzero(scored & is_same), np.sort(values[scored & ~is_same])
    if not len(mated) or not len(others):
        return np.zeros(0), np.zeros(0, np.int64)
    mated_scores = values[mated]
    below = np.searchsorted(others, mated_scores, "left") + np.searchsorted(others, mated_scores, "right")
    return below / (2 * len(others)), mated.astype(np.int64)
