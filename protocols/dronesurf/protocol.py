"""DroneSURF: faces in videos taken by drones, searched in a gallery of four high-resolution images of each person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, Cut, IdentificationSet, Media, Points
from protocols.base.protocol import SampledProtocol
from protocols.base.root import below, escaped_name, find_root
from protocols.dronesurf.annotations import Coordinates, read_coordinates
from protocols.dronesurf.files import SPLIT, Listing, Track, holds_dronesurf, scan
from protocols.dronesurf.split import (
    GALLERY_IMAGES,
    SUBJECTS,
    TEST,
    TRAINING,
    VIDEOS,
    Chosen,
    draw_test,
    fault_notes,
    frame_base,
)
from protocols.views.detected import Detector, detect_faces, detection_notes

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

_LARGEST_MARGIN = 2.0

Level = Literal["frame", "video"]
GalleryFusion = Literal["mean", "max", "score"]


@PROTOCOLS.register(
    "dronesurf",
    summary="Closed-set search of faces seen by drones among high-resolution images; by frame or by video.",
    source="Kalra et al., DroneSURF, FG 2019; VividGAN, section VI",
    licence="data set: its authors' agreement; treat as non-commercial research and confirm",
)
class DroneSurf(SampledProtocol):
    """Every annotated face of a test subject (or all of a video together) is searched in the gallery; all have a mate.

    Probes are video frames cropped to a square around the annotated box, in their native size.
    """

    dataset = "dronesurf"
    fusion = "unit"
    ranks = (1, 5, 10, 20)
    how_to_get = (
        "DroneSURF (Kalra et al. 2019): 58 people in 200 videos by drones, four high-resolution images of each.\n"
        "The lab gives it out on request (iab-rubric.org/index.php/dronesurf); read its agreement. This suite never\n"
        "downloads it. Once you have it, point to the folder that holds those of active and passive surveillance:\n"
        "  bench run --protocol dronesurf --data-root DIR\n"
        "  bench config set data.dronesurf DIR\n"
        "  BENCH_DATA=DIR bench run --protocol dronesurf      (DIR, or a folder in it)\n"
        "Then `bench data check dronesurf` says whether it is whole."
    )

    def __init__(
        self,
        *,
        scenario: Literal["active", "passive", "both"] = "both",
        level: Level = "frame",
        step: int = 2,
        gallery_fusion: GalleryFusion = "mean",
        gallery: Literal["test", "all"] = "test",
        frame_base: Literal["auto", "0", "1"] = "auto",
        lr: int | None = None,
        margin: float = 0.0,
        detector: Detector = "mtcnn",
        seed: int = 0,
    ) -> None:
        """Choose the rules.

        Args:
            scenario: scenario of the videos.
            level: ``frame``: each face is a probe; ``video``: all faces of a person in a video are one probe, whose
                score is the mean of theirs (up to a positive factor, which changes no rank).
            step: every step-th annotated frame of a person in a video is used; the paper uses every second one.
            gallery_fusion: the four images of a person become one template, the ``mean`` of their unit embeddings at
                unit length; or the best of their scores counts (``max``), or the mean of their scores (``score``).
            gallery: enrol the test subjects, or everyone.
            frame_base: number of a video's first frame in the coordinate files; ``auto`` derives it from them.
            lr: side of the probes, pixels; None keeps the native size.
            margin: border around the square box, as a fraction of its side on each side.
            detector: detects the faces of the gallery.
            seed: of the split, where the folder has no train_test_split.csv.

        Raises:
            UsageError: an argument is out of range.
        """
        if step < 1:
            raise UsageError(f"dronesurf: step is {step}; expected 1 or more.")
        if not 0 <= margin <= _LARGEST_MARGIN:
            raise UsageError(f"dronesurf: margin is {margin:g}; expected a fraction from 0 to {_LARGEST_MARGIN:g}.")
        if lr is not None and lr and not 2 <= lr <= 1024:
            raise UsageError(f"dronesurf: lr is {lr}; expected none, or 2 to 1024 pixels.")
        self.scenario, self.level, self.step = scenario, level, step
        self.gallery_fusion, self.gallery, self.frame_base = gallery_fusion, gallery, frame_base
        self.lr, self.margin, self.seed = lr or None, margin, seed
        self.detector: Detector = detector
        # for "score" the mean of unit vectors is not scaled: its product with a probe is the mean score
        self.unit_length = gallery_fusion != "score"

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the DroneSURF sample."""
        from protocols.dronesurf.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """The folder that holds the scenarios; see `protocols.base.root.find_root`."""
        return find_root(
            root,
            holds=holds_dronesurf,
            name="DroneSURF",
            expected="folders with Tracking or Activity in their names, and HR Gallery",
            how_to_get=self.how_to_get,
            inside=("dronesurf", "DroneSURF"),
            nearly=below("*[TtAa][RrCc][AaTt][CcIi][KkVv]*", "*", "*"),
        )

    def read(self, root: Path) -> IdentificationSet:
        """List the media, gallery images uncropped; `read_with` crops them to their faces.

        Raises:
            DataError: there is no gallery, no probe, or a split without a test subject.
        """
        return self._identification_set(root, self.choose(root), {}, ())

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """List the media; faces of the gallery are detected once and cached under ``scratch``.

        Raises:
            DataError: as `read`.
            MissingError: the package that brings the detector is not installed.
        """
        chosen = self.choose(root)
        files = [path for subject in chosen.enrolled for path in chosen.listing.gallery[subject]]
        points = detect_faces(files, scratch, progress, detector=self.detector)
        return self._identification_set(root, chosen, points, detection_notes(files, points))

    def published_counts(self) -> dict[str, int]:
        """Gallery images and people searched; the number of annotated faces by split is not published."""
        people = TEST if self.gallery == "test" else SUBJECTS
        return {"gallery": people * GALLERY_IMAGES, "gallery identities": people}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.dronesurf.check`."""
        from protocols.dronesurf.check import check

        return check(root, lambda: self.choose(root), scenario=self.scenario, step=self.step, progress=progress)

    def choose(self, root: Path) -> Chosen:
        """Choose gallery and probes: a pure function of the files, the arguments and the seed.

        Raises:
            DataError: there is no gallery, no probe, or a split without a test subject.
        """
        listing = scan(root)
        if not listing.gallery:
            raise DataError(f"{root} has no gallery: expected images of each person in HR Gallery/<subject>.")
        split = listing.split
        subjects = {*listing.gallery, *(track.subject for track in listing.tracks)}
        in_test = set(draw_test(subjects, self.seed)) if split is None else {s for s in split if split[s] == "test"}
        training = subjects - in_test if split is None else {s for s in split if split[s] == "train"}
        test = frozenset(in_test) & frozenset(listing.gallery)
        coordinates = {track.path: read_coordinates(track.path) for track in listing.tracks}
        base, why = self._first_frame_number(listing, coordinates)
        in_scenario = [
            t for t in listing.tracks if self.scenario in ("both", t.video.scenario) and t.subject in in_test
        ]
        tracks = tuple((track, coordinates[track.path]) for track in in_scenario if track.subject in test)
        if not any(of_track.faces for _, of_track in tracks):
            raise DataError(
                f"No face of {len(in_test)} test subjects is annotated in the videos of scenario {self.scenario}, so "
                f"there is no probe; {len(listing.tracks)} coordinate files were read."
            )
        notes = [f"The first frame of a video has the number {base} ({why})."]
        if split is None:
            names = ", ".join(map(str, sorted(in_test)))
            notes.append(
                f"There is no {SPLIT}; the test subjects were drawn with seed {self.seed}: {names}. The published "
                "split differs."
            )
        not_enrolled = {t.subject for t in in_scenario} - test
        if not_enrolled:
            faces = sum(len(coordinates[t.path].faces) for t in in_scenario if t.subject in not_enrolled)
            notes.append(
                f"{len(not_enrolled)} test subjects are not in the gallery; their {faces:,} faces are left out."
            )
        unassigned = subjects - in_test - training
        if unassigned:
            notes.append(f"{len(unassigned)} subjects are in neither part of {SPLIT}; they are not searched for.")
        notes += fault_notes(listing, tracks, base)
        enrolled = tuple(sorted(test if self.gallery == "test" else listing.gallery))
        if len(enrolled) < 2:
            raise DataError(
                f"{len(enrolled)} of {len(in_test)} test subjects can be enrolled; a search needs two or more people. "
                "Each needs a folder in HR Gallery."
            )
        complete = all(len(listing.gallery[subject]) == GALLERY_IMAGES for subject in enrolled)
        counts = (len(subjects), len(in_test), len(training), len(listing.videos))
        published = counts == (SUBJECTS, TEST, TRAINING, VIDEOS)
        official = split is not None and complete and published and not not_enrolled
        if not official:
            notes.append(
                f"Not the official set: {counts[0]} subjects ({counts[2]} training, {counts[1]} test), {counts[3]} "
                f"videos; the published one has {SUBJECTS} ({TRAINING}, {TEST}), {VIDEOS} and {GALLERY_IMAGES} gallery "
                "images of each."
            )
        return Chosen(listing, tracks, test, enrolled, frozenset(training), base, official, tuple(notes))

    def _first_frame_number(self, listing: Listing, coordinates: Mapping[Path, Coordinates]) -> tuple[int, str]:
        """Number of a video's first frame in the coordinate files, and the reason."""
        from bench.media.video import count_frames

        if self.frame_base != "auto":
            return int(self.frame_base), "by the argument frame_base"
        ranges: dict[Path, tuple[int, int]] = {}
        for track in listing.tracks:
            numbers = [face.frame for face in coordinates[track.path].faces]
            if numbers:
                first, last = ranges.get(track.video.path, (numbers[0], numbers[-1]))
                ranges[track.video.path] = min(first, numbers[0]), max(last, numbers[-1])
        return frame_base(ranges, count_frames)

    def _identification_set(
        self, root: Path, chosen: Chosen, points: dict[Path, Points | None], notes: Iterable[str]
    ) -> IdentificationSet:
        gallery = tuple(
            self._gallery_media(root, subject, path, points.get(path))
            for subject in chosen.enrolled
            for path in chosen.listing.gallery[subject]
        )
        probes = tuple(
            media for track, lines in chosen.tracks for media in self._probe_media(track, lines, chosen.base)
        )
        return IdentificationSet(gallery, probes, official=chosen.official, notes=(*chosen.notes, *notes))

    def _gallery_media(self, root: Path, subject: int, path: Path, points: Points | None) -> Media:
        from protocols.dronesurf.boxes import portrait_box

        key = escaped_name(path.relative_to(root).as_posix())
        return Media(
            key=key,
            path=path.absolute(),
            role="gallery",
            identity=str(subject),
            template=key if self.gallery_fusion == "max" else f"gallery/{subject}",
            attributes={"video": "", "scenario": "", "time": "", "place": ""},
            cut=Cut(box=portrait_box(points, self.margin)) if points else None,
        )

    def _probe_media(self, track: Track, lines: Coordinates, base: int) -> Iterable[Media]:
        from bench.media.crop import square_around

        video = track.video
        template = f"{video.key}/Person{track.subject}"
        for face in lines.faces[:: self.step]:
            key = f"{template}/{face.frame}"
            yield Media(
                key=key,
                path=video.path.absolute(),
                role="probe",
                identity=str(track.subject),
                template=key if self.level == "frame" else template,
                attributes={
                    "video": video.key,
                    "scenario": video.scenario,
                    "time": video.time,
                    "place": video.place,
                    "frame": float(face.frame),
                    "side": max(face.box[2:]),
                },
                cut=Cut(frame=face.frame - base, box=square_around(face.box, self.margin), side=self.lr),
                medium=video.key,
            )
