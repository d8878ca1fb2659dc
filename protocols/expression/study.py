"""Build the study from frames that show an expression: frontal faces or rendered views, folds, notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.errors import DataError
from bench.interfaces import Progress
from bench.studies import ExpressionSet
from bench.types import Cut, Media
from protocols.expression.fer2013 import OFFICIAL, USAGES, Row, check_split, unpacked
from protocols.expression.folds import check_folds, deal_folds
from protocols.expression.frontal_faces import FrontalFaces
from protocols.expression.shots import SEVEN, SIX, Listed, Shot
from protocols.views.recipe import SIDE, Recipe
from protocols.views.turned import TurnedFace, Turner, face_media, view_name

Views = Literal["frontal", "turned"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Arguments of the protocol that choose faces and folds.

    Attributes:
        folds: number of folds.
        classes: 7, or 6 without neutral faces.
        views: frontal LR faces, or views rendered by the face engine.
        lr: side of LR faces, None for full size.
        seed: shuffles people before they are assigned to folds; None keeps the order of their ids.
        recipe: frame of the faces, and how views are rendered.
        only_fold: the fold that is tested; None tests each.
    """

    folds: int = 10
    classes: int = 7
    views: Views = "frontal"
    lr: int | None = 16
    seed: int | None = None
    recipe: Recipe = Recipe()
    only_fold: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions, neutral last."""
        return SEVEN if self.classes == 7 else SIX

    def assign_folds(self, shots: Sequence[Shot]) -> dict[str, int]:
        """Fold of each person.

        Args:
            shots: those that show one of `labels`.

        Raises:
            DataError: fewer people than folds, or a tested fold without two expressions to learn from.
        """
        folds = deal_folds((shot.person for shot in shots), self.folds, seed=self.seed)
        tested = () if self.only_fold is None else (self.only_fold,)
        check_folds(((folds[shot.person], shot.expression) for shot in shots), tested=tested)
        return folds


def study_of(listed: Listed, choice: Choice, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
    """Detect the faces of shots, render views for ``views="turned"``, and assign people to folds.

    Folds are assigned before faces are detected, so they do not depend on the face engine.

    Args:
        listed: the shots.
        choice: of faces and folds.
        scratch: cache folder of face positions and rendered views.
        progress: called with (photographs done, all).

    Raises:
        DataError: see `Choice.assign_folds`; or no photograph shows a frontal face.
        MissingError: the face engine is not installed.
    """
    shots = [shot for shot in listed.shots if shot.expression in choice.labels]
    folds = choice.assign_folds(shots)
    pairs, rejected = (
        _turned(shots, choice, scratch, progress)
        if choice.views == "turned"
        else _frontal(shots, choice, scratch, progress)
    )
    if not pairs:
        raise DataError(f"None of {len(shots):,} photographs shows a frontal face. {' '.join(rejected)}")
    order = "in the order of their ids" if choice.seed is None else f"shuffled by seed {choice.seed}"
    notes = (
        *listed.notes,
        *rejected,
        f"{len(folds):,} people are assigned to {choice.folds} folds {order}; no official list of folds exists. "
        "The run's record lists them.",
    )
    return ExpressionSet(
        faces=tuple(face for face, _ in pairs),
        truths=tuple(truth for _, truth in pairs),
        labels=choice.labels,
        folds=folds,
        official=listed.official and not rejected,
        notes=notes,
    )


def fer_study(table: Path, choice: Choice, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
    """FER2013 by its own split: Training is fold 0, PublicTest 1, PrivateTest 2. Each face counts as one person.

    Args:
        table: ``fer2013.csv``.
        choice: its classes and LR side are used.
        scratch: cache folder of the unpacked faces.
        progress: called with (faces done, all).

    Raises:
        DataError: the table is damaged, no face has one of the expressions, or see `check_split`.
    """
    folder, rows = unpacked(table, scratch, progress)
    used = [row for row in rows if row.expression in choice.labels]
    if not used:
        raise DataError(f"None of {len(rows):,} faces in {table} has one of the {choice.classes} expressions.")
    check_split((row.usage, str(row.expression)) for row in used)
    unlabelled = sum(row.expression is None for row in rows)
    counts = {usage: sum(row.usage == usage for row in rows) for usage in OFFICIAL}
    notes = [
        "Faces of FER2013 have no identity: each counts as one person, intervals are over faces, and one person may be "
        "in Training and PrivateTest.",
        "Faces are used as stored: 48 x 48, grey, of any pose; the true face is the same image.",
    ]
    if unlabelled:
        notes.append(f"{unlabelled:,} faces with an emotion code outside 0 to 6 are left out.")
    if counts != OFFICIAL:
        differences = ", ".join(f"{counts[u]:,} of {n:,} {u}" for u, n in OFFICIAL.items() if counts[u] != n)
        notes.append(f"Not the official set: {differences}.")
    pairs = [_fer_pair(folder, row, choice.lr) for row in used]
    return ExpressionSet(
        faces=tuple(face for face, _ in pairs),
        truths=tuple(truth for _, truth in pairs),
        labels=choice.labels,
        folds={row.name: USAGES.index(row.usage) for row in used},
        official=counts == OFFICIAL and not unlabelled,
        notes=tuple(notes),
    )


def _frontal(
    shots: Sequence[Shot], choice: Choice, scratch: Path, progress: Progress | None
) -> tuple[list[tuple[Media, Media]], tuple[str, ...]]:
    """Each face and its truth, cropped from the same photograph; a note about photographs without one."""
    finder = FrontalFaces(scratch, choice.recipe)
    cuts = finder.find([shot.photograph for shot in shots], progress)
    pairs = []
    for shot, cut in zip(shots, cuts, strict=True):
        if cut is not None:
            face = _media(shot, replace(cut, side=choice.lr or SIDE))
            pairs.append((face, _truth(face, shot.photograph.path, replace(cut, side=SIDE))))
    rejected = finder.rejected
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(rejected.items()))
    notes = (f"{rejected.total():,} photographs show no usable frontal face: {reasons}.",) if rejected else ()
    return pairs, notes


def _turned(
    shots: Sequence[Shot], choice: Choice, scratch: Path, progress: Progress | None
) -> tuple[list[tuple[Media, Media]], tuple[str, ...]]:
    """Each rendered view and the frontal face it was rendered from."""
    turner = Turner(scratch, choice.recipe)
    pairs = []
    for done, shot in enumerate(shots, 1):
        turned = turner.turn(shot.photograph)
        if turned is not None:
            pairs += [(face, _truth(face, turned.truth, None)) for face in _views(shot, turned, choice.lr)]
        if progress:
            progress(done, len(shots))
    return pairs, turner.note()


def _views(shot: Shot, turned: TurnedFace, lr: int | None) -> Iterator[Media]:
    for view in turned.views:
        key = f"{shot.key}@{view_name(view.yaw_deg)}"
        attributes: dict[str, str | float] = {"expression": shot.expression, "yaw_deg": view.yaw_deg}
        attributes["photograph"] = shot.key
        yield face_media(key, view.path, "probe", shot.person, view.five, lr=lr, attributes=attributes)


def _media(shot: Shot, cut: Cut) -> Media:
    attributes = {"expression": shot.expression, "photograph": shot.key}
    return Media(shot.key, shot.photograph.path, "probe", shot.person, shot.key, attributes=attributes, cut=cut)


def _truth(face: Media, path: Path, cut: Cut | None) -> Media:
    attributes = {"expression": face.attributes["expression"]}
    return Media(f"{face.key} true", path, "gallery", face.identity, face.template, attributes=attributes, cut=cut)


def _fer_pair(folder: Path, row: Row, lr: int | None) -> tuple[Media, Media]:
    attributes: dict[str, str | float] = {"expression": str(row.expression), "usage": row.usage}
    cut = Cut(side=lr) if lr else None
    face = Media(row.name, folder / row.name, "probe", row.name, row.name, attributes=attributes, cut=cut)
    return face, _truth(face, face.path, None)
