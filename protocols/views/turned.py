"""Views rendered from frontal photographs: the paper's recipe for databases without pairs of poses.

Section V.A of Zhang et al. 2021: upright frontal faces at 128 x 128; views at yaw 22, 40, 55 and 75 degrees to both
sides by a 3D face model, "unaligned" by a random similarity. Views are rendered once and cached, those of a photograph
in a folder named after its bytes, its crops and the recipe.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.align.template import FRAMES, Frame
from bench.digests.closure import closure_digest
from bench.errors import BenchError, DataError
from bench.io.atomic import replace_folder
from bench.io.file_digests import digest_of, known_file_digest
from bench.media.similarity import resized_points
from bench.types import Cut, Media, Points, Role
from protocols.views.recipe import JITTERS, SIDE, Photograph, Recipe

if TYPE_CHECKING:
    from bench.faces.landmarks.mediapipe import Landmarker
    from bench.images import ByteImages

_MOST_ROLL_DEG = 45.0
_RECORD, _TRUTH = "face.json", "truth.png"


@dataclass(frozen=True, slots=True)
class RenderedView:
    """A rendered view of a face.

    Attributes:
        path: the file, PNG, 128 x 128.
        yaw_deg: positive turns the face to the image's right.
        five: the five points of the head in its pixels; they may be hidden, or outside.
    """

    path: Path
    yaw_deg: float
    five: Points


@dataclass(frozen=True, slots=True)
class TurnedFace:
    """A frontal face and its rendered views.

    Attributes:
        truth: the frontal face in the recipe's frame: PNG, 128 x 128.
        five: its five points.
        yaw_deg: yaw of the photograph itself.
        views: two for each yaw, the one to the left first.
    """

    truth: Path
    five: Points
    yaw_deg: float
    views: tuple[RenderedView, ...]


@dataclass
class Turner:
    """Renders the views of photographs, or reads them from the cache.

    Attributes:
        scratch: cache folder.
        recipe: how views are rendered.
        landmarker: detects the points; built at the first photograph that is not cached.
        rejected: number of photographs without a usable frontal face, by reason.
    """

    scratch: Path
    recipe: Recipe = field(default_factory=Recipe)
    landmarker: Landmarker | None = None
    rejected: Counter[str] = field(default_factory=Counter)

    def turn(self, photograph: Photograph) -> TurnedFace | None:
        """Render a photograph; None where it shows no usable frontal face, which `rejected` counts.

        Raises:
            MissingError: the face engine is not installed.
            BenchError: the scratch folder cannot be written.
        """
        try:
            folder = self._folder(photograph)
        except DataError as error:
            self.rejected[str(error)] += 1
            return None
        record = _read(folder)
        if record is None:
            record = self._render_into(photograph, folder)
        if "rejected" in record:
            self.rejected[str(record["rejected"])] += 1
            return None
        return TurnedFace(
            folder / _TRUTH,
            _points(record["five"]),
            float(record["yaw_deg"]),
            tuple(RenderedView(folder / v["file"], float(v["yaw_deg"]), _points(v["five"])) for v in record["views"]),
        )

    def note(self, what: str = "photographs") -> tuple[str, ...]:
        """A note that counts the rejected photographs, if any."""
        if not self.rejected:
            return ()
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.rejected.most_common())
        return (f"{self.rejected.total():,} {what} show no usable frontal face and were skipped: {reasons}.",)

    def _folder(self, photograph: Photograph) -> Path:
        try:
            content = known_file_digest(photograph.path)
        except FileNotFoundError:
            raise DataError("file not found") from None
        except OSError as error:
            raise DataError(f"file not readable ({error.strerror})") from None
        source = hashlib.sha256(f"{content} {photograph.cuts!r}".encode()).hexdigest()[:32]
        recipe = digest_of([repr(self.recipe), list(map(list, FRAMES[self.recipe.frame])), _engine()])[:16]
        return self.scratch / f"turned-{recipe}" / source[:2] / source

    def _render_into(self, photograph: Photograph, folder: Path) -> dict[str, Any]:
        """Render and store in one step; two processes may do so at the same time."""
        from bench.images import encode_png

        record, images = self._render(photograph, folder.name)
        try:
            with replace_folder(folder, keep_existing=True, sync=False) as new:
                for name, image in images.items():
                    (new / name).write_bytes(encode_png(image))
                (new / _RECORD).write_text(json.dumps(record), encoding="utf-8")
                if folder.exists() and _read(folder) is None:  # damaged
                    shutil.rmtree(folder)
        except OSError as error:
            if _read(folder) is None:  # unless another process was first
                raise BenchError(
                    f"Cannot store rendered views in {folder.parent}: {error.strerror or error}."
                ) from error
        return record

    def _render(self, photograph: Photograph, name: str) -> tuple[dict[str, Any], dict[str, ByteImages]]:
        from bench.faces.pairs.pairs import Jitter
        from protocols.views.render import find_frontal, render

        if self.landmarker is None:
            from bench.faces.landmarks.mediapipe import FaceLandmarker

            self.landmarker = FaceLandmarker()
        ranges = JITTERS[self.recipe.jitter]
        try:
            image, landmarks = find_frontal(
                photograph, self.landmarker, most_yaw_deg=self.recipe.most_yaw_deg, most_roll_deg=_MOST_ROLL_DEG
            )
            rendered = render(
                image,
                landmarks,
                aim=frame_points(self.recipe.frame),
                yaws_deg=[sign * yaw for yaw in self.recipe.yaws_deg for sign in (-1.0, 1.0)],
                jitter=None if ranges is None else Jitter(**ranges),
                seed=[self.recipe.seed, int(name, 16)],
            )
        except DataError as error:
            return {"rejected": str(error)}, {}
        files = {f"yaw{yaw:+g}.png": (yaw, view, five) for yaw, view, five in rendered.views}
        record = {
            "five": rendered.five,
            "yaw_deg": landmarks.yaw_deg,
            "views": [{"file": file, "yaw_deg": yaw, "five": five} for file, (yaw, _, five) in files.items()],
        }
        return record, {_TRUTH: rendered.truth, **{file: view for file, (_, view, _) in files.items()}}


def face_media(
    key: str,
    path: Path,
    role: Role,
    identity: str,
    five: Points,
    *,
    lr: int | None = None,
    template: str = "",
    attributes: dict[str, str | float] | None = None,
) -> Media:
    """A cached face as media with its landmarks; shrunk to an LR face of side ``lr`` where that is given."""
    landmarks = five if lr is None else resized_points(five, (SIDE, SIDE), (lr, lr))
    cut = None if lr is None else Cut(side=lr)
    return Media(key, path, role, identity, template or key, landmarks, attributes or {}, cut)


def frame_points(frame: Frame) -> Points:
    """The five points of a frame in pixels of a 128 x 128 face."""
    return tuple((x * SIDE - 0.5, y * SIDE - 0.5) for x, y in FRAMES[frame])


def view_name(yaw_deg: float) -> str:
    """Part of a key: ``yaw-22``."""
    return f"yaw{yaw_deg:+g}"


def _read(folder: Path) -> dict[str, Any] | None:
    """The cached record of a photograph; None where it is absent or a file is missing."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        files = [] if "rejected" in record else [_TRUTH, *(view["file"] for view in record["views"])]
        return dict(record) if all((folder / file).is_file() for file in files) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _points(rows: Any) -> Points:
    return tuple((float(x), float(y)) for x, y in rows)


@cache
def _engine() -> str:
    """Digest of the code and landmark networks that determine the views."""
    return closure_digest("protocols.views.render")
