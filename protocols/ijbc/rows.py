"""The content of the lists of IJB-C in a form common to all releases: one row for each image of a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Letter = Literal["A", "B", "C"]


@dataclass(frozen=True)
class Rows:
    """Images of templates, N rows in the order of their list; rows of a template need not be consecutive.

    Attributes:
        template: number of the template, int64 (N,).
        subject: the person, int64 (N,); -1 where it is unknown.
        filename: below the folder of images.
        medium: identifier of the still or video that the image was taken from.
        box: left, top, width, height in pixels, float64 (N, 4), NaN where not given; None in a release without boxes.
        points: five points x, y in pixels, float64 (N, 10); None in a release without points.
        score: the detector's, float64 (N,); None in a release without scores.
        empty: templates (number, subject) that are listed without any image.
    """

    template: Ints
    subject: Ints
    filename: Sequence[str]
    medium: Sequence[str]
    box: Floats | None = None
    points: Floats | None = None
    score: Floats | None = None
    empty: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.template)

    def subjects(self, name: str) -> dict[int, int]:
        """Subject of each template, in order of appearance, those without images last.

        Args:
            name: of the list, for messages.

        Raises:
            DataError: a template has images of two subjects.
        """
        owners: dict[int, int] = {}
        several: set[int] = set()
        for template, subject in zip(self.template.tolist(), self.subject.tolist(), strict=True):
            if owners.setdefault(template, subject) != subject:
                several.add(template)
        if several:
            raise DataError(
                f"{name}: {len(several)} templates hold images of several subjects: {sorted(several)[:5]}. A template "
                "must show one person; the lists must be of one release."
            )
        for template, subject in self.empty:
            owners.setdefault(template, subject)
        return owners

    def only(self, kept: NDArray[np.bool_], templates: set[int]) -> Rows:
        """The rows marked in ``kept``, and of the empty templates those in ``templates``."""
        places = np.flatnonzero(kept).tolist()
        return Rows(
            self.template[kept],
            self.subject[kept],
            [self.filename[i] for i in places],
            [self.medium[i] for i in places],
            None if self.box is None else self.box[kept],
            None if self.points is None else self.points[kept],
            None if self.score is None else self.score[kept],
            tuple(pair for pair in self.empty if pair[0] in templates),
        )

    def of(self, templates: set[int]) -> Rows:
        """The rows of some templates."""
        return self.only(np.isin(self.template, np.array(sorted(templates), np.int64)), templates)


def joined(parts: Sequence[Rows]) -> Rows:
    """Concatenate lists of one release."""

    def concatenated(name: str) -> Any:
        arrays = [getattr(part, name) for part in parts]
        return None if any(array is None for array in arrays) else np.concatenate(arrays)

    return Rows(
        concatenated("template"),
        concatenated("subject"),
        [name for part in parts for name in part.filename],
        [name for part in parts for name in part.medium],
        concatenated("box"),
        concatenated("points"),
        concatenated("score"),
        tuple(pair for part in parts for pair in part.empty),
    )


@dataclass(frozen=True)
class Lists:
    """The lists of one release for one task.

    Attributes:
        release: of the lists.
        base: folder that file names are relative to.
        gallery: enrolled templates by gallery: ``G1``, ``G2``; for pairs all in ``enrolled``.
        probes: searched templates, or the second ones of pairs.
        matches: file with the pairs; None for a search.
        rows: number of rows of the list of all images (release C).
        notes: sentences for the user.
    """

    release: Letter
    base: Path
    gallery: dict[str, Rows]
    probes: Rows
    matches: Path | None = None
    rows: int | None = None
    notes: list[str] = field(default_factory=list)
