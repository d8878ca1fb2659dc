"""A sample of CelebA: drawn faces, aligned as in img_align_celeba, with the official annotation files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from bench.interfaces import ByteImages
from protocols.sample.files import jpeg, write_bytes, write_text
from protocols.sample.painter import Painter, Progress, face_box, five_points, painted, silent
from protocols.sample.photo import backdrop, stand, tone_of
from protocols.sample.summary import Sample, SampleSummary, demand, person

NAME, MINIMUM, DEFAULT = "celeba", 3, 40
WIDTH, HEIGHT = 178, 218
_PAINTED = 152
_MOST_IDENTITY = 10_177
_EYES, _MOUTH_Y = (88.5, 111.5), 153.0  # about where official faces are aligned: between the eyes, and their mouths
_POINTS = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
ATTRIBUTES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair "
    "Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male "
    "Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks "
    "Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
).split()
_MOVING = ("Smiling", "Mouth_Slightly_Open", "Blurry")
_OPEN = ("happiness", "surprise", "fear")


def write(root: Path, *, identities: int, seed: int, paint: Painter, progress: Progress | None = None) -> SampleSummary:
    """Write a sample of CelebA.

    Args:
        root: folder to fill.
        identities: people, split into train, validation and test about 8 : 1 : 1, at least one each; nobody is in two.
        seed: of people and pictures.
        paint: the painter.
        progress: shows the progress.

    Returns:
        Counts: 3 to 8 images an identity, numbered through train, validation and test, shuffled within each.

    Raises:
        UsageError: too few identities, or more than the database has.
    """
    demand(NAME, identities, MINIMUM, seed, maximum=_MOST_IDENTITY)
    rng = np.random.default_rng((seed, 2))
    ids = [int(number) for number in rng.permutation(_MOST_IDENTITY)[:identities] + 1]
    held = max(1, round(identities / 10))
    people = (ids[2 * held :], ids[:held], ids[held : 2 * held])
    owners: list[tuple[int, int]] = []  # of each image: identity and part, in file order
    for part, members in enumerate(people):
        images = np.repeat(members, rng.integers(3, 9, len(members)))
        owners += [(int(identity), part) for identity in rng.permutation(images)]
    looks = [_look(seed, identity, number, rng) for number, (identity, _) in enumerate(owners)]
    names = [f"{number:06d}.jpg" for number in range(1, len(owners) + 1)]
    points: list[NDArray[np.int64]] = []
    with (progress or silent)("draw the CelebA sample", len(looks)) as advance:
        for name, look, image in zip(names, looks, painted(looks, paint, advance), strict=True):
            aligned, aligned_points = _align(image, five_points(paint, look), rng)
            points.append(aligned_points)
            write_bytes(root / "Img" / "img_align_celeba" / name, jpeg(aligned, 92))
    _annotate(root, names, owners, looks, points, rng)
    parts = dict(zip(("train", "validation", "test"), _parts(owners), strict=True))
    return SampleSummary(database=NAME, identities=identities, seed=seed, images=len(names), counts=parts, options={})


def _parts(owners: list[tuple[int, int]]) -> list[int]:
    return [sum(part == wanted for _, part in owners) for wanted in range(3)]


def _look(seed: int, identity: int, number: int, rng: np.random.Generator) -> Look:
    expression = EXPRESSIONS[int(rng.choice(len(EXPRESSIONS), p=(0.45, 0.03, 0.02, 0.03, 0.4, 0.02, 0.05)))]
    return Look(
        identity=person(seed, identity),
        variation=number,
        yaw_deg=float(np.clip(rng.normal(0, 14), -40, 40)),
        pitch_deg=float(np.clip(rng.normal(0, 5), -15, 15)),
        expression=expression,
        strength=float(rng.uniform(0.4, 1.0)),
        illumination=int(rng.integers(0, ILLUMINATIONS)),
        size=_PAINTED,
    )


def _align(
    image: ByteImages, points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[ByteImages, NDArray[np.int64]]:
    """Scale and shift a square image so that eyes and mouth are at the official heights, and its points with it."""
    from PIL import Image

    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    scale = float(np.clip((_MOUTH_Y - _EYES[1]) / max(mouth[1] - eyes[1], 1.0), 0.5, 2.0))
    side = round(image.shape[0] * scale)
    scale = side / image.shape[0]
    left, top = round(_EYES[0] - eyes[0] * scale), round(_EYES[1] - eyes[1] * scale)
    scene = backdrop(rng, HEIGHT, WIDTH, tone_of(image))
    stand(scene, np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)), left, top)
    moved = np.rint(points * scale + (left, top)).astype(np.int64)
    return scene, np.clip(moved, 0, (WIDTH - 1, HEIGHT - 1))


def _annotate(
    root: Path,
    names: list[str],
    owners: list[tuple[int, int]],
    looks: list[Look],
    points: list[NDArray[np.int64]],
    rng: np.random.Generator,
) -> None:
    """Write the six lists of Anno and the one of Eval."""
    anno = root / "Anno"
    ids = [identity for identity, _ in owners]
    pairs = zip(names, owners, strict=True)
    write_text(root / "Eval" / "list_eval_partition.txt", "".join(f"{name} {part}\n" for name, (_, part) in pairs))
    write_text(anno / "identity_CelebA.txt", "".join(f"{n} {i}\n" for n, i in zip(names, ids, strict=True)))
    origins = rng.integers(0, 400, (len(names), 2))  # of the aligned image in its (absent) original
    wild, boxes = [], []
    for aligned, origin in zip(points, origins, strict=True):
        wild.append(aligned + origin)
        left, top, right, bottom = face_box((aligned + origin).astype(np.float64))
        boxes.append(np.array([max(0, round(left)), max(0, round(top)), round(right - left), round(bottom - top)]))
    traits = {i: np.where(rng.random(len(ATTRIBUTES)) < 0.3, 1, -1) for i in sorted(set(ids))}
    attributes = []
    for identity, look in zip(ids, looks, strict=True):
        row = traits[identity].copy()
        now = (look.expression == "happiness", look.expression in _OPEN, False)
        for name, shown in zip(_MOVING, now, strict=True):
            row[ATTRIBUTES.index(name)] = 1 if shown else -1
        attributes.append(row)
    _write_list(anno / "list_landmarks_align_celeba.txt", _POINTS, names, [p.ravel() for p in points], 4)
    _write_list(anno / "list_landmarks_celeba.txt", _POINTS, names, [p.ravel() for p in wild], 4)
    _write_list(anno / "list_bbox_celeba.txt", "image_id x_1 y_1 width height", names, boxes, 5)
    _write_list(anno / "list_attr_celeba.txt", " ".join(ATTRIBUTES), names, attributes, 2)


def _write_list(path: Path, header: str, names: list[str], rows: list[NDArray[np.int64]], width: int) -> None:
    """Write the number of rows, the names of the columns, then one row an image, padded with spaces."""
    body = "".join(
        f"{name} " + " ".join(f"{v:>{width}d}" for v in row) + "\n" for name, row in zip(names, rows, strict=True)
    )
    write_text(path, f"{len(names)}\n{header}\n{body}")


SAMPLE = Sample(NAME, write, MINIMUM, DEFAULT)
