"""Sources of the protocol `restoration` with rendered views: CelebA, MMI, any folder of photographs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import DataError
from bench.interfaces import Progress
from bench.io.image_formats import IMAGE_ENDINGS
from bench.studies import RestorationSet
from bench.types import CheckLine, Media
from protocols.base.protocol import ScratchProtocol
from protocols.base.root import demand_folder, escaped_name, inside_of
from protocols.restoration.picture_roles import Truths, find_truths
from protocols.views.recipe import Photograph, Recipe
from protocols.views.seeded import seeded_order
from protocols.views.turned import TurnedFace, Turner, face_media, view_name

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

PAPER = {"celeba": 16_000, "mmi": 1440}
"""Test pairs of Zhang et al. 2021, section V.A: a fifth of 80,000 and of 7,200; people and frames are not named."""


@dataclass(frozen=True, slots=True)
class Frontal:
    """A frontal face with its rendered views, and its person."""

    person: str
    name: str
    face: TurnedFace


class TurnedPairs(ScratchProtocol):
    """Base of the sources: rendered views of frontal photographs, paired with the photographs."""

    default_align = "landmarks"
    backbone: Path | None = None

    def __init__(self, recipe: Recipe, lr: int | None, identities: int, photographs: int) -> None:
        """Store the arguments of `restoration`; 0 stands for the source's default number."""
        self._recipe, self._lr = recipe, lr
        self.wanted_frame = recipe.frame
        self._identities, self._photographs = identities, photographs

    @abstractmethod
    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        """Yield faces, each with the numbers of people done and of all."""

    def published_counts(self) -> dict[str, int] | None:
        """Pairs of the paper; None where it has none of this source, or the settings are not the paper's."""
        paper = PAPER.get(self.dataset)
        as_paper = self._recipe.jitter == "paper" and self._lr is not None
        return {"items": paper} if paper is not None and as_paper else None

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> RestorationSet:
        """Choose photographs, render their views, and pair views with truths.

        Raises:
            DataError: the data are inconsistent, or no photograph shows a usable frontal face.
            MissingError: the face engine is not installed.
        """
        turner = Turner(scratch, self._recipe)
        notes: list[str] = []
        faces: list[Media] = []
        truths: list[Media] = []
        reported = 0
        for frontal, done, total in self._frontal(root, turner, notes):
            for view in frontal.face.views:
                key = f"{frontal.name}@{view_name(view.yaw_deg)}"
                attributes: dict[str, str | float] = {"yaw_deg": view.yaw_deg, "photograph": frontal.name}
                # landmarks are those of the truth, where the restored face should have them
                five, who = frontal.face.five, frontal.person
                faces.append(face_media(key, view.path, "probe", who, five, lr=self._lr, attributes=attributes))
                truths.append(face_media(f"truth of {key}", frontal.face.truth, "gallery", who, five, template=key))
            if progress and done != reported:
                progress(done, total)
                reported = done
        if not faces:
            raise DataError(f"No photograph in {root} shows a usable frontal face. {' '.join(turner.note())}".rstrip())
        paper = PAPER.get(self.dataset)
        if paper is not None and len(faces) != paper:
            notes.append(f"Not the paper's number: {len(faces):,} of {paper:,} pairs.")
        official = None
        if paper is not None:
            official = len(faces) == paper and self._recipe.jitter == "paper" and self._lr is not None
        return RestorationSet(tuple(faces), tuple(truths), official=official, notes=(*notes, *turner.note()))


class CelebAPairs(TurnedPairs):
    """People of CelebA's test partition, the most frontal photographs of each first."""

    dataset = "celeba"
    how_to_get = "See the protocol celeba: bench data check celeba DIR"

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the CelebA sample."""
        from protocols.celeba.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder of images and lists."""
        from protocols.celeba.files import find_celeba

        return find_celeba(root)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """The lines of the protocol celeba."""
        from protocols.celeba.check import check

        return check(root, progress)

    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        from protocols.celeba.people import searchable_people, turned_people

        people = searchable_people(root)
        notes += people.notes
        total = min(self._identities or 1000, len(people.pictures))
        done = 0
        for person, faces in turned_people(people, turner, self._photographs or 2, seed=self._recipe.seed):
            done += bool(faces)
            for name, face in faces:
                yield Frontal(person, name, face), done, total
            if done == total:
                return


class MmiPairs(TurnedPairs):
    """Frames of MMI's subjects: neutral, the apex of each emotion, and others."""

    dataset = "mmi"
    how_to_get = "See the protocol mmi: bench data check mmi DIR"

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the MMI sample."""
        from protocols.mmi.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Sessions``."""
        from protocols.mmi.files import find_mmi

        return find_mmi(root)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """The lines of the protocol mmi."""
        from protocols.mmi.check import check

        return check(root, progress)

    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        from protocols.mmi.files import load_sessions
        from protocols.mmi.protocol import fault_notes
        from protocols.mmi.sampling import draw_people

        sessions, faults = load_sessions(root)
        notes += fault_notes(faults)
        count, moments = self._identities or 15, self._photographs or 12
        total = min(count, len({session.subject for session in sessions}))
        drawn_people = draw_people(sessions, turner, count=count, moments=moments, seed=self._recipe.seed)
        names = []
        for done, person in enumerate(drawn_people, 1):
            names.append(person.subject)
            for moment in person.moments:
                yield Frontal(person.subject, moment.key, moment.face), done, total
        notes.append(f"Subjects restored, whom a hallucinator must not be trained on: {', '.join(names)}.")


class FolderPairs(TurnedPairs):
    """Any folder of frontal photographs."""

    dataset = "folder"
    how_to_get = (
        "restoration:source=folder measures on any folder of frontal photographs, one face each:\n"
        "  bench run --protocol restoration:source=folder --data-root DIR\n"
        "With person=folder the folder of a photograph is its person; by default each photograph is a person.\n"
        "LR and restored versions among them (folders LR, SR, x8; files 0001_LR, 0001x8) are left out and counted.\n"
        "Existing pairs of LR faces and truths are measured by restoration:source=pairs,lr=LR,hr=HR."
    )

    def __init__(self, recipe: Recipe, lr: int | None, identities: int, photographs: int, *, by_folder: bool) -> None:
        """As `TurnedPairs`; ``by_folder``: whether the folder of a photograph is its person."""
        super().__init__(recipe, lr, identities, photographs)
        self._by_folder = by_folder

    def locate(self, root: Path) -> Path:
        """Return the folder itself.

        Raises:
            MissingError: it does not exist.
            DataError: it holds no photographs.
        """
        demand_folder(root, self.how_to_get)
        if not any(path.suffix.lower() in IMAGE_ENDINGS for path in root.rglob("*")):
            raise DataError(f"{root} holds no photographs ({', '.join(IMAGE_ENDINGS)}).")
        return root

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Open every photograph."""
        from protocols.base.checks import count_line, list_line, open_files, refused_line

        try:
            truths = self._truths(root)
        except DataError as error:
            return [refused_line(error)]
        opened, _ = open_files(root, {"photograph": truths.files}, progress)
        left_out = [list_line(f"images that {why}", names, level="differs") for why, names in truths.left_out.items()]
        return [count_line("photographs", len(truths.files), None), *left_out, *opened]

    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        people: dict[str, list[Path]] = {}
        truths = self._truths(root)
        notes += truths.notes()
        if not truths.files:
            raise DataError(f"{root} holds no photograph that can be used as truth. {' '.join(notes)}")
        for path in truths.files:
            name = path.relative_to(root)
            people.setdefault((name.parent if self._by_folder else name).as_posix(), []).append(path)
        total = min(self._identities or len(people), len(people))
        done = 0
        for person in seeded_order(people, self._recipe.seed):
            used = 0
            for path in people[person]:
                face = turner.turn(Photograph(path))
                if face is not None:
                    done += not used
                    used += 1
                    yield Frontal(person, escaped_name(path.relative_to(root).as_posix()), face), done, total
                if used and used == self._photographs:
                    break
            if done == total:
                return

    def _truths(self, root: Path) -> Truths:
        """The images that a run and a check use as truths."""
        from bench.faces.pairs.pack import photographs

        return find_truths(root, [path for path in photographs(root) if inside_of(root, path)])
