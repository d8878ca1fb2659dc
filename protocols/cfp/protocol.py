"""Celebrities in Frontal-Profile: shrunk profile faces compared with frontal ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, Cut, IdentificationSet, Media, Points, Role
from protocols.base.pairs import PhotographProtocol, Searched, verification_set
from protocols.base.root import below, find_root
from protocols.cfp.files import (
    A_FOLD,
    FOLDS,
    OFFICIAL,
    VIEWS,
    Pairs,
    People,
    Photograph,
    holds_cfp,
    read_fiducials,
    read_pairs,
    read_people,
)
from protocols.views.detected import FRAME_OF, Crop, Detector, Framing, detect_faces, lr_side

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

_INSIDE = ("cfp", "cfp-dataset", "cfp-dataset-images", "cfp/cfp-dataset")
_MARGIN = 0.25  # around the fiducial points, which do not include the forehead

Task = Literal["verification", "identification"]
Sides = tuple[list[Photograph], list[Photograph]]


@PROTOCOLS.register(
    "cfp",
    summary="Frontal and profile photographs: 7,000 pairs in 10 folds, or a search of profiles among frontal faces.",
    source="Sengupta et al., Frontal to Profile Face Verification in the Wild, WACV 2016; Protocol/Split",
    licence="data set: its authors' terms; treat as research only and confirm",
)
class Cfp(PhotographProtocol):
    """A frontal face is enrolled at full size; a profile face (or another frontal one) is aligned, shrunk, compared.

    The detector misses many profiles. Such a photograph (and each one where faces are not detected) is cropped to a
    square around its 30 fiducial points and not aligned. The points are not used for alignment: no published source
    gives their order, and half of them are hidden in a profile.
    """

    dataset = "cfp"
    how_to_get = (
        "Celebrities in Frontal-Profile (Sengupta et al. 2016): 7,000 photographs of 500 people. Its page is cfpw.io;\n"
        "read its terms and take it as for research only unless they say otherwise. This suite never downloads it.\n"
        "Once you have it, point to the folder that holds Data and Protocol (often cfp-dataset):\n"
        "  bench run --protocol cfp --data-root DIR\n"
        "  bench config set data.cfp DIR\n"
        "  BENCH_DATA=DIR bench run --protocol cfp      (DIR, or a folder in it)\n"
        "Files .bin of insightface are Python pickles, which can run anything; they are not read.\n"
        "Then `bench data check cfp` says whether it is whole."
    )

    def __init__(
        self,
        *,
        task: Task = "verification",
        pairs: Pairs = "FP",
        lr: int | None = 16,
        crop: Crop = "recogniser",
        detector: Detector = "mtcnn",
        thresholds: Literal["exact", "grid"] = "exact",
    ) -> None:
        """Choose what is measured, and how faces are cropped.

        Args:
            task: ``verification``: pairs in folds. ``identification``: the first frontal photograph of each person is
                enrolled; all profile photographs are probes.
            pairs: ``FP``: frontal and profile; ``FF``: frontal and frontal.
            lr: side in pixels of verified (probe) faces; 0 keeps them at full size.
            crop: ``recogniser``: the chip of 112 x 112 pixels of ArcFace and what followed it; ``frame``: 128 x 128
                pixels with the face in the size that the hallucinators of this suite are trained on.
            detector: detects the faces, at full resolution on both sides.
            thresholds: threshold of a fold: the best of all (``exact``), or the best of insightface's ``grid``.

        Raises:
            UsageError: an argument is out of range.
        """
        self.task, self.pairs, self.thresholds = task, pairs, thresholds
        self.detector: Detector = detector
        self.framing = Framing(crop, lr_side("cfp", lr))
        self.probe_frame = self.gallery_frame = FRAME_OF[crop]

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the CFP sample."""
        from protocols.cfp.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Data/Images``: ``root``, or cfp-dataset and the like in it.

        Raises:
            MissingError: ``root`` does not exist.
            DataError: it holds no CFP, or one in a deeper folder; the text names the folder to use.
        """
        return find_root(
            root,
            holds=holds_cfp,
            name="CFP",
            expected="Data/Images/001/frontal and profile",
            how_to_get=self.how_to_get,
            inside=_INSIDE,
            nearly=below("Data", "Images", "*", "frontal"),
        )

    def published_counts(self) -> dict[str, int]:
        """Pairs of the official folds, or people enrolled and profiles searched."""
        if self.task == "verification":
            return {"pairs": 2 * A_FOLD * FOLDS, "same pairs": A_FOLD * FOLDS}
        return {"gallery": OFFICIAL["people"], "probe": OFFICIAL["profile"], "probe identities": OFFICIAL["people"]}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.cfp.check`."""
        from protocols.cfp.check import check

        compared = self.pairs if self.task == "verification" else None
        return check(root, lambda: self.read(root), compared=compared, progress=progress)

    def _list_media(self, root: Path, scratch: Path | None, progress: Progress | None) -> Searched:
        people = read_people(root)
        pairs = read_pairs(root, self.pairs) if self.task == "verification" else []
        if pairs:
            sides = [pair.first for pair in pairs], [pair.second for pair in pairs]
        else:
            sides = _sides_of_search(people)
        files = list(dict.fromkeys(photograph.path for side in sides for photograph in side))
        notes = _count_notes(people)
        absent = [path for path in files if not path.is_file()]
        if absent:
            notes.append(f"{len(absent):,} of {len(files):,} listed photographs are absent.")
        counts = Counter((pair.fold, pair.same) for pair in pairs)
        if pairs and counts != {(fold, same): A_FOLD for fold in range(FOLDS) for same in (True, False)}:
            notes.append(f"Not the official pairs: {len(pairs):,} in {len({fold for fold, _ in counts})} folds.")
        official = not notes
        points: dict[Path, Points | None] = {}
        if scratch is None:
            notes.append("Faces were not detected: photographs are cropped by their fiducial points.")
        else:
            points = detect_faces(files, scratch, progress, detector=self.detector)
        crops = _Crops(root, self.framing, points)
        study: Searched
        if pairs:
            study = verification_set(pairs, crops.media, official=official)
        else:
            gallery, probes = crops.media(sides[0], "gallery", ""), crops.media(sides[1], "probe", "")
            study = IdentificationSet(gallery, probes, official=official)
        return replace(study, notes=(*notes, *crops.notes()))


class _Crops:
    """Crops photographs: by detected points, else around the fiducial points, else not at all."""

    def __init__(self, root: Path, framing: Framing, points: Mapping[Path, Points | None]) -> None:
        self._root, self._framing, self._points = root, framing, points
        self._boxes: dict[Path, tuple[float, float, float, float] | None] = {}

    def media(self, photographs: Sequence[Photograph], role: Role, prefix: str) -> tuple[Media, ...]:
        media = []
        for photograph in photographs:
            cut, landmarks = self._framing.cut(self._points.get(photograph.path), lr=role == "probe")
            if landmarks is None:
                box = self._box(photograph)
                cut = Cut(box=box, side=cut.side if cut else None) if box else cut
            key = f"{prefix}{photograph.key}"
            media.append(
                Media(
                    key,
                    photograph.path,
                    role,
                    photograph.person,
                    key,
                    landmarks=landmarks,
                    attributes={"view": photograph.view},
                    cut=cut,
                )
            )
        return tuple(media)

    def notes(self) -> list[str]:
        """How the photographs without a detected face were cropped; valid once `media` was called for all."""
        without = [path for path, points in self._points.items() if points is None]
        if not without:
            return []
        boxed = sum(self._boxes.get(path) is not None for path in without)
        uncropped = f"; {len(without) - boxed:,} are used uncropped" if boxed < len(without) else ""
        return [
            f"No face was detected in {len(without):,} of {len(self._points):,} photographs: {boxed:,} are cropped to "
            f"a square around their fiducial points{uncropped}."
        ]

    def _box(self, photograph: Photograph) -> tuple[float, float, float, float] | None:
        from bench.media.crop import square_around

        if photograph.path not in self._boxes:
            points = read_fiducials(self._root, photograph)
            box = None
            if points:
                across, down = zip(*points, strict=True)
                tight = (min(across), min(down), max(across) - min(across), max(down) - min(down))
                box = square_around(tight, _MARGIN) if max(tight[2:]) >= 1 else None
            self._boxes[photograph.path] = box
        return self._boxes[photograph.path]


def _sides_of_search(people: People) -> Sides:
    """The first frontal photograph of each person, and all profile photographs of the people enrolled by it."""
    gallery = [by_view["frontal"][0] for by_view in people.values() if by_view["frontal"]]
    enrolled = {photograph.person for photograph in gallery}
    probes = [image for by_view in people.values() for image in by_view["profile"] if image.person in enrolled]
    if len(gallery) < 2 or not probes:
        raise DataError(
            f"{len(gallery)} people with a frontal photograph and {len(probes)} profiles; a search needs 2 people and "
            "1 profile."
        )
    return gallery, probes


def _count_notes(people: People) -> list[str]:
    """A note where the counts are not the published ones."""
    counts = {"people": len(people)} | {view: sum(len(by_view[view]) for by_view in people.values()) for view in VIEWS}
    differences = [
        f"{counts[name]:,} of {OFFICIAL[name]:,} {name}" for name in OFFICIAL if counts[name] != OFFICIAL[name]
    ]
    return [f"Not the official set: {'; '.join(differences)}."] if differences else []
