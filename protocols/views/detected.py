"""Faces detected in photographs, cached by the bytes of each photograph, and the crops around them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from bench.align.templates import ARCFACE_112
from bench.digests.closure import closure_digest
from bench.errors import DataError, UsageError
from bench.images import ByteImages, decode
from bench.interfaces import Progress
from bench.io.file_digests import digest_of
from bench.io.filekinds import read_plain
from bench.media.crop import cut_to_template
from bench.media.similarity import resized_points
from bench.types import Cut, FaceTemplate, Points

if TYPE_CHECKING:
    from bench.align.mtcnn import Mtcnn
    from bench.align.yunet import YuNet

Crop = Literal["recogniser", "frame"]
Detector = Literal["mtcnn", "yunet"]
Finder = Callable[[ByteImages], Points | None]

SMALLEST, LARGEST = 8, 128
_FRAME = 128
# the frame hallucinators are trained in: mean points of UTKFace's aligned crops (frame utkface200 of bench.align)
_UTKFACE_200: Points = ((58.2, 56.7), (139.6, 56.8), (98.4, 103.7), (61.9, 138.5), (135.5, 138.8))


FACES: dict[Crop, FaceTemplate] = {
    "recogniser": ARCFACE_112,
    "frame": FaceTemplate(_FRAME, _FRAME, resized_points(_UTKFACE_200, (200, 200), (_FRAME, _FRAME))),
}

FRAME_OF: dict[Crop, str] = {"recogniser": "arcface112", "frame": "utkface200"}
"""Name of the frame of each crop."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How detected faces are cropped.

    Attributes:
        crop: ``recogniser`` is the chip of 112 x 112 pixels of ArcFace and later recognisers; ``frame`` one of 128 x
            128 pixels with the face in the size that hallucinators are trained on.
        lr: side of LR faces, pixels, or None.
    """

    crop: Crop
    lr: int | None

    def cut(self, points: Points | None, *, lr: bool) -> tuple[Cut | None, Points | None]:
        """The crop of a photograph, and the landmarks in the crop; without points the photograph is not cropped.

        Args:
            points: five points in pixels of the photograph, or None where no face was detected.
            lr: whether to shrink it to the LR side.
        """
        side = self.lr if lr else None
        if points is None:
            return (Cut(side=side) if side else None), None
        return cut_to_template(points, FACES[self.crop], side)


def lr_side(name: str, lr: int | None) -> int | None:
    """Check a protocol's argument ``lr``; none and 0 mean full size.

    Raises:
        UsageError: it is out of range.
    """
    if lr and not SMALLEST <= lr <= LARGEST:
        raise UsageError(f"{name}: lr is {lr}; expected {SMALLEST} to {LARGEST} pixels, or 0 for full size.")
    return lr or None


def detect_faces(
    files: Sequence[Path],
    scratch: Path,
    progress: Progress | None = None,
    *,
    detector: Detector = "mtcnn",
    finder: Callable[[Detector], Finder] | None = None,
    engine: Callable[[Detector], str] | None = None,
) -> dict[Path, Points | None]:
    """Five points of the face in each photograph, at its full resolution.

    Args:
        files: photographs, possibly repeated.
        scratch: cache folder. Detections are stored in a file named after the detector, one line a photograph, by the
            digest of its bytes; so equal photographs are processed once, changed ones again, and an interrupted run
            continues.
        progress: called with (photographs done, all).
        detector: name of the detector.
        finder: builds the function that detects points (default: the aligner of that name); called when first needed.
        engine: returns an identifier of the detector's code and weights.

    Returns:
        Points by file, None where no face was detected; a file that is absent or damaged has no entry.

    Raises:
        MissingError: the package that brings the detector's weights is not installed.
        DataError: ``scratch`` cannot be written.
    """
    unique = list(dict.fromkeys(files))
    cache_file = scratch / f"{detector}-{(engine or _engine)(detector)[:16]}.jsonl"
    cache = dict(_read_cache(cache_file))
    points: dict[Path, Points | None] = {}
    detect: Finder | None = None
    writer = _Writer(cache_file)
    try:
        for done, path in enumerate(unique, 1):
            try:
                data = read_plain(path)
                digest = hashlib.sha256(data).hexdigest()
                if digest not in cache:
                    image = decode(data)
                    detect = detect or (finder or _finder)(detector)
                    cache[digest] = detect(image)
                    writer.add(digest, cache[digest])
                points[path] = cache[digest]
            except DataError as error:
                if isinstance(error, _UnwritableError):
                    raise
            if progress:
                progress(done, len(unique))
    finally:
        writer.close()
    return points


def detection_notes(files: Sequence[Path], points: dict[Path, Points | None]) -> list[str]:
    """A note that counts the photographs without a detected face, if any."""
    without = [path for path in dict.fromkeys(files) if path in points and points[path] is None]
    if not without:
        return []
    return [
        f"No face was detected in {len(without):,} of {len(dict.fromkeys(files)):,} photographs "
        f"({without[0].name}...); they are used uncropped."
    ]


class _UnwritableError(DataError):
    """The scratch folder cannot be written."""


class _Writer:
    """Appends lines to the cache file, which is opened at the first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def add(self, digest: str, points: Points | None) -> None:
        line = json.dumps({"sha256": digest, "points": points}) + "\n"
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("a", encoding="ascii")
                line = "\n" + line  # the last line of an interrupted run may be incomplete
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise _UnwritableError(f"Cannot store points in {self._path}: {error.strerror or error}.") from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _read_cache(path: Path) -> Iterator[tuple[str, Points | None]]:
    """Digests and points of the cache file; damaged lines are skipped."""
    try:
        text = path.read_text("ascii", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            points = entry["points"]
            if points is not None:
                points = tuple((float(x), float(y)) for x, y in points)
                if len(points) != 5 or not all(math.isfinite(value) for point in points for value in point):
                    continue
            yield str(entry["sha256"]), points
        except (ValueError, KeyError, TypeError):
            continue


def _aligner(detector: Detector) -> Mtcnn | YuNet:
    from bench.align.mtcnn import Mtcnn
    from bench.align.yunet import YuNet

    return YuNet() if detector == "yunet" else Mtcnn()


def _finder(detector: Detector) -> Finder:
    aligner = _aligner(detector)
    return lambda image: aligner.find([image])[0]


def _engine(detector: Detector) -> str:
    aligner = _aligner(detector)
    weights = [weights.sha256 for weights in aligner.weights]
    return digest_of([aligner.version, weights, closure_digest(f"bench.align.{detector}", "bench.images")])
