"""DroneSURF: faces in videos taken by drones, searched among four high-resolution images of each person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, Cut, IdentificationSet, Media, Points
from protocols.base.protocol import SampledProtocol
from protocols.base.root import below, find_root, printable
from protocols.dronesurf.annotations import NO_NUMBERS, Coordinates, read_coordinates
from protocols.dronesurf.files import SPLIT, Track, holds_dronesurf, scan
from protocols.dronesurf.split import (
    GALLERY_IMAGES,
    SUBJECTS,
    TEST,
    TRAINING,
    VIDEOS,
    Chosen,
    draw_test,
    frame_base,
)
from protocols.views.detected import Detector, find_faces, found_notes

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

    Probes are frames of videos cut to a square around the annotated box, at the size they have.
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
            scenario: of the videos.
            level: ``frame``: each face is a probe; ``video``: all of a person in a video are one, whose score is the
                mean of theirs (up to a factor of the probe's own, which no ranking sees).
            step: each how-manieth annotated frame of a person in a video is taken; 2 is the paper's alternate one.
            gallery_fusion: the four images of a person become one template, the ``mean`` of their unit embeddings at
                unit length; or the best of them counts (``max``), or the mean of their scores (``score``).
            gallery: enrol the test subjects, or everyone.
            frame_base: number of a video's first frame in the coordinate files; ``auto`` decides it from them.
            lr: side the probes are brought to, pixels; None leaves them as they are.
            margin: border around the square box, as a fraction of its side on each side.
            detector: what finds the faces of the gallery.
            seed: of the split, where the folder has no train_test_split.csv.

        Raises:
            UsageError: an argument is out of range.
        """
        if step < 1:
            raise UsageError(f"dronesurf: step is 1 or more, not {step}.")
        if not 0 <= margin <= _LARGEST_MARGIN:
            raise UsageError(f"dronesurf: margin is a fraction from 0 to {_LARGEST_MARGIN:g}, not {margin:g}.")
        if lr is not None and lr and not 2 <= lr <= 1024:
            raise UsageError(f"dronesurf: lr is none, or 2 to 1024 pixels, not {lr}.")
        self.scenario, self.level, self.step = scenario, level, step
        self.gallery_fusion, self.gallery, self.frame_base = gallery_fusion, gallery, frame_base
        self.lr, self.margin, self.seed = lr or None, margin, seed
        self.detector: Detector = detector
        self.unit_length = (
            gallery_fusion != "score"
        )  # means of unit vectors as they are: their product is the mean score

    @classmethod
    def sample_writer(cls) -> Sample:
        """That of the database's sample."""
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
        """List the media, gallery images as they are; `read_with` cuts them to their faces.

        Raises:
            DataError: there is no gallery, no probe, or a split that says nothing.
        """
        return self._study(root, self.choose(root), {}, ())

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """List the media; faces of the gallery are looked for once and kept under ``scratch``.

        Raises:
            DataError: as `read`.
            MissingError: the package that brings the detector is not installed.
        """
        chosen = self.choose(root)
        files = [path for subject in chosen.enrolled for path in chosen.listing.gallery[subject]]
        found = find_faces(files, scratch, progress, detector=self.detector)
        return self._study(root, chosen, found, found_notes(files, found))

    def published_counts(self) -> dict[str, int]:
        """Gallery images and people searched; how many faces are annotated is not published."""
        people = TEST if self.gallery == "test" else SUBJECTS
        return {"gallery": people * GALLERY_IMAGES, "gallery identities": people}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.dronesurf.check`."""
        from protocols.dronesurf.check import check

        return check(root, lambda: self.choose(root), scenario=self.scenario, step=self.step, progress=progress)

    def choose(self, root: Path) -> Chosen:
        """Choose gallery and probes: a pure function of what is listed, the arguments and the seed.

        Raises:
            DataError: there is no gallery, no probe, or a split that says nothing.
        """
        from bench.media.video import count_frames

        listing = scan(root)
        if not listing.gallery:
            raise DataError(f"{root} has no gallery: expected images of each person in HR Gallery/<subject>.")
        everyone = {*listing.gallery, *(track.subject for track in listing.tracks)}
        split = listing.split
        named = set(draw_test(everyone, self.seed)) if split is None else {s for s in split if split[s] == "test"}
        training = everyone - named if split is None else {s for s in split if split[s] == "train"}
        test = frozenset(named) & frozenset(listing.gallery)
        lines = {track.path: read_coordinates(track.path) for track in listing.tracks}
        frames: dict[Path, tuple[int, int]] = {}
        for track in listing.tracks:
            numbers = [face.frame for face in lines[track.path].faces]
            if numbers:
                first, last = frames.get(track.video.path, (numbers[0], numbers[-1]))
                frames[track.video.path] = min(first, numbers[0]), max(last, numbers[-1])
        base, why = (
            frame_base(frames, count_frames) if self.frame_base == "auto" else (int(self.frame_base), "as asked for")
        )
        wanted = [t for t in listing.tracks if self.scenario in ("both", t.video.scenario) and t.subject in named]
        tracks = tuple((track, lines[track.path]) for track in wanted if track.subject in test)
        if not any(coordinates.faces for _, coordinates in tracks):
            raise DataError(
                f"No face of {len(named)} test subjects is annotated in the videos of scenario {self.scenario}, so "
                f"there is no probe; {len(listing.tracks)} coordinate files were found."
            )
        notes = [f"The first frame of a video has the number {base} ({why})."]
        if split is None:
            drawn = ", ".join(map(str, sorted(named)))
            notes.append(
                f"There is no {SPLIT}; seed {self.seed} drew the test subjects {drawn}. The published split differs."
            )
        strangers = sorted({t.subject for t in wanted} - test)
        if strangers:
            faces = sum(len(lines[t.path].faces) for t in wanted if t.subject in strangers)
            notes.append(f"{len(strangers)} test subjects are not in the gallery; their {faces:,} faces are left out.")
        others = everyone - named - training
        if others:
            notes.append(f"{len(others)} subjects are in neither part of {SPLIT}; they are not searched for.")
        absent = sum(_beyond(track, coordinates, base, count_frames(track.video.path)) for track, coordinates in tracks)
        if absent:
            notes.append(f"{absent:,} annotated frames are not in their videos; they count as failures.")
        faults: Counter[str] = Counter({fault: len(names) for fault, names in listing.faults.items()})
        for _, coordinates in tracks:
            faults.update(coordinates.faults)
        odd = [coordinates.first for _, coordinates in tracks if coordinates.first]
        notes += [
            f"Found {count:,} {fault}{f' ({odd[0]})' if odd and fault == NO_NUMBERS else ''}."
            for fault, count in sorted(faults.items())
        ]
        enrolled = tuple(sorted(test if self.gallery == "test" else listing.gallery))
        if len(enrolled) < 2:
            raise DataError(
                f"{len(enrolled)} person can be enrolled, of {len(named)} test subjects; a search needs two or more. "
                "Has everyone a folder in HR Gallery?"
            )
        whole = all(len(listing.gallery[subject]) == GALLERY_IMAGES for subject in enrolled)
        counts = (len(everyone), len(named), len(training), len(listing.videos))
        official = split is not None and whole and counts == (SUBJECTS, TEST, TRAINING, VIDEOS) and not strangers
        if not official:
            notes.append(
                f"Not the official set: {counts[0]} subjects ({counts[2]} training, {counts[1]} test), {counts[3]} "
                f"videos; the published one has {SUBJECTS} ({TRAINING}, {TEST}), {VIDEOS} and {GALLERY_IMAGES} gallery "
                "images of each."
            )
        return Chosen(listing, tracks, test, enrolled, frozenset(training), base, official, tuple(notes))

    def _study(
        self, root: Path, chosen: Chosen, found: dict[Path, Points | None], notes: Iterable[str]
    ) -> IdentificationSet:
        gallery = tuple(
            self._enrolled(root, subject, path, found.get(path))
            for subject in chosen.enrolled
            for path in chosen.listing.gallery[subject]
        )
        probes = tuple(media for track, lines in chosen.tracks for media in self._probes(track, lines, chosen.base))
        return IdentificationSet(gallery, probes, official=chosen.official, notes=(*chosen.notes, *notes))

    def _enrolled(self, root: Path, subject: int, path: Path, points: Points | None) -> Media:
        from protocols.dronesurf.boxes import portrait_box

        key = printable(path.relative_to(root).as_posix())
        return Media(
            key=key,
            path=path.absolute(),
            role="gallery",
            identity=str(subject),
            template=key if self.gallery_fusion == "max" else f"gallery/{subject}",
            attributes={"video": "", "scenario": "", "time": "", "place": ""},
            cut=Cut(box=portrait_box(points, self.margin)) if points else None,
        )

    def _probes(self, track: Track, lines: Coordinates, base: int) -> Iterable[Media]:
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


def _beyond(track: Track, coordinates: Coordinates, base: int, frames: int) -> int:
    """Annotated frames that the video's header says it does not have; 0 where the video is absent, which is told."""
    return sum(not base <= face.frame < base + frames for face in coordinates.faces) if frames else 0
