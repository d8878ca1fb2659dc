"""From frames that show an expression to a study: frontal faces or turned views, folds, notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.errors import DataError
from bench.interfaces import Progress
from bench.studies import ExpressionSet
from bench.types import Cut, Media
from protocols.expression.fer2013 import OFFICIAL, USAGES, Row, unpacked
from protocols.expression.folds import deal_folds
from protocols.expression.frontal_faces import FrontalFaces
from protocols.expression.shots import SEVEN, SIX, Listed, Shot
from protocols.views.recipe import SIDE, Recipe
from protocols.views.turned import TurnedFace, Turner, face_media, view_name

Views = Literal["frontal", "turned"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user asks of a source.

    Attributes:
        folds: into which people are dealt.
        classes: 7, or 6 without neutral faces.
        views: frontal LR faces, or those turned by the face engine.
        lr: side of LR faces, None for full size.
        seed: shuffles people before they are dealt; None deals them in the order of their ids.
        recipe: frame of the faces, and how turned ones are made.
    """

    folds: int = 10
    classes: int = 7
    views: Views = "frontal"
    lr: int | None = 16
    seed: int | None = None
    recipe: Recipe = Recipe()

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions, neutral last."""
        return SEVEN if self.classes == 7 else SIX


def study_of(listed: Listed, choice: Choice, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
    """Find the faces of shots, turn them where that is asked for, deal people into folds.

    People are dealt before faces are looked for, so folds do not depend on the face engine.

    Args:
        listed: the shots.
        choice: how.
        scratch: keeps where faces are, and turned views.
        progress: called with (photographs done, all).

    Raises:
        DataError: fewer people than folds, or no photograph shows a frontal face.
        MissingError: the face engine is not installed.
    """
    shots = [shot for shot in listed.shots if shot.expression in choice.labels]
    people = list(dict.fromkeys(shot.person for shot in shots))
    folds = deal_folds(people, choice.folds, seed=choice.seed)
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
        f"{len(people):,} people are dealt into {choice.folds} folds {order}; no official list of folds exists. "
        "The run's record says who is in which.",
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
        choice: classes and LR side count.
        scratch: keeps the unpacked faces.
        progress: called with (faces done, all).

    Raises:
        DataError: the table is damaged, or no face has one of the expressions.
    """
    folder, rows = unpacked(table, scratch, progress)
    used = [row for row in rows if row.expression in choice.labels]
    if not used:
        raise DataError(f"None of {len(rows):,} faces in {table} has one of the {choice.classes} expressions.")
    nameless = sum(row.expression is None for row in rows)
    counts = {usage: sum(row.usage == usage for row in rows) for usage in OFFICIAL}
    notes = [
        "Faces of FER2013 have no identity: each counts as one person, intervals are over faces, and one person may be "
        "in Training and PrivateTest.",
        "Faces are as the database has them: 48 x 48, grey, of any pose; the true face is the same picture.",
    ]
    if nameless:
        notes.append(f"{nameless:,} faces with an emotion code outside 0 to 6 are left out.")
    if counts != OFFICIAL:
        told = ", ".join(f"{counts[u]:,} of {n:,} {u}" for u, n in OFFICIAL.items() if counts[u] != n)
        notes.append(f"Not the official set: {told}.")
    pairs = [_fer_pair(folder, row, choice.lr) for row in used]
    return ExpressionSet(
        faces=tuple(face for face, _ in pairs),
        truths=tuple(truth for _, truth in pairs),
        labels=choice.labels,
        folds={row.name: USAGES.index(row.usage) for row in used},
        official=counts == OFFICIAL and not nameless,
        notes=tuple(notes),
    )


def _frontal(
    shots: Sequence[Shot], choice: Choice, scratch: Path, progress: Progress | None
) -> tuple[list[tuple[Media, Media]], tuple[str, ...]]:
    """Each face and its truth, cut from the same photograph; sentences about those without one."""
    finder = FrontalFaces(scratch, choice.recipe)
    cuts = finder.find([shot.photograph for shot in shots], progress)
    pairs = []
    for shot, cut in zip(shots, cuts, strict=True):
        if cut is not None:
            face = _media(shot, replace(cut, side=choice.lr or SIDE))
            pairs.append((face, _truth(face, shot.photograph.path, replace(cut, side=SIDE))))
    rejected = finder.rejected
    told = ", ".join(f"{count:,} {reason}" for reason, count in sorted(rejected.items()))
    return pairs, (f"{rejected.total():,} photographs do not serve as frontal faces: {told}.",) if rejected else ()


def _turned(
    shots: Sequence[Shot], choice: Choice, scratch: Path, progress: Progress | None
) -> tuple[list[tuple[Media, Media]], tuple[str, ...]]:
    """Each turned view and the frontal face that it was made from."""
    turner = Turner(scratch, choice.recipe)
    pairs = []
    for done, shot in enumerate(shots, 1):
        made = turner.turn(shot.photograph)
        if made is not None:
            pairs += [(face, _truth(face, made.truth, None)) for face in _views(shot, made, choice.lr)]
        if progress:
            progress(done, len(shots))
    return pairs, turner.note()


def _views(shot: Shot, made: TurnedFace, lr: int | None) -> Iterator[Media]:
    for view in made.views:
        key = f"{shot.key}@{view_name(view.yaw_deg)}"
        known: dict[str, str | float] = {"expression": shot.expression, "yaw_deg": view.yaw_deg}
        known["photograph"] = shot.key
        yield face_media(key, view.path, "probe", shot.person, view.five, lr=lr, attributes=known)


def _media(shot: Shot, cut: Cut) -> Media:
    known = {"expression": shot.expression, "photograph": shot.key}
    return Media(shot.key, shot.photograph.path, "probe", shot.person, shot.key, attributes=known, cut=cut)


def _truth(face: Media, path: Path, cut: Cut | None) -> Media:
    known = {"expression": face.attributes["expression"]}
    return Media(f"{face.key} true", path, "gallery", face.identity, face.template, attributes=known, cut=cut)


def _fer_pair(folder: Path, row: Row, lr: int | None) -> tuple[Media, Media]:
    known: dict[str, str | float] = {"expression": str(row.expression), "usage": row.usage}
    cut = Cut(side=lr) if lr else None
    face = Media(row.name, folder / row.name, "probe", row.name, row.name, attributes=known, cut=cut)
    return face, _truth(face, face.path, None)
