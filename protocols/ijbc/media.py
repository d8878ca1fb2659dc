"""Media from rows of IJB-C's lists: crop, LR side, template and medium of each face."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.align.templates import ARCFACE_112
from bench.types import Cut, Media, Points, Role
from protocols.ijbc.files import Files
from protocols.ijbc.rows import Floats, Rows

NO_IMAGE = "listed without an image"


@dataclass(frozen=True)
class Framing:
    """How faces are cropped.

    Attributes:
        margin: border around the square of the face, on each side, as a share of the square's side.
        whole: use the loose crops of release C unchanged.
        side: of the LR face, pixels; None keeps the size.
    """

    margin: float = 0.0
    whole: bool = False
    side: int | None = None


def media_of(
    rows: Rows, role: Role, files: Files, framing: Framing, *, scored: bool = False, names: dict[int, str] | None = None
) -> tuple[Media, ...]:
    """List the media of rows, in their order; a template without an image gets one that cannot be read.

    Args:
        rows: the rows.
        role: what they are compared as.
        files: resolves file names; absent files are recorded there and stay in the list.
        framing: how faces are cropped.
        scored: whether to store the detector's score in the attributes.
        names: person by template, where subjects are not known.

    Returns:
        Media; the key is role, template and file, with a number from the second occurrence of a file in a template.
    """
    people = names or {template: str(subject) for template, subject in rows.subjects("templates").items()}
    boxes, landmarks = framed(rows, framing)
    of_template = _template_attributes(rows)
    seen: Counter[str] = Counter()
    media = []
    for i, template in enumerate(rows.template.tolist()):
        file = rows.filename[i]
        key = f"{role}/{template}/{file}"
        seen[key] += 1
        if seen[key] > 1:
            key = f"{key}#{seen[key]}"
        box = boxes[i] if boxes else None
        attributes = of_template[template]
        if scored and rows.score is not None:
            attributes = {**attributes, "score": float(rows.score[i])}
        media.append(
            Media(
                key,
                files.find(file),
                role,
                people[template],
                str(template),
                landmarks[i] if landmarks else None,
                attributes,
                Cut(box=box, side=framing.side) if box is not None or framing.side is not None else None,
                rows.medium[i],
            )
        )
    for template, _ in rows.empty:  # becomes a counted failure
        place = files.base / f"template {template} {NO_IMAGE}"
        media.append(Media(f"{role}/{template}/{NO_IMAGE}", place, role, people[template], str(template)))
    return tuple(media)


def repeated(rows: Rows) -> int:
    """Number of rows that repeat a file of their template."""
    counts = Counter(zip(rows.template.tolist(), rows.filename, strict=True))
    return sum(count - 1 for count in counts.values())


def _template_attributes(rows: Rows) -> dict[int, dict[str, str | float]]:
    """Number of images and media of each template."""
    images = Counter(rows.template.tolist())
    media = Counter(template for template, _ in set(zip(rows.template.tolist(), rows.medium, strict=True)))
    return {t: {"images": float(count), "media": float(media[t])} for t, count in images.items()}


Box = tuple[float, float, float, float]


def framed(rows: Rows, framing: Framing) -> tuple[list[Box] | None, list[Points | None] | None]:
    """Boxes of all rows (NaN where a row has no box with a size), and landmarks in pixels of the crops.

    Either is None where rows are not cropped, or have no landmarks.
    """
    if rows.box is not None:
        from bench.media.crop import square_around

        sized = np.where(_without_size(rows.box)[:, None], np.nan, rows.box)
        squares = np.array([square_around((x, y, w, h), framing.margin) for x, y, w, h in sized.tolist()])
        return _as_boxes(np.rint(squares.reshape(-1, 4))), None
    if rows.points is None:
        return None, None
    points = rows.points.reshape(-1, 5, 2)
    if framing.whole:
        return None, _as_points(points)
    squares = np.rint(squares_of(points, framing.margin))
    inside = points - squares[:, None, :2]
    if framing.side is not None:
        inside = (inside + 0.5) * (framing.side / np.maximum(squares[:, None, 2:], 1)) - 0.5
    return _as_boxes(squares), _as_points(inside)


def squares_of(points: NDArray[np.float64], margin: float) -> Floats:
    """The upright square in which a face has the same relative size as in the 112 x 112 chip of ArcFace.

    Its size follows the larger of two ratios to the chip: the distance of the eyes, which shrinks with yaw, and the
    distance from eyes to mouth, which shrinks with pitch.

    Args:
        points: eyes, nose, mouth corners, float64 (N, 5, 2), pixels from the first pixel's centre; NaN gives NaN.
        margin: added on each side, as a share of the side.

    Returns:
        Left, top, width, height between pixel edges, float64 (N, 4).
    """
    chip = np.array([ARCFACE_112.points])
    eyes, mouth, model_eyes, model_mouth = (
        p[:, pair].mean(axis=1) for p in (points, chip) for pair in ([0, 1], [3, 4])
    )
    apart, model_apart = (np.linalg.norm(p[:, 1] - p[:, 0], axis=1) for p in (points, chip))
    down = mouth - eyes
    scale = np.maximum(
        apart / model_apart, np.linalg.norm(down, axis=1) / np.linalg.norm(model_mouth - model_eyes, axis=1)
    )
    # the centre of the chip is on the line from mouth to eyes, slightly above their middle
    rise = float(((model_eyes + model_mouth) / 2)[0, 1] - (ARCFACE_112.height - 1) / 2)
    length = np.linalg.norm(down, axis=1, keepdims=True)
    upward = np.where(length > 0, -down / np.where(length > 0, length, 1), np.array([0.0, -1.0]))
    middle = (eyes + mouth) / 2 + upward * rise * scale[:, None] + 0.5
    side = ARCFACE_112.height * scale * (1 + 2 * margin)
    return np.column_stack([middle - side[:, None] / 2, side, side])


def _as_boxes(squares: Floats) -> list[Box]:
    """Rows as tuples. Squares are whole pixels, so that crops stay square and landmarks stay in place."""
    return [(x, y, w, h) for x, y, w, h in squares.tolist()]


def _as_points(points: NDArray[np.float64]) -> list[Points | None]:
    finite = np.isfinite(points.reshape(-1, 10).sum(axis=1)).tolist()
    faces = zip(points.tolist(), finite, strict=True)
    return [tuple((x, y) for x, y in face) if good else None for face, good in faces]


def unusable(rows: Rows, framing: Framing) -> int:
    """Number of rows whose face cannot be cropped: the box is missing or empty, or points are missing."""
    if rows.box is None:
        return 0 if rows.points is None or framing.whole else int((~np.isfinite(rows.points).all(axis=1)).sum())
    return int(_without_size(rows.box).sum())


def _without_size(box: Floats) -> NDArray[np.bool_]:
    """Rows whose box is not finite or smaller than a pixel, bool (N,)."""
    empty: NDArray[np.bool_] = np.logical_not(np.isfinite(box).all(axis=1) & (box[:, 2:] >= 1).all(axis=1))
    return empty
