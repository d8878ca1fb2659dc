"""CelebA: one frontal photograph of each person of the test partition is enrolled, rendered views are searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import Frame
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, IdentificationSet, Media
from protocols.base.turned_search import TurnedSearch
from protocols.celeba.files import HOW_TO_GET, PAPER, find_celeba
from protocols.celeba.people import searchable_people, turned_people
from protocols.views.recipe import JitterName
from protocols.views.turned import TurnedFace, Turner, face_media, view_name

if TYPE_CHECKING:
    from protocols.sample.summary import Sample


@PROTOCOLS.register(
    "celeba",
    summary="1:N search of turned views of CelebA's test people; gallery of one frontal photograph each.",
    source="Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015; search of Zhang et al. 2021, Table V",
    licence="data set: non-commercial research only, no redistribution; identities on request",
)
class CelebA(TurnedSearch):
    """1,000 people of the test partition, drawn by a seed; 8 views each, at yaw 22, 40, 55, 75 degrees to both sides.

    The paper does not name its people. The views are rendered by the face engine from frontal photographs (the paper's
    by a 3D face model); see `protocols.views.turned`.
    """

    dataset = "celeba"
    how_to_get = HOW_TO_GET
    ranks = (1, 5, 10, 20)
    paper = PAPER

    def __init__(
        self,
        *,
        lr: Literal[16, 32, 0] = 16,
        probe: Literal["same", "other"] = "same",
        identities: int = 1000,
        jitter: JitterName = "paper",
        frame: Frame = "utkface200",
        seed: int = 0,
    ) -> None:
        """Choose people and probes.

        Args:
            lr: side of the probes, pixels; 0 leaves them at 128.
            probe: views of the ``same`` photograph that is enrolled, as in the paper, or of an ``other`` photograph of
                the person.
            identities: people drawn from the test partition.
            jitter: how far each probe is turned, shifted and scaled at random before it is shrunk: ``paper`` (up to 45
                degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.
            frame: frame of the frontal faces; ``utkface200`` is the frame of the shipped weights.
            seed: of the draw and of the similarities.

        Raises:
            UsageError: fewer than two identities.
        """
        super().__init__(lr=lr, identities=identities, jitter=jitter, frame=frame, seed=seed)
        self._probe = probe

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the CelebA sample."""
        from protocols.celeba.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder of images and lists; see `protocols.celeba.files.find_celeba`."""
        return find_celeba(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """Draw people, choose a frontal photograph of each (two for ``probe=other``) and render its views.

        Raises:
            DataError: a list is absent or damaged, or nobody has a frontal photograph.
            MissingError: the face engine is not installed.
        """
        people = searchable_people(root)
        turner = Turner(scratch, self._recipe)
        gallery: list[Media] = []
        probes: list[Media] = []
        wanted = 2 if self._probe == "other" else 1
        skipped = 0
        for person, faces in turned_people(people, turner, wanted, seed=self._seed):
            if len(faces) < wanted:
                skipped += 1
            else:
                name, face = faces[0]
                gallery.append(face_media(f"gallery/{name}", face.truth, "gallery", person, face.five))
                probes += self._probes(person, *faces[-1])
            if progress:
                progress(len(gallery), min(self._identities, len(people.pictures)))
            if len(gallery) == self._identities:
                break
        notes = [*people.notes, *turner.note()]
        if skipped:
            what = "two different frontal photographs" if wanted == 2 else "a frontal photograph"
            notes.append(f"{skipped:,} people without {what} in the test partition were skipped.")
        return self._identification_set(gallery, probes, notes, among=len(people.pictures), whole=people.whole)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.celeba.check`."""
        from protocols.celeba.check import check

        return check(root, progress)

    def _probes(self, person: str, name: str, face: TurnedFace) -> Iterator[Media]:
        for view in face.views:
            yield face_media(
                f"probe/{name}@{view_name(view.yaw_deg)}",
                view.path,
                "probe",
                person,
                view.five,
                lr=self._lr,
                attributes={"yaw_deg": view.yaw_deg, "photograph": name},
            )
