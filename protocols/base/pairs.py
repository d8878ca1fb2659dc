"""Base of LFW and CFP: photographs compared in pairs, or searched in a gallery."""

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
    """A pair of images of a list."""

    @property
    def first(self) -> Image:
        """The image that is enrolled."""

    @property
    def second(self) -> Image:
        """The image that is verified."""

    @property
    def same(self) -> bool:
        """Whether both show the same person, by the list."""

    @property
    def fold(self) -> int:
        """Number of the fold, from 0."""


class PhotographProtocol(SampledProtocol):
    """Faces are detected at full resolution on both sides and aligned by five points; then one side is shrunk."""

    default_align = "landmarks"
    ranks = (1, 5, 10, 20)
    mean_average_precision = False
    false_positive_rates = (0.001, 0.01, 0.1)

    def read(self, root: Path) -> Searched:
        """List the media without detecting faces, which a note says; raises as `read_with`."""
        return self._list_media(root, None, None)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> Searched:
        """List the media and detect the face in each photograph; detections are cached under ``scratch``.

        A photograph that is listed but absent or damaged stays in the list and becomes a counted failure. A note
        counts the photographs without a detection.

        Raises:
            DataError: a folder or a list is absent, damaged or contradicts another, a path or link leads out of the
                root, or there are fewer than two people.
            MissingError: the list of pairs is needed and absent; or the detector's package is not installed.
        """
        return self._list_media(root, scratch, progress)

    @abstractmethod
    def _list_media(self, root: Path, scratch: Path | None, progress: Progress | None) -> Searched:
        """The study of `read_with`; of `read` where ``scratch`` is None."""


def verification_set(
    pairs: Sequence[Pair[Image]],
    media: Callable[[Sequence[Image], Role, str], tuple[Media, ...]],
    *,
    official: bool,
    notes: Sequence[str] = (),
) -> VerificationSet:
    """Build the study of a list of pairs.

    Args:
        pairs: in the order of the list.
        media: returns the media of distinct images, given their role and the prefix of their keys.
        official: whether the list is the published one.
        notes: for the user.
    """
    sides = [pair.first for pair in pairs], [pair.second for pair in pairs]
    return VerificationSet(
        media(list(dict.fromkeys(sides[0])), "gallery", "first/"),
        media(list(dict.fromkeys(sides[1])), "probe", "second/"),
        _indices(sides[0]),
        _indices(sides[1]),
        np.array([pair.same for pair in pairs], bool),
        np.array([pair.fold for pair in pairs], np.int64),
        official=official,
        notes=tuple(notes),
    )


def _indices(items: Sequence[Hashable]) -> NDArray[np.int64]:
    """Index of each item among the distinct ones in order of first appearance, int64 (N,)."""
    index = {item: place for place, item in enumerate(dict.fromkeys(items))}
    return np.array([index[item] for item in items], np.int64)
