"""What a sample came to, and the checks that all writers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.errors import UsageError

_MOST_IDENTITIES, _MOST_SEED = 99_999, 2**31 - 1
_PEOPLE_PER_SEED = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSummary:
    """What was written.

    Attributes:
        database: name of the writer.
        identities: people asked for.
        seed: of the people and of everything drawn.
        images: images written, frames of videos included.
        counts: parts of the sample and how many each holds, for instance ``{"probe": 24}``.
        options: what was asked for beyond identities and seed, for instance ``{"release": "B"}``.
    """

    database: str
    identities: int
    seed: int
    images: int
    counts: Mapping[str, int]
    options: Mapping[str, str]


def demand(database: str, identities: int, minimum: int, seed: int, *, maximum: int = _MOST_IDENTITIES) -> None:
    """Refuse what no sample can be made of.

    Raises:
        UsageError: too few or too many identities, or a seed that is negative or too large.
    """
    if not minimum <= identities <= maximum:
        raise UsageError(
            f"A {database} sample needs between {minimum} and {maximum:,} identities; {identities} asked for."
        )
    if not 0 <= seed <= _MOST_SEED:
        raise UsageError(f"The seed of a sample lies between 0 and {_MOST_SEED}; {seed} given.")


def person(seed: int, number: int) -> int:
    """The painter's seed of person ``number`` (below ten million) of a sample; no two samples share people."""
    return seed * _PEOPLE_PER_SEED + number
