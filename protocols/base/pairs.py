"""Photographs compared in pairs, or searched: what LFW and CFP have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.interfaces import Progress
from bench.studies import VerificationSet
from bench.types import IdentificationSet, Media, Role
from protocols.base.protocol import SampledProtocol

Searched = IdentificationSet | VerificationSet
Image = TypeVar("Image", bound=Hashable, covariant=True)


class Pair(Protocol[Image]):
    """Two images, whether they show one person, and the fold from 0."""

    @property
    def first(self) -> Image:
        """Enrolled."""

    @property
    def second(self) -> Image:
        """Verified."""

    @property
    def same(self) -> bool:
        """Whether the list says it is one person."""

    @property
    def fold(self) -> int:
        """Of the pair."""


class PhotographProtocol(SampledProtocol):
    """Faces are found at full resolution on both sides and aligned by five points; then one side is shrunk."""

    default_align = "landmarks"
    ranks = (1, 5, 10, 20)
    mean_average_precision = False
    false_positive_rates = (0.001, 0.01, 0.1)

    def read(self, root: Path) -> Searched:
        """List the media without looking for faces, which a note says; raises as `read_with`."""
        return self._study(root, None, None)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> Searched:
        """List the media, and find the face in each photograph; points found are kept under ``scratch``.

        A photograph that is listed but absent, or damaged, stays in the list and becomes a counted failure. Those
        without a face found are told in a note.

        Raises:
            DataError: a folder or a list is absent, damaged or contradicts another, a path or link leads out of the
                root, or there are no two people.
            MissingError: pairs are asked for and their list is not there; or the package that brings the detector
                is not installed.
        """
        return self._study(root, scratch, progress)

    @abstractmethod
    def _study(self, root: Path, scratch: Path | None, progress: Progress | None) -> Searched:
        """What `read` (without a scratch folder) and `read_with` give."""


def paired(
    pairs: Sequence[Pair[Image]],
    media: Callable[[Sequence[Image], Role, str], tuple[Media, ...]],
    *,
    official: bool,
    notes: Sequence[str] = (),
) -> VerificationSet:
    """Pairs of a list as a study.

    Args:
        pairs: in the order of the list.
        media: makes those of different images, given their role and what their keys begin with.
        official: whether they are the published ones.
        notes: for the user.
    """
    sides = [pair.first for pair in pairs], [pair.second for pair in pairs]
    return VerificationSet(
        media(list(dict.fromkeys(sides[0])), "gallery", "first/"),
        media(list(dict.fromkeys(sides[1])), "probe", "second/"),
        _places(sides[0]),
        _places(sides[1]),
        np.array([pair.same for pair in pairs], bool),
        np.array([pair.fold for pair in pairs], np.int64),
        official=official,
        notes=tuple(notes),
    )


def _places(items: Sequence[Hashable]) -> NDArray[np.int64]:
    """Of each item its place among the different ones in order of appearance, int64 (N,)."""
    known = {item: place for place, item in enumerate(dict.fromkeys(items))}
    return np.array([known[item] for item in items], np.int64)
