"""Base of CelebA and MMI: frontal faces are enrolled, rendered views of the same people are searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bench.align.template import Frame
from bench.errors import DataError, UsageError
from bench.types import IdentificationSet, Media
from protocols.base.protocol import ScratchProtocol
from protocols.views.recipe import JitterName, Recipe


class TurnedSearch(ScratchProtocol):
    """Frontal faces are enrolled; views rendered by the face engine are the probes.

    Attributes:
        paper: images by role in Table V of Zhang et al. 2021; a person is enrolled by one.
    """

    mean_average_precision = False
    paper: ClassVar[dict[str, int]]

    def __init__(self, *, lr: int, identities: int, jitter: JitterName, frame: Frame, seed: int) -> None:
        """Store the arguments that CelebA and MMI share.

        Raises:
            UsageError: fewer than two identities.
        """
        if identities < 2:
            raise UsageError(f"{self.dataset}: identities={identities}; a search needs two or more people")
        self._lr, self._identities, self._seed = lr or None, identities, seed
        self._as_published = identities == self.paper["gallery"] and jitter == "paper" and lr != 0
        self._recipe = Recipe(frame=frame, jitter=jitter, seed=seed)
        self.default_align = f"template:frame={frame}"
        self.gallery_frame = frame

    def published_counts(self) -> dict[str, int] | None:
        """Images of the paper's search by role; None for other settings than the paper's."""
        return dict(self.paper) if self._as_published else None

    def _identification_set(
        self, gallery: Sequence[Media], probes: Sequence[Media], notes: Sequence[str], *, among: int, whole: bool = True
    ) -> IdentificationSet:
        """Build the study; a note says where its counts differ from the paper's.

        Args:
            gallery: one image a person.
            probes: rendered views of the enrolled people.
            notes: for the user.
            among: people that were considered.
            whole: whether the database is complete.

        Raises:
            DataError: fewer than two people are enrolled.
        """
        if len(gallery) < 2:
            why = "".join(f" {note}" for note in notes)
            raise DataError(f"{len(gallery)} of {among} people can be enrolled; a search needs two or more.{why}")
        counts = {"gallery": len(gallery), "probe": len(probes)}
        if counts != self.paper:
            differences = ", ".join(f"{counts[role]:,} of {self.paper[role]:,} {role} images" for role in counts)
            notes = [*notes, f"Not the paper's numbers: {differences}."]
        official = whole and counts == self.paper and self._as_published
        return IdentificationSet(tuple(gallery), tuple(probes), official=official, notes=tuple(notes))
