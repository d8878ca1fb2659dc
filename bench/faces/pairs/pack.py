"""A folder of photographs packed in one file, which training reads with torch, NumPy, Pillow and OpenCV only.

The file is a NumPy archive without pickles: the concatenated JPEGs of frontal faces; their 478 landmarks; name and
split of each; and, as text, the number of rejected photographs by reason.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.align.template import FRAMES, TRUTH_FRAME
from bench.errors import DataError, UsageError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks, why_unusable
from bench.faces.landmarks.points import five_points, sixty_eight_points
from bench.images import ByteImages, open_image, read_image, resize
from bench.io.atomic import explain_os_errors, open_replacing
from bench.io.image_formats import IMAGE_ENDINGS
from bench.media.similarity import fit_similarity, warp_bicubic

PACK_VERSION = 3
_READ = (1, 2, 3)  # 1 has no surroundings, 2 no 68 points of another landmarker
ENGINE = "engine"
SIDE = 128
_MESH = 478
_POINT_SCALE = 64  # landmarks are stored in 64ths of a pixel
_TRAIN_SHARE = 0.8


@dataclass(frozen=True)
class PackSummary:
    """Content of a pack: faces by split, rejections by reason, bytes."""

    train: int
    test: int
    rejected: dict[str, int]
    size: int


def pack(
    files: Sequence[Path],
    out: Path,
    landmarker: Landmarker,
    *,
    person: Callable[[Path], str] = lambda path: path.name,
    quality: int = 90,
    most_yaw_deg: float = 15.0,
    margin: int | None = None,
    outline: tuple[str, Landmarker] | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> PackSummary:
    """Pack the usable photographs of a folder.

    Args:
        files: photographs, square or not; the longer side becomes 128 pixels.
        out: the file to write, by convention ``.npz``. Written in one step.
        landmarker: finds the 478 points.
        person: returns the person of a photograph; all photographs of a person are in one split.
        quality: of the JPEGs.
        most_yaw_deg: photographs with a larger yaw are rejected.
        margin: None uses photographs unchanged. A number aligns each, by its landmarks, to the frame of hallucinated
            faces (`bench.align.template`, ``utkface200``) at 128 pixels, with this many pixels of its surroundings on
            every side; for photographs that show more than a face.
        outline: name and landmarker of the 68 points of heatmaps; None derives them from the 478.
        advance: called with 1 after each photograph.

    Returns:
        Counts of packed and rejected photographs.

    Raises:
        DataError: no photograph is usable.
        UsageError: a margin below 0 or above 128.
        BenchError: the file cannot be written; no partial file remains.
    """
    if margin is not None and not 0 <= margin <= SIDE:
        raise UsageError(f"A margin is 0 to {SIDE} pixels, not {margin}")
    rejected: Counter[str] = Counter()
    faces, points, names, splits = [], [], [], []
    for path in files:
        reason, entry = _face(path, landmarker, most_yaw_deg, margin, outline)
        advance(1)
        if entry is None:
            rejected[reason] += 1
            continue
        image, face_points = entry
        faces.append(_jpeg(image, quality))
        points.append(np.rint(face_points * _POINT_SCALE).astype(np.int16))
        names.append(path.name)
        splits.append(_in_test(person(path)))
    if not faces:
        raise DataError(f"None of {len(files)} photographs is usable: {dict(rejected)}")
    lengths = np.array([len(face) for face in faces], np.int64)
    test = np.array(splits, bool)
    arrays: dict[str, NDArray[Any]] = {
        "version": np.array(PACK_VERSION),
        "margin": np.array(margin or 0),
        "jpeg": np.frombuffer(b"".join(faces), np.uint8),
        "offsets": np.concatenate([[0], lengths.cumsum()]),
        "points": _differences(np.stack(points)),
        "outline": np.array(outline[0] if outline else ENGINE),
        "names": np.array(names),
        "test": test,
        "rejected": np.array(json.dumps(dict(sorted(rejected.items())))),
    }
    _write(out, arrays)
    return PackSummary(int((~test).sum()), int(test.sum()), dict(rejected), out.stat().st_size)


class Pack:
    """A packed file, opened for reading.

    Attributes:
        names: file names of the photographs.
        test: bool (N,), True for the people left out of training.
        rejected: number of rejected photographs, by reason.
        margin: pixels of surroundings on each side of the faces.
        outline: name of the landmarker of the 68 points; ``engine`` derives them from the 478.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            DataError: it is absent, damaged, not a pack, or of another version.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                version = int(archive["version"])
                if version not in _READ:
                    raise DataError(f"{path} is a pack of version {version}; this bench reads {_READ}. Pack again.")
                self.margin = int(archive["margin"]) if version > 1 else 0
                self._jpeg, self._offsets = archive["jpeg"], archive["offsets"]
                self._points = _restored(archive["points"])
                self.outline = str(archive["outline"]) if version > 2 else ENGINE
                self.names: tuple[str, ...] = tuple(str(name) for name in archive["names"])
                self.test: NDArray[np.bool_] = archive["test"].astype(bool)
                self.rejected: dict[str, int] = json.loads(str(archive["rejected"]))
        except DataError:
            raise
        except Exception as error:  # noqa: BLE001  # a damaged archive makes NumPy and zlib raise nearly anything
            raise DataError(f"{path} is not a pack of photographs ({type(error).__name__}: {error}).") from error

    def __len__(self) -> int:
        return len(self.names)

    def face(self, index: int) -> tuple[ByteImages, Landmarks]:
        """One frontal face, RGB uint8 (128, 128, 3), and its 478 landmarks in its pixels."""
        image, landmarks = self.with_surroundings(index)
        inside = slice(self.margin, self.margin + SIDE)
        return image[inside, inside], replace(
            landmarks, points=landmarks.points - np.array([self.margin, self.margin, 0], np.float32)
        )

    def with_surroundings(self, index: int) -> tuple[ByteImages, Landmarks]:
        """The face with its surroundings, RGB uint8 (s, s, 3), s = 128 + 2 * ``margin``; and its landmarks."""
        data = self._jpeg[self._offsets[index] : self._offsets[index + 1]].tobytes()
        with open_image(data) as image:
            face = np.array(image.convert("RGB"))
        points = (self._points[index, :_MESH] / _POINT_SCALE).astype(np.float32)
        return face, Landmarks(points, 0.0, 0.0, 0.0, np.empty(0, np.float32), float("nan"), 1)

    def sixty_eight(self, index: int) -> NDArray[np.float32]:
        """The 68 points of iBUG 300-W by ``outline``: float32 (68, 2), in the pixels of `face`."""
        points = (self._points[index] / _POINT_SCALE).astype(np.float32)
        outline = points[_MESH:] if len(points) > _MESH else sixty_eight_points(points)
        return outline[:, :2] - np.float32(self.margin)

    def indices(self, *, test: bool) -> NDArray[np.int64]:
        """Indices of the faces of one split."""
        return np.flatnonzero(self.test == test)


def _face(
    path: Path,
    landmarker: Landmarker,
    most_yaw_deg: float,
    margin: int | None,
    outline: tuple[str, Landmarker] | None,
) -> tuple[str, tuple[ByteImages, NDArray[np.float32]] | None]:
    """The reason why a photograph is rejected, or its square face and points."""
    try:
        image = read_image(path)
    except DataError as error:
        return str(error), None
    landmarks = landmarker.find([image])[0]
    reason = why_unusable(landmarks, *image.shape[:2], most_yaw_deg=most_yaw_deg)
    if landmarks is None or reason:
        return reason or "no face", None
    points = landmarks.points
    if outline is not None:
        other = outline[1].find([image])[0]
        if other is None:
            return f"no 68 points by {outline[0]}", None
        points = np.concatenate([points, np.nan_to_num(other.points)])  # their depth is not known
    if margin is not None:
        return "", _align_to_frame(image, points, margin)
    height, width = image.shape[:2]
    longer = max(height, width)
    top, left = (longer - height) // 2, (longer - width) // 2
    square = np.pad(image, ((top, longer - height - top), (left, longer - width - left), (0, 0)), mode="edge")
    scale = SIDE / longer
    points = points.astype(np.float64) + np.array([left + 0.5, top + 0.5, 0.0])
    points = points * scale - np.array([0.5, 0.5, 0.0])
    return "", (resize(square, SIDE, SIDE), points.astype(np.float32))


def _align_to_frame(
    image: ByteImages, landmarks: NDArray[np.float32], margin: int
) -> tuple[ByteImages, NDArray[np.float32]]:
    """Align a photograph and its points to the frame of hallucinated faces; mirrored beyond its border."""
    side = SIDE + 2 * margin
    target = np.array(FRAMES[TRUTH_FRAME]) * SIDE - 0.5 + margin
    five = five_points(landmarks[:_MESH])[:, :2].astype(np.float64)
    matrix = fit_similarity(tuple(map(tuple, five)), tuple(map(tuple, target)))
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 1:  # antialiased: shrunk to the frame's size first
        height, width = (max(2, round(length * scale)) for length in image.shape[:2])
        grow = np.array([image.shape[1] / width, image.shape[0] / height])
        step = np.array([[grow[0], 0, grow[0] / 2 - 0.5], [0, grow[1], grow[1] / 2 - 0.5], [0, 0, 1]])
        image, from_small = resize(image, height, width), matrix @ step
    else:
        from_small = matrix
    moved = warp_bicubic(image, from_small, side)
    points = landmarks.astype(np.float64)
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] *= scale
    return moved, points.astype(np.float32)


def _in_test(person: str) -> bool:
    """Whether a person is in the test split, by a hash of the name, so that all packs agree."""
    digest = hashlib.sha256(person.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 >= _TRAIN_SHARE


def _jpeg(image: ByteImages, quality: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)
    return buffer.getvalue()


def _differences(points: NDArray[np.int16]) -> NDArray[np.int16]:
    """Points minus those of the first face: small numbers, which compress well."""
    wide = points.astype(np.int32)
    wide[1:] -= wide[:1]
    return wide.astype(np.int16)


def _restored(points: NDArray[np.int16]) -> NDArray[np.int32]:
    wide = points.astype(np.int32)
    wide[1:] += wide[:1]
    return wide


def _write(out: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with explain_os_errors(f"Cannot write {out}", "Nothing was left there."), open_replacing(out) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def photographs(folder: Path) -> list[Path]:
    """The image files of a folder and its subfolders, sorted.

    Raises:
        DataError: the folder is absent or holds none.
    """
    paths: Iterable[Path] = folder.rglob("*") if folder.is_dir() else ()
    files = sorted(path for path in paths if path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith("."))
    if not files:
        raise DataError(f"{folder} holds no photographs ({', '.join(IMAGE_ENDINGS)}).")
    return files
