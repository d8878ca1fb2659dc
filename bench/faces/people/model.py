"""People drawn from a seed by a statistical face model, in any pose, expression and light."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.devices import cpu_threads, torch_threads
from bench.errors import DataError, MissingError
from bench.faces.landmarks.mediapipe import Landmarks
from bench.faces.landmarks.points import five_points, rotation
from bench.faces.people.look import ILLUMINATIONS, Expression, Look
from bench.faces.render.warp import remap, smooth_map
from bench.images import ByteImages

if TYPE_CHECKING:
    from bench.faces.render.pose import Portrait

SIDE = 128
"""Side of the model's texture and of its photographs, pixels."""
SCALE, CENTRE = SIDE / 200, (63.5, 62.0)
"""From the head's frame (pixels of a 200-pixel UTKFace crop) to a texture: x' = x * SCALE + CENTRE."""
MODEL = Path(__file__).parent / "people.safetensors"

_TENSORS = (
    "knots", "neutral", "shape_by_expression", "shape_basis", "texture_mean", "texture_basis", "texture_scale",
    "texture_by_expression", "group_means", "spread",
)  # fmt: skip
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
COLOUR, _STEP = 32, SIDE // 32  # colour is kept at a quarter of the resolution
_WEIGHT = 2.5  # square root of the RGB error of a chroma sample over that of a luma sample
_SMALL = 96
_SMOOTH = 40.0  # points are met to a quarter of a pixel; lips and lids do not fold
_FARTHEST = 2.2  # standard deviations: limit along each direction
_COEFFICIENTS: dict[Expression, dict[tuple[int, ...], float]] = {  # of MediaPipe's 52; left and right together
    "neutral": {},
    "anger": {(1, 2): 0.9, (19, 20): 0.5, (36, 37): 0.5, (30, 31): 0.4},
    "disgust": {(1, 2): 0.6, (19, 20): 0.7, (48, 49): 0.8, (34, 35): 0.3},
    "fear": {(3,): 0.9, (4, 5): 0.4, (21, 22): 0.8, (46, 47): 0.5, (25,): 0.25, (34, 35): 0.4},
    "happiness": {(44, 45): 1.0, (19, 20): 0.5, (48, 49): 0.4},
    "sadness": {(3,): 0.8, (30, 31): 0.5, (42,): 0.6, (11, 12): 0.3},
    "surprise": {(3,): 0.8, (4, 5): 0.9, (21, 22): 0.8, (25,): 0.6},
}


class People:
    """Draws looks; a painter of `protocols.sample`.

    Attributes:
        name: the painter's name, stored with every sample.
    """

    name = "people"

    def __init__(self, model: Path = MODEL) -> None:
        """Read the model.

        Raises:
            MissingError: the file is absent.
            DataError: it is damaged or not a face model.
        """
        self._model = _read(model)
        self._portrait = lru_cache(maxsize=64)(self._make_portrait)

    def __call__(self, looks: Sequence[Look]) -> list[ByteImages]:
        """Draw every look: RGB, uint8 (size, size, 3) each; equal looks give equal bytes."""
        with torch_threads(1), ThreadPoolExecutor(cpu_threads(0)) as pool:  # faster than threads inside one look
            return list(pool.map(self._draw, looks))

    def points(self, look: Look) -> NDArray[np.float64]:
        """The five points of a look, (5, 2), in pixels of its image."""
        portrait = self._portrait(look.identity, look.expression, look.strength, look.size)
        frontal, _ = self._shape(look.identity, look.expression, look.strength)
        half = np.array([0.5, 0.5, 0.0])  # from pixel centres to the image's edge, where scaling starts
        scale = portrait.size * portrait.oversample / SIDE
        points = (frontal.astype(np.float32) + half) * scale - half
        turned = (points - portrait.mesh.pivot) @ _turn(look).T + portrait.mesh.pivot
        five = five_points(turned.astype(np.float32))[:, :2].astype(np.float64)
        return (five + 0.5) / portrait.oversample - 0.5

    def photograph(self, identity: int, expression: Expression, strength: float) -> tuple[ByteImages, Landmarks]:
        """The frontal photograph of a person, RGB uint8 (128, 128, 3), and its landmarks."""
        model = self._model
        points, coefficients = self._shape(identity, expression, strength)
        weights = self._person(identity)[len(model["shape_basis"]) :] + coefficients @ model["texture_by_expression"]
        texture = from_luma_chroma(model["texture_mean"] + weights @ model["texture_basis"])
        where = smooth_map(points[:468, :2], model["knots"], SIDE, smooth=_SMOOTH)
        photo = np.rint(remap(texture.clip(0, 255), where, SIDE)).clip(0, 255).astype(np.uint8)
        landmarks = Landmarks(points.astype(np.float32), 0.0, 0.0, 0.0, coefficients.astype(np.float32), 1.0, 1)
        return photo, landmarks

    def _person(self, identity: int) -> NDArray[np.float64]:
        """Shape and texture components of a person."""
        model = self._model
        rng = np.random.default_rng((identity, 0x5EED))
        group = int(rng.integers(len(model["group_means"])))
        away = np.clip(rng.normal(size=len(model["spread"])), -_FARTHEST, _FARTHEST)
        parts: NDArray[np.float64] = model["group_means"][group] + model["spread"] @ away
        return parts

    def _shape(
        self, identity: int, expression: Expression, strength: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The 478 points of the frontal photograph in its pixels, and the expression coefficients."""
        model = self._model
        coefficients = _coefficients(expression, strength)
        components = self._person(identity)[: len(model["shape_basis"])]
        shape = components @ model["shape_basis"] + coefficients @ model["shape_by_expression"]
        points = (model["neutral"] + shape.reshape(478, 3)) * SCALE
        points[:, :2] += CENTRE
        return points, coefficients

    def _draw(self, look: Look) -> ByteImages:
        from bench.faces.render.pose import render_poses

        portrait = self._portrait(look.identity, look.expression, look.strength, look.size)
        return _varied(render_poses([portrait], [_turn(look)], lights=[_lamp(look.illumination)])[0], look)

    def _make_portrait(self, identity: int, expression: Expression, strength: float, size: int) -> Portrait:
        from bench.faces.render.pose import prepare

        oversample = 1 if size <= _SMALL else 2  # small images are smoothed by downsampling
        return prepare(*self.photograph(identity, expression, strength), size, oversample=oversample)


def to_luma_chroma(texture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert RGB float32 (128, 128, 3), 0 to 255, to the row (18432,) that the model is learned in.

    Most of a row is luma (BT.601), since colour needs less resolution; a direction takes a third of the size of RGB.
    """
    luma = texture @ _LUMA
    chroma = (texture[..., ::2] - luma[..., None]).reshape(COLOUR, _STEP, COLOUR, _STEP, 2).mean((1, 3))
    return np.concatenate([luma.ravel(), (chroma * _WEIGHT).ravel()]).astype(np.float32)


def from_luma_chroma(row: NDArray[np.float64]) -> NDArray[np.float32]:
    """The texture of such a row, RGB float32 (128, 128, 3), not clipped."""
    import cv2

    luma = row[: SIDE**2].reshape(SIDE, SIDE, 1).astype(np.float32)
    chroma = (row[SIDE**2 :] / _WEIGHT).reshape(COLOUR, COLOUR, 2).astype(np.float32)
    red, blue = np.moveaxis(cv2.resize(chroma, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), 2, 0)
    green = -(_LUMA[0] * red + _LUMA[2] * blue) / _LUMA[1]
    texture: NDArray[np.float32] = luma + np.stack([red, green, blue], 2)
    return texture


def _read(path: Path) -> dict[str, NDArray[np.float64]]:
    from safetensors.numpy import load_file

    if not path.is_file():
        raise MissingError(
            f"The face model {path.name} does not exist. `python -m bench.faces.people.learn` makes one."
        )
    try:
        tensors = load_file(path)
    except Exception as error:  # noqa: BLE001  # safetensors raises a class of its own for damaged files
        raise DataError(f"The face model {path} is damaged ({error}).") from error
    absent = [name for name in _TENSORS if name not in tensors]
    if absent:
        raise DataError(f"{path} is not a face model: it lacks {', '.join(absent)}.")
    model: dict[str, NDArray[np.float64]] = {name: tensors[name].astype(np.float64) for name in _TENSORS}
    model["texture_basis"] = model["texture_basis"] * model.pop("texture_scale")[:, None]
    return model


def _coefficients(expression: Expression, strength: float) -> NDArray[np.float64]:
    values = np.zeros(52)
    for places, value in _COEFFICIENTS[expression].items():
        values[list(places)] = value * strength
    return values


def _rng(look: Look) -> np.random.Generator:
    return np.random.default_rng((look.identity, look.variation, 0xFACE))


def _turn(look: Look) -> NDArray[np.float64]:
    """The look's pose, changed by about a degree in every variation but the first."""
    yaw, pitch, roll = _rng(look).normal(0, 1.2, 3) if look.variation else (0.0, 0.0, 0.0)
    return rotation(look.yaw_deg + yaw, look.pitch_deg + pitch, look.roll_deg + roll)


def _lamp(illumination: int) -> tuple[float, float, float] | None:
    """Direction towards the lamp: 1..18 run from the left (-85 degrees) to the right, every second one higher."""
    if not 1 <= illumination <= ILLUMINATIONS - 2:
        return None
    azimuth = np.deg2rad(-85 + 170 * (illumination - 1) / (ILLUMINATIONS - 3))
    elevation = np.deg2rad(10 if illumination % 2 else 30)
    x, y, z = np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), -np.cos(azimuth) * np.cos(elevation)
    return float(x), float(y), float(z)


def _varied(view: ByteImages, look: Look) -> ByteImages:
    """Apply light, white balance and noise of one image."""
    values = view.astype(np.float64)
    if look.illumination == ILLUMINATIONS - 1:
        values *= 0.8  # the second image without flash, darker than the first
    if look.variation:
        rng = _rng(look)
        rng.normal(size=3)  # used by the pose
        values = values * rng.uniform(0.9, 1.1) * rng.uniform(0.97, 1.03, 3) + rng.normal(0, 2.0, values.shape)
    return np.rint(values).clip(0, 255).astype(np.uint8)
