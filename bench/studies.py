"""Studies that protocols return beside searches in a gallery: pairs, and faces to restore, classify or time."""

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
        first: index of each pair's first template among the templates of ``enrolled`` in order of appearance, int64
            (P,).
        second: the same among those of ``verified``.
        same: whether the pair shows one person, bool (P,).
        fold: from 0, int64 (P,): the threshold of a fold is chosen on the others. None where thresholds are set by
            false accept rates instead.
        official: whether counts equal those of the published set; None where no set is published.
        notes: sentences for the user.
    """

    enrolled: tuple[Media, ...]
    verified: tuple[Media, ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64] | None = None
    official: bool | None = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(part) for part in (self.first, self.second, self.same, self.fold) if part is not None}
        if len(sizes) != 1 or not len(self.first):
            raise DataError(
                f"Pairs: {sorted(sizes)} first and second templates, labels and folds; the numbers must be equal"
            )
        for name, indices, media in (("first", self.first, self.enrolled), ("second", self.second, self.verified)):
            templates = len({item.template for item in media})
            if indices.min() < 0 or indices.max() >= templates:
                raise DataError(f"Pairs: a {name} template has place {indices.max()}; there are {templates} templates")

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return {"probe": self.verified, "gallery": self.enrolled}


@dataclass(frozen=True)
class RestorationSet:
    """LR faces and their ground truth.

    Attributes:
        faces: LR media, role ``probe``; each its own template.
        truths: the true face of each, role ``gallery``, same order; the template of face i is that of truth i.
        official: whether counts equal those of the published set; None where no set is published.
        notes: sentences for the user.
        ready: whether the faces are already restored and are measured without a hallucinator.
    """

    faces: tuple[Media, ...]
    truths: tuple[Media, ...]
    official: bool | None = False
    notes: tuple[str, ...] = ()
    ready: bool = False

    def __post_init__(self) -> None:
        if len(self.faces) != len(self.truths) or not self.faces:
            raise DataError(f"Restoration: {len(self.faces)} faces and {len(self.truths)} truths; each face needs one")

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return {"probe": self.faces, "gallery": self.truths}


@dataclass(frozen=True)
class ExpressionSet:
    """Faces with an expression, classified by a network that was trained on other people.

    Attributes:
        faces: media, role ``probe``; ``attributes["expression"]`` holds one of ``labels``.
        truths: frontal HR face of each, role ``gallery``, same order; the classifier may be trained on them.
        labels: the expressions, in the order of the confusion matrix.
        folds: fold of each person by identity, from 0; each person is in one fold.
        official: whether counts equal those of the published set.
        notes: sentences for the user.
    """

    faces: tuple[Media, ...]
    truths: tuple[Media, ...]
    labels: tuple[str, ...]
    folds: dict[str, int]
    official: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = sorted({str(m.attributes.get("expression")) for m in self.faces} - set(self.labels))
        if unknown:
            raise DataError(f"Expressions {unknown[:5]} are none of {', '.join(self.labels)}")
        without_fold = sorted({str(m.identity) for m in self.faces} - set(self.folds))
        if without_fold or len(self.faces) != len(self.truths) or not self.faces:
            raise DataError(
                f"Expressions: {len(self.faces)} faces, {len(self.truths)} truths, {len(without_fold)} people without "
                f"a fold {without_fold[:5]}"
            )

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return {"probe": self.faces, "gallery": self.truths}


@dataclass(frozen=True)
class EfficiencySet:
    """LR faces that are hallucinated repeatedly, to time a chain.

    Attributes:
        faces: LR media of one size, role ``probe``; at least as many as the largest batch.
        batches: numbers of faces per pass; each is measured in a separate process.
        repeats: largest number of timed passes of each; 2 or more.
        warmup: untimed passes before them; the first builds the network.
        seconds: time after which, and after three passes, no further pass starts.
        cores: processor threads of the timed process.
        official: always None: there is no published set of faces for timing.
        notes: sentences for the user.

    Raises:
        UsageError: a number is out of range.
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
        distinct = len(set(self.batches)) == len(self.batches)
        if not self.batches or not distinct or min(*self.batches, self.warmup, self.cores) < 1 or self.repeats < 2:
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
"""Result of `EvalProtocol.read`; its type decides how it is measured."""
