"""Learns the statistical face model from photographs: ``python -m bench.faces.people.learn DIR --out FILE``.

Shape: the 478 landmarks in the head's frame. Texture: the photograph warped to the mean face, with hair line, ears,
    neck
and some background; its low-frequency left-right difference (light from one side) is removed. Ridge regression on the
52 expression coefficients, with age, sex and origin as covariates, separates expression from the residual of the
person. The model keeps principal components of the residual and a Gaussian of them around the mean of each group.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.errors import DataError
from bench.faces.landmarks.mediapipe import FaceLandmarker
from bench.faces.landmarks.points import head_rotation
from bench.faces.people.model import CENTRE, COLOUR, SCALE, SIDE, to_luma_chroma
from bench.faces.render.warp import pixel_grid, remap, spline
from bench.images import read_image

Array = NDArray[np.float64]

SHAPE_PARTS, TEXTURE_PARTS = 40, 380
_JAW_OPEN = 25
_MOUTH_AJAR = 0.25  # the mean face's mouth is slightly open, so that the texture includes its inside
_RIDGE_SHAPE, _RIDGE_TEXTURE = 20.0, 30.0
_MOST_FOR_PCA = 3000
_LEAST_IN_GROUP = 15
_OUTSIDE = 0.4  # weight of pixels outside the face, hair and neck included, for principal directions
_AGES = (3, 8, 13, 20, 30, 42, 55, 70)
_COARSE_AGES = (13, 30, 55)


@dataclass(frozen=True)
class Faces:
    """The usable photographs: N landmarks in the head's frame (N, 478, 3), coefficients (N, 52), textures, groups."""

    shapes: Array
    expressions: Array
    textures: NDArray[np.uint8]
    ages: NDArray[np.int64]
    kinds: NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> None:
    """Learn and write the model; prints rejected photographs by reason."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs named AGE_SEX_ORIGIN_*.jpg, as UTKFace names them")
    parser.add_argument("--out", type=Path, required=True, help="model file, .safetensors")
    arguments = parser.parse_args(argv)
    faces, frame = collect(sorted(arguments.folder.glob("*.jpg")))
    save_file(learn(faces, frame), arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 2**20:.1f} MiB from {len(faces.shapes)} photographs")


def collect(files: Sequence[Path]) -> tuple[Faces, dict[str, Array]]:
    """Detect faces, keep the usable ones, and align them.

    Raises:
        DataError: fewer than 500 photographs are usable.
    """
    landmarker = FaceLandmarker()
    rejected: Counter[str] = Counter()
    kept: list[tuple[Path, Array, NDArray[np.float32], int, int]] = []
    with progress.stage("find landmarks", len(files)) as advance:
        for path in files:
            advance(1)
            reason, entry = _look(path, landmarker)
            if entry is None:
                rejected[reason] += 1
            else:
                kept.append(entry)
    if len(kept) < 500:
        raise DataError(f"{len(kept)} of {len(files)} photographs are usable ({dict(rejected)}); a model needs 500")
    shapes = _aligned(np.stack([_in_head_frame(points, landmarker) for _, points, *_ in kept]))
    expressions = np.stack([entry[2] for entry in kept]).astype(np.float64)
    frame = _frame(shapes, expressions)
    to_photo = spline(frame["knots"], pixel_grid(SIDE))
    textures = np.empty((len(kept), SIDE, SIDE, 3), np.uint8)
    with progress.stage("bring textures to the mean face", len(kept)) as advance:
        for row, (path, points, *_) in enumerate(kept):
            textures[row] = np.rint(remap(read_image(path), to_photo @ points[:468, :2], SIDE)).clip(0, 255)
            advance(1)
    usable, why = _usable(textures)
    rejected.update(why)
    print(f"{int(usable.sum())} of {len(files)} photographs used; left out: {dict(rejected)}")
    ages, kinds = (np.array([entry[k] for entry in kept])[usable] for k in (3, 4))
    return Faces(shapes[usable], expressions[usable], textures[usable], ages, kinds), frame


def learn(faces: Faces, frame: dict[str, Array]) -> dict[str, NDArray[np.generic]]:
    """The model's tensors; see `bench.faces.people.model`."""
    pixels = _evenly_lit(faces.textures)
    mean = pixels.mean(0)
    pixels -= mean
    weight = _pixel_weights(frame["knots"])
    pixels *= weight
    directions = _principal(pixels, TEXTURE_PARTS)
    weights = (pixels @ directions.T).astype(np.float64)
    basis = directions / weight
    covariates = _covariates(faces)
    shape_by_expression, shape_rest = _regress(
        faces.expressions, covariates, (faces.shapes - frame["neutral"]).reshape(len(weights), -1), _RIDGE_SHAPE
    )
    texture_by_expression, texture_rest = _regress(faces.expressions, covariates, weights, _RIDGE_TEXTURE)
    shape_basis = _principal((shape_rest - shape_rest.mean(0)).astype(np.float32), SHAPE_PARTS).astype(np.float64)
    parts = np.hstack([(shape_rest - shape_rest.mean(0)) @ shape_basis.T, texture_rest])
    means, spread = _population(parts, faces)
    scale = np.abs(basis).max(1)
    return {
        "knots": frame["knots"].astype(np.float32),
        "neutral": (frame["neutral"] + shape_rest.mean(0).reshape(478, 3)).astype(np.float32),
        "shape_by_expression": shape_by_expression.astype(np.float16),
        "shape_basis": shape_basis.astype(np.float16),
        "texture_mean": mean.astype(np.float16),
        "texture_basis": np.rint(basis / scale[:, None] * 127).astype(np.int8),
        "texture_scale": (scale / 127).astype(np.float32),
        "texture_by_expression": texture_by_expression.astype(np.float32),
        "group_means": means.astype(np.float32),
        "spread": spread.astype(np.float16),
    }


def _look(
    path: Path, landmarker: FaceLandmarker
) -> tuple[str, tuple[Path, Array, NDArray[np.float32], int, int] | None]:
    """The reason why a photograph is rejected, or its entry."""
    try:
        landmarks = landmarker.find([read_image(path)])[0]
    except DataError as error:
        return str(error), None
    if landmarks is None:
        return "no face", None
    if landmarks.faces > 1:
        return "several faces", None
    if abs(landmarks.yaw_deg) >= 12 or abs(landmarks.pitch_deg) >= 18:
        return "not frontal", None
    age, kind = _labels(path.name)
    return "", (path, landmarks.points.astype(np.float64), landmarks.expression, age, kind)


def _labels(name: str) -> tuple[int, int]:
    """Age and group (5 * sex + origin) from a file name; group -1 where it is not given."""
    parts = name.split("_")
    age = int(parts[0]) if parts[0].isdigit() else 30
    labelled = len(parts) > 3 and parts[1] in ("0", "1") and parts[2] in ("0", "1", "2", "3", "4")
    return age, int(parts[1]) * 5 + int(parts[2]) if labelled else -1


def _in_head_frame(points: Array, landmarker: FaceLandmarker) -> Array:
    turned: Array = (points - points[:468].mean(0)) @ head_rotation(points.astype(np.float32), landmarker.mesh)
    return turned


def _aligned(shapes: Array) -> Array:
    """Remove scale and remaining rotation: generalised Procrustes over the 468 points of the face."""
    sizes = np.sqrt((shapes[:, :468] ** 2).sum((1, 2)) / 468)
    shapes = shapes / sizes[:, None, None] * sizes.mean()
    for _ in range(3):
        mean = shapes.mean(0)
        left, _, right = np.linalg.svd(shapes[:, :468].transpose(0, 2, 1) @ mean[:468])
        signs = np.ones((len(shapes), 3))
        signs[:, 2] = np.sign(np.linalg.det(left @ right))
        shapes = shapes @ ((left * signs[:, None]) @ right)
    return shapes


def _frame(shapes: Array, expressions: Array) -> dict[str, Array]:
    """The neutral mean face, and its points in textures: ``knots`` (468, 2)."""
    centred = expressions - expressions.mean(0)
    slopes = np.linalg.solve(
        centred.T @ centred + _RIDGE_SHAPE * np.eye(centred.shape[1]),
        centred.T @ (shapes - shapes.mean(0)).reshape(len(shapes), -1),
    )
    neutral = shapes.mean(0) - (expressions.mean(0) @ slopes).reshape(478, 3)
    ajar = neutral + _MOUTH_AJAR * slopes[_JAW_OPEN].reshape(478, 3)
    return {"neutral": neutral, "knots": ajar[:468, :2] * SCALE + CENTRE}


def _usable(textures: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Mask of colour photographs that are neither dark, overexposed nor blurred; rejected ones by reason."""
    colour = np.array([np.abs(t[..., 0].astype(np.int16) - t[..., 2]).mean() for t in textures])
    light = textures.mean((1, 2, 3))
    grey = [t.mean(2) for t in textures]
    detail = np.array([np.abs(np.diff(g, axis=0)).mean() + np.abs(np.diff(g, axis=1)).mean() for g in grey])
    faults = {
        "grey": colour <= 14,
        "dark or burnt": (light <= 60) | (light >= 190),
        "blurred": detail <= np.percentile(detail, 25),
    }
    usable = np.ones(len(textures), bool)
    why: Counter[str] = Counter()
    for name, fault in faults.items():
        why[name] = int((fault & usable).sum())
        usable &= ~fault
    return usable, why


def _evenly_lit(textures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Textures as rows of the model, without their low-frequency left-right difference in lightness."""
    import cv2

    rows = []
    for texture in textures.astype(np.float32):
        low = cv2.GaussianBlur(texture.mean(2), (0, 0), SIDE / 9)
        rows.append(to_luma_chroma(texture - ((low - low[:, ::-1]) / 2)[..., None]))
    return np.stack(rows)


def _pixel_weights(knots: Array) -> NDArray[np.float32]:
    """Weights of the numbers of a texture row, so that principal directions describe the face."""
    import cv2

    hull = np.full((SIDE, SIDE), _OUTSIDE, np.float32)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(knots).astype(np.int32)), 1.0)
    mask = np.asarray(cv2.GaussianBlur(hull, (0, 0), SIDE / 32), np.float32)
    coarse = np.asarray(cv2.resize(mask, (COLOUR, COLOUR), interpolation=cv2.INTER_AREA), np.float32)
    return np.concatenate([mask.ravel(), np.repeat(coarse.ravel(), 2)])


def _principal(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Unit principal directions (count, D) of centred rows, from at most `_MOST_FOR_PCA` of them."""
    rng = np.random.default_rng(0)
    some = rows[np.sort(rng.choice(len(rows), min(_MOST_FOR_PCA, len(rows)), replace=False))]
    if some.shape[1] < len(some):
        directions = np.linalg.eigh((some.T @ some).astype(np.float64))[1][:, ::-1][:, :count].T
        return np.asarray(directions, np.float32)
    values, vectors = np.linalg.eigh((some @ some.T).astype(np.float64))
    top = np.argsort(-values)[:count]
    directions = vectors[:, top].T.astype(np.float32) @ some
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True), np.float32)


def _covariates(faces: Faces) -> Array:
    """Indicator columns of group and age band, so that expressions do not absorb them."""
    kinds = np.eye(11)[faces.kinds]
    bands = np.eye(len(_AGES) + 1)[np.digitize(faces.ages, _AGES)]
    return np.hstack([kinds, bands])


def _regress(expressions: Array, covariates: Array, values: Array, ridge: float) -> tuple[Array, Array]:
    """Slopes on the expression coefficients, (52, D), given the covariates; and the values minus the explained part."""
    centred = np.hstack([expressions, covariates])
    means = centred.mean(0)
    centred = centred - means
    slopes = np.linalg.solve(
        centred.T @ centred + ridge * np.eye(centred.shape[1]), centred.T @ (values - values.mean(0))
    )[: expressions.shape[1]]
    return slopes, values - expressions @ slopes


def _population(parts: Array, faces: Faces) -> tuple[Array, Array]:
    """Means of the large groups, (G, D), and a square root (D, D) of the covariance within groups."""
    groups = faces.kinds * (len(_COARSE_AGES) + 1) + np.digitize(faces.ages, _COARSE_AGES)
    groups[faces.kinds < 0] = -1
    sizes = Counter(groups[groups >= 0].tolist())
    chosen = sorted(group for group, size in sizes.items() if size >= _LEAST_IN_GROUP) or [-1]
    means, rest = [], []
    for group in chosen:
        members = parts[groups == group] if group >= 0 else parts
        means.append(members.mean(0))
        rest.append(members - members.mean(0))
    within = np.concatenate(rest)
    covariance = within.T @ within / len(within)
    return np.stack(means), np.linalg.cholesky(
        covariance + 1e-6 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    )


if __name__ == "__main__":
    main()
