"""Tests of two runs on the same probes: exact McNemar, sign flips by identity, and Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bench.errors import DataError, UsageError
from bench.metrics.bootstrap import BLOCK

_EXACT_UP_TO = 12  # identities that differ: 4,096 sign patterns are enumerated


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Outcome of a two-sided paired test.

    Attributes:
        difference: mean of first - second over all probes.
        p_value: in (0, 1].
        method: name of the test, and how its p-value was computed.
        only_first: probes where the first run is better.
        only_second: probes where the second run is better.
    """

    difference: float
    p_value: float
    method: str
    only_first: int
    only_second: int


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> PairedTest:
    """Compare hits and misses of two runs by the exact McNemar test.

    Probes are assumed independent; if people have several probes, use `sign_flip_test`.

    Args:
        first: hit or miss of each probe in one run.
        second: the same probes in the same order in the other.

    Raises:
        DataError: no probes, or lengths differ.

    Source: McNemar 1947; two-sided exact binomial with probability 1/2 on the discordant pairs.
    """
    if len(first) != len(second) or not len(first):
        raise DataError(f"The runs have {len(first)} and {len(second)} probes; expected the same probes, at least one.")
    left = sum(bool(a) and not b for a, b in zip(first, second, strict=True))
    right = sum(bool(b) and not a for a, b in zip(first, second, strict=True))
    discordant = left + right
    term = tail = 1  # whole numbers: no rounding however many pairs there are
    for successes in range(1, min(left, right) + 1):
        term = term * (discordant - successes + 1) // successes
        tail += term
    p_value = min(1.0, 2 * tail / 2**discordant)  # a quotient of whole numbers of any size, rounded once
    return PairedTest((left - right) / len(first), p_value, "McNemar, exact", left, right)


def sign_flip_test(
    first: ArrayLike, second: ArrayLike, identities: Sequence[str], *, seed: int, permutations: int = 10_000
) -> PairedTest:
    """Compare per-probe values of two runs by flipping the sign of all differences of an identity together.

    Under the null hypothesis the two runs could be swapped for any person. The statistic is the absolute sum of
    differences. Up to 12 identities that differ, all sign patterns are enumerated; above, they are drawn and
    p = (1 + patterns as extreme) / (1 + patterns).

    Args:
        first: (N,) finite values of one run.
        second: (N,) values of the other, paired by position.
        identities: the person of each probe, N.
        seed: of the generator.
        permutations: patterns drawn, at least 100.

    Raises:
        DataError: no probes, lengths differ, or a value is not finite.
        UsageError: fewer than 100 permutations.

    Source: Good 2005, Permutation, Parametric and Bootstrap Tests, ch. 3; Phipson & Smyth 2010 for the + 1.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if permutations < 100:
        raise UsageError(f"permutations is {permutations}; expected at least 100.")
    if left.ndim != 1 or left.shape != right.shape or len(left) != len(identities) or not len(left):
        raise DataError(
            f"The runs have values of shapes {left.shape} and {right.shape} for {len(identities)} identities; expected "
            "one each for the same probes, at least one."
        )
    differences = left - right
    if not np.isfinite(differences).all():
        raise DataError(f"{int((~np.isfinite(differences)).sum())} of {len(left)} paired values are not finite.")
    _, clusters = np.unique(np.asarray(identities, dtype=np.str_), return_inverse=True)
    sums = np.bincount(clusters, weights=differences)
    sums = sums[sums != 0]
    extreme = abs(float(sums.sum())) * (1 - 1e-12)  # another order of summation may round lower
    count = len(sums)
    if count <= _EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        p_value = float((np.abs(signs @ sums) >= extreme).mean())
        how = "exact"
    else:
        generator = np.random.default_rng(seed)
        step = max(1, BLOCK // count)
        hits = 0
        for start in range(0, permutations, step):
            signs = 1 - 2 * generator.integers(0, 2, size=(min(step, permutations - start), count))
            hits += int((np.abs(signs @ sums) >= extreme).sum())
        p_value, how = (1 + hits) / (1 + permutations), f"{permutations} permutations"
    return PairedTest(
        float(differences.mean()),
        p_value,
        f"sign flips by identity, {how}",
        int((differences > 0).sum()),
        int((differences < 0).sum()),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values in the given order; those at or below the level are significant.

    Raises:
        DataError: no p-values, or one outside [0, 1].

    Source: Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.
    """
    if not p_values or any(not 0 <= p <= 1 for p in p_values):
        raise DataError(f"p-values are {list(p_values)[:10]}; expected at least one, each in [0, 1].")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
