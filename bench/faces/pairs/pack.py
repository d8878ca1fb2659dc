"""A folder of photographs packed in one file, which training reads with torch, NumPy, Pillow and OpenCV only.

The file is a NumPy archive without pickles: the concatenated JPEGs of frontal faces; their 478 landmarks; name, group
and part of each, with digests and embeddings behind the groups; and the number of rejected photographs by reason.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.landmarks.points import sixty_eight_points
from bench.faces.pairs.framing import MESH, SIDE, framed_face
from bench.faces.pairs.grouping import Grouping, PackGroups
from bench.faces.pairs.groups import Descriptions
from bench.faces.pairs.parts import EXCLUDED
from bench.images import ByteImages, open_image
from bench.io.atomic import explain_os_errors, open_replacing
from bench.io.image_formats import IMAGE_ENDINGS

__all__ = ["ENGINE", "PACK_VERSION", "SIDE", "Pack", "PackSummary", "pack", "photographs"]

PACK_VERSION = 5
_READ = (1, 2, 3, 4, 5)  # 1: no surroundings; 2: no 68 points of another landmarker; 3: no groups; 4: no yaw
FRONTAL_DEG = 15.0
"""Largest yaw of a photograph that is packed as a frontal one, degrees."""
ENGINE = "engine"
BY_NAME = "by file name"
"""The split of a pack without groups."""
_VALIDATION_EVERY = 8  # of the faces that a pack without groups leaves out, every eighth is for validation
_POINT_SCALE = 64  # landmarks are stored in 64ths of a pixel
_TRAIN_SHARE = 0.8


@dataclass(frozen=True)
class PackSummary:
    """Content of a pack.

    Attributes:
        train: faces to train on.
        test: all others.
        rejected: number of rejected photographs, by reason.
        size: bytes of the file.
        groups: the record of the groups; None for a split by file name.
    """

    train: int
    test: int
    rejected: dict[str, int]
    size: int
    groups: dict[str, Any] | None = None


def pack(
    files: Sequence[Path],
    out: Path,
    landmarker: Landmarker,
    *,
    person: Callable[[Path], str] = lambda path: path.name,
    quality: int = 90,
    most_yaw_deg: float = FRONTAL_DEG,
    margin: int | None = None,
    outline: tuple[str, Landmarker] | None = None,
    grouping: Grouping | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> PackSummary:
    """Pack the usable photographs of a folder.

    Args:
        files: photographs, square or not; the longer side becomes 128 pixels.
        out: the file to write, by convention ``.npz``. Written in one step.
        landmarker: finds the 478 points.
        person: names the person of a photograph, for a split without groups: by a hash of the name, 80 in 100 train.
        quality: of the JPEGs.
        most_yaw_deg: photographs with a larger yaw are rejected.
        margin: None uses photographs unchanged. A number aligns each, by its landmarks, to the frame of hallucinated
            faces (`bench.align.template`, ``utkface200``) at 128 pixels, with this many pixels of its surroundings on
            every side; for photographs that show more than a face.
        outline: name and landmarker of the 68 points of heatmaps; None derives them from the 478.
        grouping: how photographs are grouped and split; None splits by ``person``.
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
    faces, points, kept, test_people, yaws = [], [], [], [], []
    for place, path in enumerate(files):
        reason, framed = framed_face(path, landmarker, most_yaw_deg, margin, outline)
        advance(1)
        if framed is None:
            rejected[reason] += 1
            continue
        faces.append(_jpeg(framed.face, quality))
        points.append(np.rint(framed.points * _POINT_SCALE).astype(np.int16))
        kept.append(place)
        yaws.append(framed.landmarks.yaw_deg)
        test_people.append(_in_test(person(path)))
        if grouping is not None:
            grouping.describer.add(path.read_bytes(), framed.photograph, framed.landmarks)
    if not faces:
        raise DataError(f"None of {len(files)} photographs is usable: {dict(rejected)}")
    groups = None if grouping is None else grouping.result(kept)
    lengths = np.array([len(face) for face in faces], np.int64)
    test = np.array(test_people, bool) if groups is None else groups.part != "train"
    arrays: dict[str, NDArray[Any]] = {
        "version": np.array(PACK_VERSION),
        "margin": np.array(margin or 0),
        "jpeg": np.frombuffer(b"".join(faces), np.uint8),
        "offsets": np.concatenate([[0], lengths.cumsum()]),
        "points": _differences(np.stack(points)),
        "outline": np.array(outline[0] if outline else ENGINE),
        "names": np.array([files[place].name for place in kept]),
        "yaw_deg": np.array(yaws, np.float32),
        "most_yaw_deg": np.array(most_yaw_deg),
        "test": test,
        "rejected": np.array(json.dumps(dict(sorted(rejected.items())))),
    }
    _write(out, arrays | ({} if groups is None else groups.arrays()))
    record = None if groups is None else groups.record
    return PackSummary(int((~test).sum()), int(test.sum()), dict(rejected), out.stat().st_size, record)


class Pack:
    """A packed file, opened for reading.

    Attributes:
        names: file names of the photographs.
        test: bool (N,), True for the faces that are not trained on.
        part: str (N,): ``train``, ``validation``, ``tuning``, ``sealed`` or ``excluded``
            (`bench.faces.pairs.parts.PARTS`). A pack without groups has no sealed part: every eighth face left out is
            ``validation``, the others are ``tuning``.
        groups: groups, identity labels and what they were made of; None for a pack split by file name.
        rejected: number of rejected photographs, by reason.
        margin: pixels of surroundings on each side of the faces.
        yaw_deg: float32 (N,), turn of each head by the landmarks; NaN in packs of version 4 and before.
        most_yaw_deg: photographs with a larger yaw were rejected.
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
                self.most_yaw_deg = float(archive["most_yaw_deg"]) if version > 4 else FRONTAL_DEG
                self.names: tuple[str, ...] = tuple(str(name) for name in archive["names"])
                self.test: NDArray[np.bool_] = archive["test"].astype(bool)
                self.yaw_deg = self._read_yaw(archive if version > 4 else {})
                self.rejected: dict[str, int] = json.loads(str(archive["rejected"]))
                self.groups = PackGroups.from_arrays(archive) if "group" in archive.files else None
                self.part: NDArray[np.str_] = self._part_by_name() if self.groups is None else self.groups.part.copy()
        except DataError:
            raise
        except Exception as error:  # noqa: BLE001  # a damaged archive makes NumPy and zlib raise nearly anything
            raise DataError(f"{path} is not a pack of photographs ({type(error).__name__}: {error}).") from error

    def _read_yaw(self, archive: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        yaw = archive.get("yaw_deg", np.full(len(self.names), np.nan, np.float32))
        if yaw.shape != (len(self.names),):
            raise ValueError(f"{len(self.names)} names and yaws of shape {yaw.shape}")
        return yaw.astype(np.float32)

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
        points = (self._points[index, :MESH] / _POINT_SCALE).astype(np.float32)
        return face, Landmarks(points, 0.0, 0.0, 0.0, np.empty(0, np.float32), float("nan"), 1)

    def sixty_eight(self, index: int) -> NDArray[np.float32]:
        """The 68 points of iBUG 300-W by ``outline``: float32 (68, 2), in the pixels of `face`."""
        points = (self._points[index] / _POINT_SCALE).astype(np.float32)
        outline = points[MESH:] if len(points) > MESH else sixty_eight_points(points)
        return outline[:, :2] - np.float32(self.margin)

    def indices(self, *, test: bool) -> NDArray[np.int64]:
        """The faces trained on, or those left out that may be looked at: validation and tuning, never sealed ones."""
        return np.flatnonzero(np.isin(self.part, ("validation", "tuning") if test else ("train",)))

    def part_indices(self, part: str) -> NDArray[np.int64]:
        """The faces of one part."""
        return np.flatnonzero(self.part == part)

    def one_a_group(self, part: str) -> NDArray[np.int64]:
        """The first face of each group of a part: a gallery of these has no person twice, as far as groups tell.

        Of a pack without groups all faces of the part.
        """
        faces = self.part_indices(part)
        if self.groups is None:
            return faces
        return np.sort(faces[np.unique(self.groups.group[faces], return_index=True)[1]])

    def split(self) -> str:
        """How faces were split, in words, for weight headers and cards."""
        return BY_NAME if self.groups is None else f"by groups of {', '.join(self.groups.record['rules'])}"

    def described(self) -> Descriptions:
        """What the photographs are compared by.

        Raises:
            UsageError: the pack has no groups.
        """
        if self.groups is None:
            raise UsageError(
                "A pack without groups holds no digests, so its photographs cannot be compared with others. Pack again."
            )
        return self.groups.described

    def exclude(self, chosen: NDArray[np.bool_]) -> int:
        """Take faces out of train, validation and tuning, in memory; sealed ones stay sealed.

        Args:
            chosen: bool (N,).

        Returns:
            How many faces left ``train``.
        """
        left = int((chosen & (self.part == "train")).sum())
        self.part = np.where(chosen & (self.part != "sealed"), EXCLUDED, self.part)
        self.test = self.part != "train"
        return left

    def _part_by_name(self) -> NDArray[np.str_]:
        part = np.where(self.test, "tuning", "train").astype("<U10")
        part[np.flatnonzero(self.test)[::_VALIDATION_EVERY]] = "validation"
        return part


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
