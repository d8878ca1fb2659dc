"""Pairs of Multi-PIE for the protocol `restoration`: the images of a side camera and of the frontal one, same flash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError
from bench.interfaces import Progress
from bench.studies import RestorationSet
from bench.types import CheckLine, Media
from protocols.base.protocol import ScratchProtocol
from protocols.multipie.crops import Crop, choose_crops
from protocols.multipie.files import Shot, Take
from protocols.multipie.landmarks import crop_notes, detect_points
from protocols.multipie.protocol import MultiPie
from protocols.multipie.tables import CAMERAS, FRONTAL, PEOPLE

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

_REAL = (
    "Real pairs in the crop of the protocol multipie (frame tpgan128): nothing is rendered or moved, so identities, "
    "photographs, person, jitter and frame are not used."
)


class MultiPiePairs(ScratchProtocol):
    """The probes of the protocol multipie, each with the frontal image of its subject, session, recording and flash.

    Real photographs in TP-GAN's crop: nothing is rendered, and no random similarity is applied.
    """

    dataset = "multipie"
    how_to_get = MultiPie.how_to_get
    default_align = "landmarks"
    wanted_frame = "tpgan128"
    backbone: Path | None = None

    def __init__(self, *, lr: Literal[16, 32, 0], seed: int) -> None:
        """Choose as `protocols.multipie.protocol.MultiPie` does.

        Args:
            lr: side of the LR faces, pixels; 0 leaves them at 128.
            seed: of the draw.
        """
        self._source, self._lr = MultiPie(lr=lr, seed=seed), lr

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the Multi-PIE sample."""
        from protocols.multipie.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """The folder that holds ``data``."""
        return self._source.locate(root)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """The lines of the protocol multipie."""
        return self._source.check(root, progress)

    def published_counts(self) -> dict[str, int]:
        """People of the protocol multipie, whose probes are restored."""
        return {"probe identities": PEOPLE["paper"]}

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> RestorationSet:
        """Pair each probe with its frontal image; both are cropped by their own points.

        Raises:
            DataError: there is no probe, none has a frontal image, or no face is detected in any image.
            MissingError: the face engine is not installed.
        """
        chosen = self._source.choose(root)
        frontal = {(s.take, s.shot): s for s in chosen.listing.shots if s.take.camera == FRONTAL}
        truths = [(shot, frontal.get((_front(shot.take), shot.shot))) for shot in chosen.probes]
        pairs = [(shot, truth) for shot, truth in truths if truth is not None and truth.take != shot.take]
        if not pairs:
            raise DataError(f"None of {len(truths):,} turned images of {root} has a frontal one in the same flash.")
        used = {take for shot, truth in pairs for take in (shot.take, truth.take)}
        takes = {take: shots for take, shots in chosen.listing.takes().items() if take in used}
        points = detect_points(root, takes, scratch, progress)
        crops, rejected = choose_crops(points.points)
        notes = [*chosen.notes, *crop_notes(points, crops, rejected), _REAL]
        if len(pairs) < len(truths):
            notes.append(f"{len(truths) - len(pairs):,} turned images have no frontal one in the same flash: left out.")
        return RestorationSet(
            tuple(self._face(shot, crops[shot.take], crops[truth.take]) for shot, truth in pairs),
            tuple(_truth(shot, truth, crops[truth.take]) for shot, truth in pairs),
            official=chosen.official and len(pairs) == len(truths),
            notes=tuple(notes),
        )

    def _face(self, shot: Shot, crop: Crop, truth_crop: Crop) -> Media:
        return Media(
            key=shot.key,
            path=shot.path.absolute(),
            role="probe",
            identity=f"{shot.take.subject:03d}",
            template=shot.key,
            landmarks=truth_crop.landmarks(self._lr),  # where the restored face should have them
            attributes={
                "yaw_deg": float(CAMERAS[shot.take.camera]),
                "camera": shot.take.camera,
                "crop": "points" if crop.points else "box",
            },
            cut=crop.cut(self._lr),
        )


def _truth(shot: Shot, truth: Shot, crop: Crop) -> Media:
    return Media(
        key=f"truth of {shot.key}",
        path=truth.path.absolute(),
        role="gallery",
        identity=f"{truth.take.subject:03d}",
        template=shot.key,
        landmarks=crop.landmarks(0),
        cut=crop.cut(0),
    )


def _front(take: Take) -> Take:
    return take._replace(camera=FRONTAL)
