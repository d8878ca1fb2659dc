"""Five points of every take of Multi-PIE: from the user's files, else detected by the face engine and cached."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.digests.closure import closure_digest
from bench.errors import DataError
from bench.images import ByteImages, read_image
from bench.interfaces import Progress
from bench.io.atomic import write_file
from bench.io.file_digests import digest_of, file_state
from bench.io.textfiles import finite_number, quote, read_lines
from bench.types import Points
from protocols.base.root import escaped_name, inside_of
from protocols.multipie.crops import Crop
from protocols.multipie.files import Shot, Take
from protocols.multipie.tables import BEST_FLASH

FOLDER = "5pt"
_TRIED = 3  # shots of a take: detection may fail under one flash; all shots show the same face
_SAVE_EVERY = 256
_LARGEST_COORDINATE = 1e6  # pixels
_CROP_SIDES = (128, 144)  # of the crops to which TP-GAN's points in crops refer: eyes at 40 or 48
_CROP_TOLERANCE = 1.6  # its script rounds twice

Finder = Callable[[ByteImages], "Points | None"]


@dataclass
class TakePoints:
    """Points by take, in pixels of its images.

    Attributes:
        points: None where no face was detected.
        given: number of takes whose points are the user's.
        ignored: the user's files that were not used, with the reason.
    """

    points: dict[Take, Points | None] = field(default_factory=dict)
    given: int = 0
    ignored: list[str] = field(default_factory=list)


def crop_notes(take_points: TakePoints, crops: Mapping[Take, Crop], rejected: int) -> tuple[str, ...]:
    """Notes about the source of the points, and the takes that are cropped without.

    Args:
        take_points: points by take.
        crops: crop of each take.
        rejected: number of takes whose points were rejected.
    """
    notes = []
    if take_points.given:
        notes.append(f"Points of {take_points.given:,} of {len(crops):,} takes are from the .5pt files.")
    if take_points.ignored:
        notes.append(
            f"{len(take_points.ignored):,} .5pt files were not used, such as {sorted(take_points.ignored)[0]}."
        )
    boxed = sum(crop.points is None for crop in crops.values())
    if boxed:
        notes.append(
            f"{boxed:,} of {len(crops):,} takes are cropped to the median square of their camera: no face was detected "
            f"in {boxed - rejected:,}, the points of {rejected:,} were rejected."
        )
    return tuple(notes)


def detect_points(
    root: Path,
    takes: Mapping[Take, Sequence[Shot]],
    scratch: Path,
    progress: Progress | None = None,
    *,
    finder: Callable[[], Finder] | None = None,
    engine: Callable[[], str] | None = None,
) -> TakePoints:
    """Points of each take; one detection serves all of its shots, which are taken within a second.

    Args:
        root: of the database; ``5pt`` in it may hold ``<take>.5pt`` or ``<take>_trans.5pt``.
        takes: with their shots; detection starts with the shot whose flash lights this camera best and tries three.
        scratch: cache folder. Detections are stored in a file named after the takes, the files and the engine; saved
            regularly, so an interrupted run continues.
        progress: called with (takes done, all).
        finder: builds the function that detects points (default: the face engine); called when first needed.
        engine: returns an identifier of the engine's code and networks.

    Raises:
        MissingError: the face engine is not installed.
    """
    take_points = TakePoints()
    given = read_given(root, takes, take_points.ignored)
    rest = {take: _candidates(take, shots) for take, shots in takes.items() if take not in given}
    take_points.points = {**dict.fromkeys(takes), **given}
    take_points.given = len(given)
    if not rest:
        return take_points
    states = [[take.key, *(_state(root, shot.path) for shot in shots)] for take, shots in sorted(rest.items())]
    path = scratch / f"points-{digest_of([(engine or _engine)(), states])[:16]}.json"
    cache = _read_cache(path)
    detect: Finder | None = None
    detected = 0
    for done, (take, shots) in enumerate(rest.items(), 1):
        if take.key not in cache:
            detect = detect or (finder or _landmarker)()
            cache[take.key] = _detect_in(shots, detect)
            detected += 1
            if detected % _SAVE_EVERY == 0:
                _write_cache(path, cache)
        take_points.points[take] = cache[take.key]
        if progress:
            progress(done, len(rest))
    if detected:
        _write_cache(path, cache)
    return take_points


def read_5pt(path: Path) -> Points:
    """Five lines ``x y``: eyes, nose, mouth corners.

    Raises:
        DataError: with a short reason: another thing, or the nose is not below the eyes and above the mouth.
    """
    points: list[tuple[float, float]] = []
    for number, line in read_lines(path):
        fields = line.replace(",", " ").split()
        pair = [
            value for value in map(finite_number, fields) if value is not None and abs(value) <= _LARGEST_COORDINATE
        ]
        if len(pair) != 2 or len(fields) != 2:
            raise DataError(f"line {number}: {quote(line)} is not two numbers")
        points.append((pair[0], pair[1]))
    if len(points) != 5:
        raise DataError("not five points")
    eyes, mouth = (points[0][1] + points[1][1]) / 2, (points[3][1] + points[4][1]) / 2
    if not eyes < points[2][1] < mouth:
        raise DataError("not in the order eyes, nose, mouth corners")
    return tuple(points)


def read_given(root: Path, takes: Mapping[Take, Sequence[Shot]], ignored: list[str]) -> dict[Take, Points]:
    """The user's points.

    Args:
        root: of the database.
        takes: with their shots.
        ignored: gets each file that is not used, with the reason: it is damaged, or its points are of another image.
    """
    folder = root / FOLDER
    if not folder.is_dir():
        return {}
    files = {path.name: path for path in sorted(folder.rglob("*.5pt"), reverse=True) if inside_of(root, path)}
    given: dict[Take, Points] = {}
    for take, shots in takes.items():
        path = files.get(f"{take.key}.5pt") or files.get(f"{take.key}_trans.5pt")
        if path is None:
            continue
        try:
            points = read_5pt(path)
            _refuse_crop_points(points, shots[0])
        except DataError as error:
            ignored.append(f"{escaped_name(path.name)}: {error}")
        else:
            given[take] = points
    return given


def _refuse_crop_points(points: Points, shot: Shot) -> None:
    """Raise DataError for points in pixels of TP-GAN's crop where the image is not such a crop."""
    (_, y0), (_, y1), _, (_, y3), (_, y4) = points
    eyes, mouth = (y0 + y1) / 2, (y3 + y4) / 2
    crop = abs(mouth - eyes - 48) <= _CROP_TOLERANCE and min(abs(eyes - 40), abs(eyes - 48)) <= _CROP_TOLERANCE
    if crop:
        height, width = read_image(shot.path).shape[:2]
        if height != width or height not in _CROP_SIDES:
            raise DataError(f"points in a crop of TP-GAN; the image has {width} x {height} pixels")


def _candidates(take: Take, shots: Sequence[Shot]) -> list[Shot]:
    best = BEST_FLASH[take.camera]
    return sorted(shots, key=lambda s: (s.shot != best, s.shot != 7, s.shot))[:_TRIED]


def _detect_in(shots: Sequence[Shot], detect: Finder) -> Points | None:
    for shot in shots:
        try:
            points = detect(read_image(shot.path))
        except DataError:
            continue  # counted as a failure where it is a probe; another shot shows the same face
        if points is not None:
            return tuple((round(x, 2), round(y, 2)) for x, y in points)
    return None


def _landmarker() -> Finder:
    from bench.faces.landmarks.mediapipe import FaceLandmarker
    from bench.faces.landmarks.points import five_points

    landmarker = FaceLandmarker()

    def find(image: ByteImages) -> Points | None:
        landmarks = landmarker.find([image])[0]
        if landmarks is None:
            return None
        return tuple((float(x), float(y)) for x, y in five_points(landmarks.points))

    return find


def _engine() -> str:
    """Digest of the code and landmark networks that detect points."""
    return closure_digest(__name__)


def _state(root: Path, path: Path) -> list[str | int]:
    return [path.relative_to(root).as_posix(), *file_state(path)]


def _read_cache(path: Path) -> dict[str, Points | None]:
    """Cached points by key of the take; empty where the file is absent or damaged."""
    try:
        content = json.loads(path.read_text("utf-8"))
        return {
            str(key): None if points is None else tuple((float(x), float(y)) for x, y in points)
            for key, points in content.items()
            if points is None or len(points) == 5
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_cache(path: Path, points: Mapping[str, Points | None]) -> None:
    write_file(path, json.dumps(points, indent=0, sort_keys=True))
