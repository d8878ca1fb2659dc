"""Labeled Faces in the Wild: near-frontal photographs shrunk to LR; 1:N search, or pairs in ten folds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, IdentificationSet, Media, Points, Role
from protocols.base.lfw_pairs import NamedPair, read_pairs
from protocols.base.pairs import PhotographProtocol, Searched, verification_set
from protocols.lfw.files import (
    DEV_TEST,
    DEV_TRAIN,
    FOLDERS,
    OFFICIAL,
    OFFICIAL_PAIRS,
    PAIRS,
    TWICE,
    People,
    image_path,
    list_file,
    locate,
    read_people,
)
from protocols.views.detected import FRAME_OF, Crop, Detector, Framing, detect_faces, detection_notes, lr_side

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

Task = Literal["identification", "verification"]
Image = tuple[str, int]


@PROTOCOLS.register(
    "lfw",
    summary="Near-frontal photographs: search among N people by a second, shrunk one; or 6,000 pairs in 10 folds.",
    source="Huang, Ramesh, Berg, Learned-Miller, Labeled Faces in the Wild, 2007; pairs.txt (View 2)",
    licence="data set: its authors' terms; for research, no claim of fitness for use may rest on it",
)
class Lfw(PhotographProtocol):
    """One photograph of a person is enrolled; another one is aligned, shrunk and compared with it.

    Faces are detected at full resolution on both sides, so figures measure the loss of resolution, not the detection of
    tiny faces. A photograph without a detected face is used uncropped.
    """

    dataset = "lfw"
    how_to_get = (
        "Labeled Faces in the Wild (Huang et al. 2007): 13,233 photographs of 5,749 people. The University of\n"
        "Massachusetts gave it out at vis-www.cs.umass.edu/lfw; read its terms. This suite never downloads it.\n"
        "Once you have it (lfw, lfw_funneled or lfw-deepfunneled), point to the folder of people:\n"
        "  bench run --protocol lfw --data-root DIR          DIR/NAME/NAME_0001.jpg\n"
        "  bench config set data.lfw DIR\n"
        "  BENCH_DATA=DIR bench run --protocol lfw           (DIR, or a folder in it)\n"
        "Pairs need pairs.txt beside the people, or beside their folder.\n"
        "Then `bench data check lfw` says whether it is whole."
    )

    def __init__(
        self,
        *,
        task: Task = "identification",
        people: int = 800,
        view: int = 2,
        lr: int | None = 16,
        crop: Crop = "recogniser",
        detector: Detector = "mtcnn",
        thresholds: Literal["exact", "grid"] = "exact",
    ) -> None:
        """Choose what is measured, and how faces are cropped.

        Args:
            task: ``identification``: of the first people by name with two photographs or more, the first photograph is
                enrolled and the second is the probe. ``verification``: the pairs of the official lists; the second
                photograph of a pair is shrunk.
            people: number of people enrolled; 0 enrols all.
            view: 2 for pairs.txt in ten folds, 1 for pairsDevTrain.txt and pairsDevTest.txt as two folds, for tuning.
            lr: side in pixels of probe (verified) faces; 0 keeps them at full size.
            crop: ``recogniser``: the chip of 112 x 112 pixels of ArcFace and what followed it; ``frame``: 128 x 128
                pixels with the face in the size that the hallucinators of this suite are trained on.
            detector: detects the faces, at full resolution on both sides.
            thresholds: threshold of a fold: the best of all (``exact``), or the best of insightface's ``grid``.

        Raises:
            UsageError: an argument is out of range.
        """
        if people < 0 or people == 1:
            raise UsageError(f"lfw: people is {people}; expected 2 or more, or 0 for all.")
        if view not in OFFICIAL_PAIRS:
            raise UsageError(f"lfw: view is {view}; expected 2 (to report) or 1 (to tune).")
        self.task, self.people, self.view, self.thresholds = task, people, view, thresholds
        self.detector: Detector = detector
        self.framing = Framing(crop, lr_side("lfw", lr))
        self.probe_frame = self.gallery_frame = FRAME_OF[crop]

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the LFW sample."""
        from protocols.lfw.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder of people: ``root``, or a folder in it with one of the names LFW is released under.

        Raises:
            MissingError: ``root`` does not exist.
            DataError: it holds no LFW, several versions, or one in a deeper folder; the text names the folder to use.
        """
        return locate(root, self.how_to_get)

    def is_sample(self, root: Path) -> bool:
        """Whether the folder, or the parent of a folder named like LFW, was written by `protocols.sample`."""
        is_sample = super().is_sample
        return is_sample(root) or (root.name in FOLDERS and is_sample(root.parent))

    def published_counts(self) -> dict[str, int]:
        """Pairs of the official lists, or people searched out of those with two photographs."""
        if self.task == "verification":
            pairs = sum(number for _, number in OFFICIAL_PAIRS[self.view])
            return {"pairs": pairs, "same pairs": pairs // 2}
        number = min(self.people or TWICE, TWICE)
        return {"probe": number, "gallery": number, "probe identities": number}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.lfw.check`."""
        from protocols.lfw.check import check

        return check(root, lambda: self.read(root), task=self.task, view=self.view, progress=progress)

    def _list_media(self, root: Path, scratch: Path | None, progress: Progress | None) -> Searched:
        people = read_people(root)
        pairs = self._read_pairs(root) if self.task == "verification" else []
        sides: tuple[list[Image], list[Image]] = ([p.first for p in pairs], [p.second for p in pairs])
        if not pairs:
            mates = self._choose_people(people)
            sides = [one for one, _ in mates], [other for _, other in mates]
        files = [image_path(root, people, image) for side in sides for image in side]
        notes = _count_notes(people)
        official = not notes
        absent = [path for path in dict.fromkeys(files) if not path.is_file()]
        if absent:
            number = len(dict.fromkeys(files))
            notes.append(f"{len(absent):,} of {number:,} listed photographs are absent: {absent[0].name}...")
        if people.misnamed:
            notes.append(f"{len(people.misnamed):,} files are not named after their folder and are left out.")
        points: dict[Path, Points | None] = {}
        if scratch is None:
            notes.append("Faces were not detected: photographs are used uncropped.")
        else:
            points = detect_faces(files, scratch, progress, detector=self.detector)
            notes += detection_notes(files, points)
        media = partial(self._media, root, people, points)
        if not pairs:
            gallery, probes = media(sides[0], "gallery", ""), media(sides[1], "probe", "")
            return IdentificationSet(gallery, probes, official=official, notes=tuple(notes))
        if self.view == 1:
            notes.append(
                "View 1 is for tuning: fold 1 is pairsDevTrain, fold 2 pairsDevTest; the threshold of each is chosen "
                "on the other."
            )
        numbers = tuple((fold, sum(pair.fold == fold for pair in pairs)) for fold in sorted({p.fold for p in pairs}))
        if numbers != OFFICIAL_PAIRS[self.view]:
            notes.append(f"Not the official list: {len(pairs):,} pairs in {len(numbers)} folds.")
            official = False
        return verification_set(pairs, media, official=official and not absent, notes=notes)

    def _read_pairs(self, root: Path) -> list[NamedPair]:
        if self.view == 2:
            return read_pairs(list_file(root, PAIRS))
        return [*read_pairs(list_file(root, DEV_TRAIN)), *read_pairs(list_file(root, DEV_TEST), fold=1)]

    def _choose_people(self, people: People) -> list[tuple[Image, Image]]:
        """The enrolled and the searched photograph of each person."""
        first_two = {name: sorted(images)[:2] for name, images in people.images.items() if len(images) > 1}
        names = sorted(first_two)[: self.people or None]
        if len(names) < 2:
            raise DataError(
                f"{len(first_two)} people have two photographs; a search in a gallery needs 2 people or more."
            )
        return [((name, first_two[name][0]), (name, first_two[name][1])) for name in names]

    def _media(
        self,
        root: Path,
        people: People,
        points: dict[Path, Points | None],
        images: Sequence[Image],
        role: Role,
        prefix: str,
    ) -> tuple[Media, ...]:
        media = []
        for image in images:
            path = image_path(root, people, image)
            cut, landmarks = self.framing.cut(points.get(path), lr=role == "probe")
            key = f"{prefix}{image[0]}/{path.name}"
            media.append(Media(key, path, role, image[0], key, landmarks=landmarks, cut=cut))
        return tuple(media)


def _count_notes(people: People) -> list[str]:
    """A note where the counts are not the published ones."""
    counts = {"images": people.total, "people": len(people.images)}
    differences = [
        f"{counts[name]:,} of {OFFICIAL[name]:,} {name}" for name in OFFICIAL if counts[name] != OFFICIAL[name]
    ]
    return [f"Not the official set: {'; '.join(differences)}."] if differences else []
