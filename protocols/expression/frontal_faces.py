"""Frontal faces detected in photographs and frames, cached as crops: positions, not images."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.digests.closure import closure_digest
from bench.errors import DataError
from bench.interfaces import Progress
from bench.io.atomic import explain_os_errors, write_file
from bench.io.file_digests import digest_of, known_file_digest
from bench.media.similarity import resized_points
from bench.types import Cut, FaceTemplate, Points
from protocols.views.recipe import SIDE, Photograph, Recipe
from protocols.views.turned import frame_points

if TYPE_CHECKING:
    from bench.faces.landmarks.mediapipe import Landmarker

_TIMES = 2  # crops are 256 x 256, so that large faces are averaged, not sampled, when they shrink
_MOST_ROLL_DEG = 45.0
_SAVE_EVERY = 128


@dataclass
class FrontalFaces:
    """Detects the upright frontal face of photographs, or reads its position from the cache.

    Attributes:
        scratch: cache folder. Positions are stored in a file named after the engine, by the digest of the photograph's
            bytes and crops.
        recipe: gives the frame that the five points are aligned to, and the largest yaw of a frontal face.
        landmarker: detects the points; built at the first photograph that is not cached.
        rejected: number of photographs without such a face, by reason.
    """

    scratch: Path
    recipe: Recipe = field(default_factory=Recipe)
    landmarker: Landmarker | None = None
    rejected: Counter[str] = field(default_factory=Counter)

    def find(self, photographs: Sequence[Photograph], progress: Progress | None = None) -> list[Cut | None]:
        """The crop of each face, 256 x 256 without a `side`; None where there is none, which `rejected` counts.

        Raises:
            MissingError: the face engine is not installed.
            BenchError: the scratch folder cannot be written.
        """
        path = self.scratch / f"frontal-{_engine(self.recipe.most_yaw_deg)}.json"
        cache = _read_cache(path)
        crops: list[Cut | None] = []
        detected = 0
        for done, photograph in enumerate(photographs, 1):
            name = _name(photograph)
            if name is None:
                self.rejected["file absent or not readable"] += 1
                crops.append(None)
            else:
                if not _is_valid(cache.get(name), photograph):
                    cache[name] = self._detect(photograph)
                    detected += 1
                    if detected % _SAVE_EVERY == 0:
                        _write_cache(path, cache)
                crops.append(self._cut(photograph, cache[name]))
            if progress:
                progress(done, len(photographs))
        if detected:
            _write_cache(path, cache)
        return crops

    def _cut(self, photograph: Photograph, record: Mapping[str, Any]) -> Cut | None:
        if "rejected" in record:
            self.rejected[str(record["rejected"])] += 1
            return None
        points: Points = tuple((float(x), float(y)) for x, y in record["points"])
        return replace(photograph.cuts[int(record["cut"])], box=None, points=points, face=_face(self.recipe))

    def _detect(self, photograph: Photograph) -> dict[str, Any]:
        from bench.faces.landmarks.points import five_points
        from protocols.views.render import find_frontal

        if self.landmarker is None:
            from bench.faces.landmarks.mediapipe import FaceLandmarker

            self.landmarker = FaceLandmarker()
        reason = "no frontal view"
        for place, cut in enumerate(photograph.cuts):
            one = Photograph(photograph.path, (cut,))
            try:
                _, landmarks = find_frontal(
                    one, self.landmarker, most_yaw_deg=self.recipe.most_yaw_deg, most_roll_deg=_MOST_ROLL_DEG
                )
            except DataError as error:
                reason = str(error) if place == 0 else reason
                continue
            left, top = (round(v) for v in cut.box[:2]) if cut.box else (0, 0)
            five = [(round(float(x) + left, 2), round(float(y) + top, 2)) for x, y in five_points(landmarks.points)]
            return {"cut": place, "points": five}
        return {"rejected": reason}


@lru_cache(maxsize=8)
def _face(recipe: Recipe) -> FaceTemplate:
    side = SIDE * _TIMES
    return FaceTemplate(side, side, resized_points(frame_points(recipe.frame), (SIDE, SIDE), (side, side)))


def _name(photograph: Photograph) -> str | None:
    try:
        return digest_of([known_file_digest(photograph.path), repr(photograph.cuts)])
    except OSError:
        return None


def _is_valid(record: object, photograph: Photograph) -> bool:
    """Whether a cached record can be used; records of a damaged file are detected again."""
    if not isinstance(record, dict):
        return False
    if isinstance(record.get("rejected"), str):
        return True
    points, cut = record.get("points"), record.get("cut")
    if not isinstance(points, list) or len(points) != 5 or not isinstance(cut, int):
        return False
    pairs = all(isinstance(p, list | tuple) and len(p) == 2 and all(isinstance(v, float) for v in p) for p in points)
    return pairs and 0 <= cut < len(photograph.cuts)


def _read_cache(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _write_cache(path: Path, cache: Mapping[str, Any]) -> None:
    with explain_os_errors(f"Cannot store positions of faces in {path.parent}"):
        write_file(path, json.dumps(cache, sort_keys=True))


def _engine(most_yaw_deg: float) -> str:
    """Digest of the code and of the landmark networks that detect a face."""
    return digest_of([closure_digest(__name__), most_yaw_deg])[:16]
