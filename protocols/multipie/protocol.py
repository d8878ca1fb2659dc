"""CMU Multi-PIE: faces turned by up to 90 degrees under 20 lights, searched in a gallery of frontal images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, IdentificationSet, Media, Role
from protocols.base.protocol import SampledProtocol
from protocols.base.root import below, find_root
from protocols.multipie.files import Listing, Shot, holds_multipie, scan
from protocols.multipie.sampling import Chosen, GallerySession, by_subject, draw_shots, draw_subjects, enrol
from protocols.multipie.tables import (
    CAMERAS,
    EXPRESSIONS,
    FRONTAL,
    KNOWN_BAD,
    LAST_TRAINING,
    PEOPLE,
    PROBES_A_PERSON,
    SESSIONS,
    SHOTS,
    SURVEILLANCE,
    Setting,
    is_neutral,
)

if TYPE_CHECKING:
    from protocols.multipie.crops import Crop
    from protocols.multipie.files import Take
    from protocols.sample.summary import Sample


@PROTOCOLS.register(
    "multipie",
    summary="Closed-set search of turned faces among one frontal image a person; figures by yaw.",
    source="Gross et al., Multi-PIE, IVC 2010; VividGAN, section VI and table V; settings 1 and 2: TP-GAN, ICCV 2017",
    licence="data set: licensed by Carnegie Mellon University, which see",
)
class MultiPie(SampledProtocol):
    """Every probe is searched in a gallery of one frontal, neutral image of each test subject; every probe has a mate.

    ``paper``: 50 test subjects, 100 probes each. ``1``: session 1, subjects above 150. ``2``: neutral recordings of all
    sessions, subjects above 200. Images are cropped to 128 x 128 like TP-GAN's; probes are then shrunk.
    """

    dataset = "multipie"
    default_align = "template:frame=tpgan128"
    probe_frame = gallery_frame = "tpgan128"
    how_to_get = (
        "CMU Multi-PIE (Gross et al. 2010): 337 people, more than 750,000 images, 15 cameras, 18 flashes, 305 GB.\n"
        "Carnegie Mellon University licenses it (multipie.org): read its terms. This suite never downloads it.\n"
        "Once you have it, point to the folder that holds data/session01/multiview:\n"
        "  bench run --protocol multipie --data-root DIR\n"
        "  bench config set data.multipie DIR\n"
        "  BENCH_DATA=DIR bench run --protocol multipie      (DIR, or a folder in it)\n"
        "Then `bench data check multipie` says whether it is whole."
    )

    def __init__(
        self,
        *,
        setting: Setting = "paper",
        gallery_flash: int = 7,
        gallery_session: GallerySession = "earliest",
        lr: Literal[16, 32, 0] = 16,
        cameras: tuple[str, ...] = (),
        exclude_known_bad: bool = False,
        seed: int = 0,
    ) -> None:
        """Choose setting, gallery and probes.

        Args:
            setting: the paper's, or one of the two common in the literature on frontalisation.
            gallery_flash: shot of the gallery images: 7 (the flash in front), 6 (TP-GAN's choice), 0 (room light).
            gallery_session: session of a subject's gallery image.
            lr: side of the probes, pixels; 0 leaves them at 128.
            cameras: of the probes (``[05_0,04_1]``); by default the twelve at head height other than the frontal one.
            exclude_known_bad: leave out the 22 subjects that one public project lists as misaligned.
            seed: of the draws.

        Raises:
            UsageError: there is no such camera or shot.
        """
        self.setting: Setting = setting
        self.cameras = cameras or tuple(camera for camera in CAMERAS if camera != FRONTAL)
        above = sorted(set(self.cameras) & set(SURVEILLANCE))
        unknown = sorted(set(self.cameras) - set(CAMERAS) - set(SURVEILLANCE))
        if above:
            raise UsageError(
                f"multipie: cameras {', '.join(above)} look down from above; they are not part of the pose sweep."
            )
        if unknown:
            raise UsageError(f"multipie: no cameras {', '.join(unknown)}; there are {', '.join(CAMERAS)}.")
        if gallery_flash not in SHOTS:
            raise UsageError(f"multipie: gallery_flash is a shot from 0 to 19, not {gallery_flash}.")
        self.gallery_flash, self.gallery_session = gallery_flash, gallery_session
        self.lr, self.seed, self.exclude_known_bad = lr, seed, exclude_known_bad

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the Multi-PIE sample."""
        from protocols.multipie.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """The folder that holds ``data/session01/multiview``; see `protocols.base.root.find_root`."""
        return find_root(
            root,
            holds=holds_multipie,
            name="Multi-PIE",
            expected="data/session01/multiview",
            how_to_get=self.how_to_get,
            inside=("multipie", "Multi-PIE", "MultiPIE"),
            nearly=below("data", "session0[1-4]", "multiview"),
        )

    def read(self, root: Path) -> IdentificationSet:
        """List the media uncropped; `read_with` detects the faces.

        Raises:
            DataError: no test subject can be enrolled, or there is no probe.
        """
        return self._identification_set(self.choose(root), {}, ())

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """List the media with their crops; the points they need are detected once and cached under ``scratch``.

        Raises:
            DataError: no test subject can be enrolled, there is no probe, or no face is detected in any image.
            MissingError: the face engine is not installed.
        """
        from protocols.multipie.crops import choose_crops
        from protocols.multipie.landmarks import crop_notes, detect_points

        chosen = self.choose(root)
        points = detect_points(root, chosen.takes(), scratch, progress)
        crops, rejected = choose_crops(points.points)
        return self._identification_set(chosen, crops, crop_notes(points, crops, rejected))

    def published_counts(self) -> dict[str, int]:
        """People searched; and probes in the paper's setting."""
        people = PEOPLE[self.setting]
        probes = {"probe": people * PROBES_A_PERSON} if self.setting == "paper" else {}
        return {"gallery": people, "gallery identities": people, **probes}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.multipie.check`."""
        from protocols.multipie.check import check

        return check(root, lambda: self.choose(root), setting=self.setting, progress=progress)

    def choose(self, root: Path) -> Chosen:
        """Choose gallery and probes: a pure function of the files, the arguments and the seed.

        Raises:
            DataError: no test subject can be enrolled, or there is no probe.
        """
        least = LAST_TRAINING[self.setting]
        excluded = KNOWN_BAD if self.exclude_known_bad else frozenset[int]()
        listing = scan(
            root,
            sessions=(1,) if self.setting == "1" else SESSIONS,
            subjects=lambda subject: subject > least and subject not in excluded,
            recordings=is_neutral,
            cameras={*self.cameras, FRONTAL},
        )
        present = by_subject(listing.shots)
        enrolled = enrol(listing.shots, self.gallery_flash, self.gallery_session, self.seed)
        if not enrolled:
            raise DataError(
                f"None of {len(present)} subjects above {least:03d} has a frontal, neutral image of shot "
                f"{self.gallery_flash:02d}, so there is no gallery. Choose another: multipie:gallery_flash=N."
            )
        wanted = PEOPLE[self.setting]
        subjects = draw_subjects(enrolled, wanted, self.seed) if self.setting == "paper" else sorted(enrolled)
        probes: list[Shot] = []
        for subject in subjects:
            others = [s for s in present[subject] if s.take.camera in self.cameras and s.key != enrolled[subject].key]
            probes += draw_shots(others, PROBES_A_PERSON, self.seed) if self.setting == "paper" else others
        if not probes:
            raise DataError(
                f"The {len(subjects)} test subjects have no image in the cameras {', '.join(self.cameras)}."
            )
        official = len(subjects) == wanted and not excluded and set(self.cameras) == set(CAMERAS) - {FRONTAL}
        if self.setting == "paper":
            official = official and len(probes) == wanted * PROBES_A_PERSON
        notes = self._notes(subjects, probes, len(set(present) - set(enrolled)), listing, official)
        gallery = tuple(enrolled[subject] for subject in subjects)
        return Chosen(gallery, tuple(probes), listing, notes, official)

    def _notes(
        self, subjects: list[int], probes: list[Shot], not_enrolled: int, listing: Listing, official: bool
    ) -> tuple[str, ...]:
        notes = []
        if not official:
            expected = f" and {PEOPLE['paper'] * PROBES_A_PERSON:,} probes" if self.setting == "paper" else ""
            notes.append(
                f"Not the published counts: {len(subjects)} subjects and {len(probes):,} probes; setting "
                f"{self.setting} has {PEOPLE[self.setting]} subjects{expected}."
            )
        if self.setting == "paper":
            names = " ".join(f"{subject:03d}" for subject in subjects)
            notes.append(
                f"The paper does not name its test subjects; these were drawn from those above 200 with seed "
                f"{self.seed}: {names}."
            )
        if not_enrolled:
            notes.append(
                f"{not_enrolled} subjects have no frontal, neutral image of shot {self.gallery_flash:02d}; they are "
                "left out."
            )
        notes += [f"Left out: {len(names):,} {fault}." for fault, names in sorted(listing.faults.items())]
        return tuple(notes)

    def _identification_set(
        self, chosen: Chosen, crops: Mapping[Take, Crop], notes: tuple[str, ...]
    ) -> IdentificationSet:
        if len(chosen.gallery) < 2:
            raise DataError(
                f"One subject can be enrolled; a search needs two or more. {' '.join(chosen.notes)} Choose another "
                "shot: multipie:gallery_flash=N."
            )
        gallery = tuple(self._media(shot, "gallery", crops.get(shot.take)) for shot in chosen.gallery)
        probes = tuple(self._media(shot, "probe", crops.get(shot.take)) for shot in chosen.probes)
        return IdentificationSet(gallery, probes, official=chosen.official, notes=(*chosen.notes, *notes))

    def _media(self, shot: Shot, role: Role, crop: Crop | None) -> Media:
        take, lr = shot.take, 0 if role == "gallery" else self.lr
        return Media(
            key=shot.key,
            path=shot.path.absolute(),
            role=role,
            identity=f"{take.subject:03d}",
            template=shot.key,
            landmarks=crop.landmarks(lr) if crop else None,
            attributes={
                "yaw_deg": float(CAMERAS[take.camera]),
                "camera": take.camera,
                "session": str(take.session),
                "recording": str(take.recording),
                "shot": f"{shot.shot:02d}",
                "expression": EXPRESSIONS[take.session, take.recording],
                "crop": "" if crop is None else "points" if crop.points else "box",
            },
            cut=crop.cut(lr) if crop else None,
        )
