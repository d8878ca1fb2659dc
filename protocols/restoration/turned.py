"""Where the faces of the protocol `restoration` come from: CelebA, MMI, any folder; each turned by the face engine."""

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
"""Test pairs of Zhang et al. 2021, section V.A: a fifth of 80,000 and of 7,200, of people and frames not named."""


@dataclass(frozen=True, slots=True)
class Frontal:
    """A frontal face with its views, and whose it is."""

    person: str
    name: str
    face: TurnedFace


class TurnedPairs(ScratchProtocol):
    """Views of frontal photographs and the photographs: what the sources have in common."""

    default_align = "landmarks"
    backbone: Path | None = None

    def __init__(self, recipe: Recipe, lr: int | None, identities: int, photographs: int) -> None:
        """Take what `restoration` was given; 0 stands for the source's own number."""
        self._recipe, self._lr = recipe, lr
        self.wanted_frame = recipe.frame
        self._identities, self._photographs = identities, photographs

    @abstractmethod
    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        """Faces one after the other, each with (people done, all)."""

    def published_counts(self) -> dict[str, int] | None:
        """Pairs of the paper; None where it has none of this source, or settings are not its own."""
        paper = PAPER.get(self.dataset)
        as_paper = self._recipe.jitter == "paper" and self._lr is not None
        return {"items": paper} if paper is not None and as_paper else None

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> RestorationSet:
        """Choose photographs, turn them, pair views with truths.

        Raises:
            DataError: the data are inconsistent, or no photograph can serve.
            MissingError: the face engine is not installed.
        """
        turner = Turner(scratch, self._recipe)
        notes: list[str] = []
        faces: list[Media] = []
        truths: list[Media] = []
        told = 0
        for frontal, done, total in self._frontal(root, turner, notes):
            for view in frontal.face.views:
                key = f"{frontal.name}@{view_name(view.yaw_deg)}"
                attributes: dict[str, str | float] = {"yaw_deg": view.yaw_deg, "photograph": frontal.name}
                # landmarks are where the restored face shall have them: in the truth
                five, who = frontal.face.five, frontal.person
                faces.append(face_media(key, view.path, "probe", who, five, lr=self._lr, attributes=attributes))
                truths.append(face_media(f"truth of {key}", frontal.face.truth, "gallery", who, five, template=key))
            if progress and done != told:
                progress(done, total)
                told = done
        if not faces:
            raise DataError(f"No photograph in {root} can serve. {' '.join(turner.note())}".rstrip())
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
        """That of the database's sample."""
        from protocols.celeba.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder of pictures and lists."""
        from protocols.celeba.files import find_celeba

        return find_celeba(root)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """What the protocol celeba checks."""
        from protocols.celeba.check import check

        return check(root, progress)

    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        from protocols.celeba.people import searchable_people, turned_people

        people = searchable_people(root)
        notes += people.notes
        total = min(self._identities or 1000, len(people.pictures))
        done = 0
        for person, found in turned_people(people, turner, self._photographs or 2, seed=self._recipe.seed):
            done += bool(found)
            for name, face in found:
                yield Frontal(person, name, face), done, total
            if done == total:
                return


class MmiPairs(TurnedPairs):
    """Frames of MMI's subjects: neutral, the apex of each emotion, and others."""

    dataset = "mmi"
    how_to_get = "See the protocol mmi: bench data check mmi DIR"

    @classmethod
    def sample_writer(cls) -> Sample:
        """That of the database's sample."""
        from protocols.mmi.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Sessions``."""
        from protocols.mmi.files import find_mmi

        return find_mmi(root)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """What the protocol mmi checks."""
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
        "person=folder takes the folder of a photograph for its person; by default each is one of its own.\n"
        "LR and restored versions among them (folders LR, SR, x8; files 0001_LR, 0001x8) are left out and counted.\n"
        "Pairs of LR faces and truths that you have are measured by restoration:source=pairs,lr=LR,hr=HR."
    )

    def __init__(self, recipe: Recipe, lr: int | None, identities: int, photographs: int, *, by_folder: bool) -> None:
        """As `TurnedPairs`; ``by_folder``: whether the folder names the person."""
        super().__init__(recipe, lr, identities, photographs)
        self._by_folder = by_folder

    def locate(self, root: Path) -> Path:
        """Return the folder itself.

        Raises:
            MissingError: it is no folder.
            DataError: there are no photographs in it.
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
        left = [list_line(f"pictures that {why}", names, level="differs") for why, names in truths.left_out.items()]
        return [count_line("photographs", len(truths.files), None), *left, *opened]

    def _frontal(self, root: Path, turner: Turner, notes: list[str]) -> Iterator[tuple[Frontal, int, int]]:
        people: dict[str, list[Path]] = {}
        truths = self._truths(root)
        notes += truths.notes()
        if not truths.files:
            raise DataError(f"{root} holds no photograph that can be a truth. {' '.join(notes)}")
        for path in truths.files:
            name = path.relative_to(root)
            people.setdefault((name.parent if self._by_folder else name).as_posix(), []).append(path)
        total = min(self._identities or len(people), len(people))
        done = 0
        for person in seeded_order(people, self._recipe.seed):
            turned = 0
            for path in people[person]:
                face = turner.turn(Photograph(path))
                if face is not None:
                    done += not turned
                    turned += 1
                    yield Frontal(person, escaped_name(path.relative_to(root).as_posix()), face), done, total
                if turned and turned == self._photographs:
                    break
            if done == total:
                return

    def _truths(self, root: Path) -> Truths:
        """The pictures that a run may take for truths; a check judges the same."""
        from bench.faces.pairs.pack import photographs

        return find_truths(root, [path for path in photographs(root) if inside_of(root, path)])
