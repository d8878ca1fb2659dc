"""A writer of samples, what a sample came to, and the checks that all writers share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.errors import UsageError

_MOST_IDENTITIES, _MOST_SEED = 99_999, 2**31 - 1
_PEOPLE_PER_SEED = 10_000_000
_COMMON = ("root", "identities", "seed", "paint", "progress")


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


@dataclass(frozen=True, slots=True)
class Sample:
    """One writer.

    Attributes:
        name: of the database.
        write: ``write(root, *, identities, seed, paint, progress=None, **options)``, which fills a folder.
        minimum: the fewest identities it can write.
        default: how many identities a sample has when nobody says.
    """

    name: str
    write: Callable[..., SampleSummary]
    minimum: int
    default: int

    def options(self) -> tuple[str, ...]:
        """Names of the arguments that are this writer's own; each takes a string."""
        return tuple(name for name in inspect.signature(self.write).parameters if name not in _COMMON)


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
