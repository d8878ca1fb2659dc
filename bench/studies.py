"""What protocols hand to the runner beside searches in a gallery: pairs, and faces to restore, classify or time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
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


@dataclass(frozen=True)
class EfficiencySet:
    """LR faces that are hallucinated again and again.

    Attributes:
        faces: LR media of one size, role ``probe``; at least as many as the largest batch.
        batches: faces a pass; each is measured in a process of its own.
        repeats: timed passes of each, at most; 2 or more.
        warmup: passes before them that are not timed; the first builds the network.
        seconds: after so long, and three passes, no further pass is begun.
        cores: processor threads of the timed process.
        official: always None: there is no published set of faces to time on.
        notes: sentences for the user.

    Raises:
        UsageError: numbers that cannot be.
        DataError: there are fewer faces than the largest batch takes.
    """

    faces: tuple[Media, ...]
    batches: tuple[int, ...] = (1, 32)
    repeats: int = 30
    warmup: int = 3
    seconds: float = 60.0
    cores: int = 1
    official: None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        once = len(set(self.batches)) == len(self.batches)
        if not self.batches or not once or min(*self.batches, self.warmup, self.cores) < 1 or self.repeats < 2:
            raise UsageError(
                f"efficiency: batches {list(self.batches)}, {self.repeats} repeats, {self.warmup} to warm up, "
                f"{self.cores} cores; give each batch once, 2 repeats or more, and 1 or more of the others"
            )
        if not 0 < self.seconds < float("inf"):
            raise UsageError(f"efficiency: seconds is {self.seconds}; give more than 0")
        if len(self.faces) < max(self.batches):
            raise DataError(f"{len(self.faces)} faces do not fill a batch of {max(self.batches)}")

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role; nobody is enrolled."""
        return {"probe": self.faces, "gallery": ()}


Study = IdentificationSet | VerificationSet | RestorationSet | ExpressionSet | EfficiencySet
"""What `EvalProtocol.read` may give; its type says how it is measured."""
