"""What protocols hand to the runner beside searches in a gallery: pairs, faces with their truth, labelled faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.efficiency import EfficiencySet
from bench.errors import DataError
from bench.types import IdentificationSet, Media, Role


@dataclass(frozen=True)
class VerificationSet:
    """Pairs of templates: the same person or not.

    Attributes:
        enrolled: media of the first templates of pairs, role ``gallery``.
        verified: media of the second ones, role ``probe``.
        first: template of each pair by its place among the templates of ``enrolled`` in order of appearance, int64
            (P,).
        second: likewise among those of ``verified``.
        same: whether the pair shows one person, bool (P,).
        fold: from 0, int64 (P,): the threshold of a fold is chosen on the others. None where thresholds are set by
            false accept rates instead.
        official: whether counts are those of the published set.
        notes: sentences for the user.
    """

    enrolled: tuple[Media, ...]
    verified: tuple[Media, ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64] | None = None
    official: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(part) for part in (self.first, self.second, self.same, self.fold) if part is not None}
        if len(sizes) != 1 or not len(self.first):
            raise DataError(
                f"Pairs: {sorted(sizes)} first and second templates, labels and folds; they must be as many"
            )
        for name, places, media in (("first", self.first, self.enrolled), ("second", self.second, self.verified)):
            templates = len({item.template for item in media})
            if places.min() < 0 or places.max() >= templates:
                raise DataError(f"Pairs: a {name} template has place {places.max()}; there are {templates} templates")

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return {"probe": self.verified, "gallery": self.enrolled}


@dataclass(frozen=True)
class RestorationSet:
    """LR faces and what they should have become.

    Attributes:
        faces: LR media, role ``probe``; each its own template.
        truths: the true face of each, role ``gallery``, same order; the template of face i is that of truth i.
        official: whether counts are those of the published set; None where no set is published.
        notes: sentences for the user.
        ready: whether the faces are restored already, and measured as they are.
    """

    faces: tuple[Media, ...]
    truths: tuple[Media, ...]
    official: bool | None = False
    notes: tuple[str, ...] = ()
    ready: bool = False

    def __post_init__(self) -> None:
        if len(self.faces) != len(self.truths) or not self.faces:
            raise DataError(f"Restoration: {len(self.faces)} faces and {len(self.truths)} truths; each face has one")

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return {"probe": self.faces, "gallery": self.truths}


@dataclass(frozen=True)
class ExpressionSet:
    """Faces with an expression, to be told by a classifier that has seen other people.

    Attributes:
        faces: media, role ``probe``; ``attributes["expression"]`` holds one of ``labels``.
        truths: frontal HR face of each, role ``gallery``, same order: what the classifier may be trained on.
        labels: the expressions, in the order of the confusion matrix.
        folds: fold of each person by identity, from 0; nobody is in two.
        official: whether counts are those of the published set.
        notes: sentences for the user.
    """

    faces: tuple[Media, ...]
    truths: tuple[Media, ...]
    labels: tuple[str, ...]
    folds: dict[str, int]
    official: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strange = sorted({str(m.attributes.get("expression")) for m in self.faces} - set(self.labels))
        if strange:
            raise DataError(f"Expressions {strange[:5]} are none of {', '.join(self.labels)}")
        lost = sorted({str(m.identity) for m in self.faces} - set(self.folds))
        if lost or len(self.faces) != len(self.truths) or not self.faces:
            raise DataError(
                f"Expressions: {len(self.faces)} faces, {len(self.truths)} truths, {len(lost)} people without a fold "
                f"{lost[:5]}"
            )

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return {"probe": self.faces, "gallery": self.truths}


Study = IdentificationSet | VerificationSet | RestorationSet | ExpressionSet | EfficiencySet
"""What `EvalProtocol.read` may give; its type says how it is measured."""
