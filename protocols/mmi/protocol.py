"""MMI: one neutral frame of each subject is enrolled, rendered views of other frames are searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import Frame
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, IdentificationSet, Media
from protocols.base.turned_search import TurnedSearch
from protocols.mmi.files import HOW_TO_GET, Fault, find_mmi, load_sessions
from protocols.mmi.sampling import Person, draw_people
from protocols.views.recipe import JitterName
from protocols.views.turned import Turner, face_media, view_name

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

PAPER = {"gallery": 16, "probe": 896}
_MOMENTS = 7


@PROTOCOLS.register(
    "mmi",
    summary="1:N search of turned views of MMI's subjects; gallery of one frontal neutral frame each.",
    source="Pantic et al., Web-Based Database for Facial Expression Analysis, ICME 2005; search of Zhang et al. 2021, "
    "Table V",
    licence="data set: account after a signed agreement; free for the scientific community",
)
class Mmi(TurnedSearch):
    """16 subjects drawn by a seed; 7 frames each (neutral and the six emotions, where shown) at 8 yaws.

    The paper has 16 enrolled subjects and 896 probes (16 x 7 x 8), without naming subjects or frames. The views are
    rendered by the face engine; see `protocols.views.turned`.
    """

    dataset = "mmi"
    how_to_get = HOW_TO_GET
    ranks = (1, 5, 10)
    paper = PAPER

    def __init__(
        self,
        *,
        lr: Literal[16, 32, 0] = 16,
        identities: int = 16,
        jitter: JitterName = "paper",
        frame: Frame = "utkface200",
        seed: int = 0,
    ) -> None:
        """Choose subjects and probes.

        Args:
            lr: side of the probes, pixels; 0 leaves them at 128.
            identities: subjects drawn; all others may be trained on.
            jitter: how far each probe is turned, shifted and scaled at random before it is shrunk: ``paper`` (up to 45
                degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.
            frame: frame of the frontal faces; ``utkface200`` is the frame of the shipped weights.
            seed: of the draw and of the similarities.

        Raises:
            UsageError: fewer than two identities.
        """
        super().__init__(lr=lr, identities=identities, jitter=jitter, frame=frame, seed=seed)

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the MMI sample."""
        from protocols.mmi.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Sessions``, or downloads that do."""
        return find_mmi(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """Draw subjects, choose their frames and render the views.

        Raises:
            DataError: there is no session, or nobody has a neutral frontal frame and another.
            MissingError: the face engine is not installed.
        """
        sessions, faults = load_sessions(root)
        turner = Turner(scratch, self._recipe)
        subjects = {session.subject for session in sessions}
        people: list[Person] = []
        drawn_people = draw_people(sessions, turner, count=self._identities, moments=_MOMENTS, seed=self._seed)
        for person in drawn_people:
            people.append(person)
            if progress:
                progress(len(people), min(self._identities, len(subjects)))
        gallery = [
            face_media(f"gallery/{p.enrolled.key}", p.enrolled.face.truth, "gallery", p.subject, p.enrolled.face.five)
            for p in people
        ]
        probes = [probe for person in people for probe in turned_probes(person, self._lr)]
        notes = [*fault_notes(faults), *turner.note("frames")]
        if people:
            names = ", ".join(person.subject for person in people)
            notes.insert(0, f"Subjects searched, whom a hallucinator must not be trained on: {names}.")
        return self._identification_set(gallery, probes, notes, among=len(subjects))

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with what is published; see `protocols.mmi.check`."""
        from protocols.mmi.check import check

        return check(root, progress)


def turned_probes(person: Person, lr: int | None) -> list[Media]:
    """The rendered views of a person's frames as LR probes."""
    return [
        face_media(
            f"probe/{moment.key}@{view_name(view.yaw_deg)}",
            view.path,
            "probe",
            person.subject,
            view.five,
            lr=lr,
            attributes={"yaw_deg": view.yaw_deg, "photograph": moment.key, "expression": moment.expression},
        )
        for moment in person.moments
        for view in moment.face.views
    ]


def fault_notes(faults: tuple[Fault, ...]) -> tuple[str, ...]:
    """Notes about faulty sessions: those left out, and those used without their faulty file."""
    sentences = []
    for lost, what in ((True, "left out"), (False, "used without their faulty files")):
        kinds = sorted({fault.what for fault in faults if fault.lost == lost})
        if kinds:
            folders = {fault.folder for fault in faults if fault.lost == lost}
            more = f" and {len(kinds) - 3} more" if len(kinds) > 3 else ""
            sentences.append(f"{len(folders):,} sessions are {what}: {'; '.join(kinds[:3])}{more}.")
    return tuple(sentences)
