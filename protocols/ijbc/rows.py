"""What the lists of IJB-C say, whatever their release: one row an image of a template."""

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
    """Images of templates, N rows in the order of their list; rows of a template need not follow each other.

    Attributes:
        template: number of the template, int64 (N,).
        subject: the person, int64 (N,); -1 where nobody says who it is.
        filename: below the folder of images.
        medium: what the image was taken from; one text for all frames of a video.
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
            DataError: a template shows two subjects.
        """
        found: dict[int, int] = {}
        several: set[int] = set()
        for template, subject in zip(self.template.tolist(), self.subject.tolist(), strict=True):
            if found.setdefault(template, subject) != subject:
                several.add(template)
        if several:
            raise DataError(
                f"{name}: {len(several)} templates hold images of several subjects: {sorted(several)[:5]}. A template "
                "shows one person; are the lists of one release?"
            )
        for template, subject in self.empty:
            found.setdefault(template, subject)
        return found

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
    """Several lists of one release as one."""

    def put(name: str) -> Any:
        arrays = [getattr(part, name) for part in parts]
        return None if any(array is None for array in arrays) else np.concatenate(arrays)

    return Rows(
        put("template"),
        put("subject"),
        [name for part in parts for name in part.filename],
        [name for part in parts for name in part.medium],
        put("box"),
        put("points"),
        put("score"),
        tuple(pair for part in parts for pair in part.empty),
    )


@dataclass(frozen=True)
class Lists:
    """The lists of one release for one task.

    Attributes:
        release: which.
        base: folder that file names start from.
        gallery: enrolled templates by gallery: ``G1``, ``G2``; for pairs all in ``enrolled``.
        probes: searched templates, or the second ones of pairs.
        matches: file with the pairs; None for a search.
        rows: rows of the list of all images, where there is one (release C).
        notes: sentences for the user.
    """

    release: Letter
    base: Path
    gallery: dict[str, Rows]
    probes: Rows
    matches: Path | None = None
    rows: int | None = None
    notes: list[str] = field(default_factory=list)
