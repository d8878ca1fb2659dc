"""The writer of a sample, the summary it returns, and checks that all writers share."""

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
    """Counts of a written sample.

    Attributes:
        database: name of the writer.
        identities: number of people requested.
        seed: of everything drawn.
        images: images written, frames of videos included.
        counts: parts of the sample and how many each holds, for instance ``{"probe": 24}``.
        options: further arguments of the writer, for instance ``{"release": "B"}``.
    """

    database: str
    identities: int
    seed: int
    images: int
    counts: Mapping[str, int]
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """The writer of a database's sample.

    Attributes:
        name: of the database.
        write: ``write(root, *, identities, seed, paint, progress=None, **options)``, which fills a folder.
        minimum: the fewest identities it can write.
        default: number of identities by default.
    """

    name: str
    write: Callable[..., SampleSummary]
    minimum: int
    default: int

    def options(self) -> tuple[str, ...]:
        """Names of the arguments that only this writer has; each is a string."""
        return tuple(name for name in inspect.signature(self.write).parameters if name not in _COMMON)


def demand(database: str, identities: int, minimum: int, seed: int, *, maximum: int = _MOST_IDENTITIES) -> None:
    """Check identities and seed.

    Raises:
        UsageError: too few or too many identities, or a seed that is negative or too large.
    """
    if not minimum <= identities <= maximum:
        raise UsageError(f"A {database} sample needs between {minimum} and {maximum:,} identities, not {identities}.")
    if not 0 <= seed <= _MOST_SEED:
        raise UsageError(f"The seed of a sample must be between 0 and {_MOST_SEED}, not {seed}.")


def person(seed: int, number: int) -> int:
    """The painter's seed of person ``number`` (below ten million); samples of different seeds share no people."""
    return seed * _PEOPLE_PER_SEED + number
