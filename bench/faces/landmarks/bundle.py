"""The file face_landmarker.task, which comes with this suite: three networks and the canonical face mesh."""

from __future__ import annotations

import importlib.util
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, MissingError

FloatArray = NDArray[np.float32]
IndexArray = NDArray[np.int64]

DETECTOR = "face_detector.tflite"
LANDMARKS = "face_landmarks_detector.tflite"
BLENDSHAPES = "face_blendshapes.tflite"
GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"

BUNDLE = Path(__file__).parent / "face_landmarker.task"
"""MediaPipe's Face Landmarker; source, licence and digest are in ``face_landmarker.md`` beside it."""
_HOW_TO_GET = (
    "That of this suite is beside bench/faces/landmarks/bundle.py: install the suite again, or pass bundle=PATH."
)
_CANONICAL_FACE = Path(__file__).parent / "canonical_face.binarypb"  # MediaPipe's geometry metadata, Apache-2.0
_MOST_BYTES = 64 * 2**20  # the largest member of the real bundle has 2.6 MB
_VERTICES, _TRIANGLES = 468, 898


def engine_is_here() -> bool:
    """Whether the face engine can run: the bundle exists and ai-edge-litert is installed."""
    return BUNDLE.is_file() and importlib.util.find_spec("ai_edge_litert") is not None


@dataclass(frozen=True, slots=True)
class CanonicalMesh:
    """MediaPipe's mean face.

    Attributes:
        vertices: float32 (468, 3) in centimetres: x to the image's right, y down, z away from the camera.
        uv: float32 (468, 2) in [0, 1], origin at the top left of the unwrapped face.
        triangles: int64 (898, 3), a disc without holes: lids and lips are closed by triangles.
        weights: float32 (468,), of vertices in the rigid fit; zero for those that move with expression.
    """

    vertices: FloatArray
    uv: FloatArray
    triangles: IndexArray
    weights: FloatArray


def find_bundle(bundle: Path | None = None) -> Path:
    """Path of the bundle: the given one, else that of this suite.

    Raises:
        MissingError: there is none.
    """
    path = bundle or BUNDLE
    if not path.is_file():
        raise MissingError(f"The face engine finds no face_landmarker.task at {path}. {_HOW_TO_GET}")
    return path


def read_member(path: Path, name: str) -> bytes:
    """Bytes of one file of the bundle.

    Raises:
        DataError: the bundle is not a zip file, lacks the member, or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(name).file_size > _MOST_BYTES:
                raise DataError(f"{path}: {name} is implausibly large. {_HOW_TO_GET}")
            return archive.read(name)
    except KeyError:
        raise DataError(f"{path} holds no {name}, so it is not a face landmarker bundle. {_HOW_TO_GET}") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} is damaged ({error}). {_HOW_TO_GET}") from None


@lru_cache(maxsize=4)
def canonical_mesh(bundle: Path | None = None) -> CanonicalMesh:
    """The canonical mesh, in the axes of images.

    Args:
        bundle: the bundle that holds it; None uses a copy in this suite, so that drawing needs no bundle.

    Raises:
        MissingError: there is no such bundle.
        DataError: the bundle or its geometry is damaged.
    """
    path = find_bundle(bundle) if bundle else _CANONICAL_FACE
    try:
        mesh = _parse(read_member(path, GEOMETRY) if bundle else path.read_bytes())
    except (IndexError, ValueError, KeyError) as error:
        raise DataError(f"{path}: the geometry cannot be read ({error}). {_HOW_TO_GET}") from None
    return mesh


def _parse(data: bytes) -> CanonicalMesh:
    """Read a GeometryPipelineMetadata message: field 1 is the mesh, field 2 the weighted points of the fit."""
    values: list[FloatArray] = []
    indices: list[int] = []
    weights = np.zeros(_VERTICES, np.float32)
    for number, message in _fields(data):
        if number == 1 and isinstance(message, bytes):
            for inner, value in _fields(message):
                if inner == 3 and isinstance(value, bytes):
                    values.append(np.frombuffer(value, "<f4"))
                elif inner == 4:
                    indices += _packed(value) if isinstance(value, bytes) else [value]
        elif number == 2 and isinstance(message, bytes):
            point = dict(_fields(message))
            index, weight = point.get(1, 0), point[2]
            if not isinstance(index, int) or not isinstance(weight, bytes) or index >= _VERTICES:
                raise ValueError("a point of the fit is malformed")
            weights[index] = np.frombuffer(weight, "<f4")[0]
    numbers = np.concatenate(values) if values else np.zeros(0, np.float32)
    triangles = np.array(indices, np.int64)
    if len(numbers) != 5 * _VERTICES or len(triangles) != 3 * _TRIANGLES or triangles.max() >= _VERTICES:
        raise ValueError(f"{len(numbers)} numbers and {len(triangles)} indices")
    if not np.isfinite(numbers).all() or not weights.any():
        raise ValueError("values that are not finite, or no point of the fit")
    table = numbers.reshape(_VERTICES, 5)
    vertices = table[:, :3] * np.array([1, -1, -1], np.float32)  # theirs: y up, z towards the camera
    arrays = (vertices, table[:, 3:].copy(), triangles.reshape(-1, 3), weights)
    for array in arrays:
        array.setflags(write=False)
    return CanonicalMesh(*arrays)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protocol buffer: number, and an integer or bytes (32- and 64-bit values stay bytes)."""
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        key = _varint(stream)
        kind = key & 7
        if kind == 0:
            yield key >> 3, _varint(stream)
            continue
        length = {1: 8, 5: 4}.get(kind, -1)
        if kind == 2:
            length = _varint(stream)
        value = stream.read(length) if length >= 0 else b""
        if length < 0 or len(value) != length:
            raise ValueError("a field is truncated or of an unknown type")
        yield key >> 3, value


def _varint(stream: io.BytesIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise ValueError("a number is truncated")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a number is too long")


def _packed(data: bytes) -> list[int]:
    stream = io.BytesIO(data)
    numbers = []
    while stream.tell() < len(data):
        numbers.append(_varint(stream))
    return numbers
