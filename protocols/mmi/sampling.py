"""Choice of MMI's subjects and frames: one neutral frame is enrolled, seven other frames are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.errors import DataError
from protocols.mmi.session import EMOTIONS, Session
from protocols.views.recipe import Photograph
from protocols.views.seeded import seeded_order
from protocols.views.turned import TurnedFace, Turner

NEUTRAL = "neutral"
OTHER = "none given"


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame of a session and the views rendered from it.

    Attributes:
        session: the session.
        frame: number, from 0.
        expression: one of `EMOTIONS`, `NEUTRAL`, or `OTHER` where none is annotated.
        face: the frontal face and its views.
    """

    session: Session
    frame: int
    expression: str
    face: TurnedFace

    @property
    def key(self) -> str:
        """Session and frame, unique and stable."""
        return f"{self.session.key}#{self.frame}"


@dataclass(frozen=True, slots=True)
class Person:
    """A subject with the enrolled frame and the searched ones, ``moments``, which do not include it."""

    subject: str
    enrolled: Moment
    moments: tuple[Moment, ...]


def draw_people(
    sessions: Sequence[Session], turner: Turner, *, count: int, moments: int, seed: int
) -> Iterator[Person]:
    """Draw subjects and choose their frames; subjects with too few frames come last, if needed.

    Args:
        sessions: all of them.
        turner: renders the frames.
        count: number of people.
        moments: searched frames a person.
        seed: of the draw.

    Yields:
        Up to ``count`` people.
    """
    subjects = {session.subject for session in sessions if session.frontal}
    incomplete: list[Person] = []
    complete = 0
    for subject in seeded_order(subjects, seed):
        person = choose([s for s in sessions if s.subject == subject and s.frontal], turner, moments)
        if person is None:
            continue
        if len(person.moments) < moments:
            incomplete.append(person)
            continue
        complete += 1
        yield person
        if complete == count:
            return
    yield from incomplete[: count - complete]


def choose(sessions: Sequence[Session], turner: Turner, moments: int) -> Person | None:
    """Choose the frames of a subject.

    Enrolled: the first frame of the first clip in which a frontal face is detected. Searched: a neutral first frame of
    another clip, the middle of the apex of one clip for each emotion, then further apex frames of any clip until there
    are enough. A video that cannot be opened counts as rejected.

    Args:
        sessions: the subject's sessions with a frontal view.
        turner: renders the frames.
        moments: number of searched frames.

    Returns:
        None where no frame can be enrolled or none is left to search.
    """
    broken = sum(not session.frames for session in sessions)
    if broken:
        turner.rejected["not a video"] += broken
    ordered = sorted(sessions, key=lambda session: (session.clip, session.key))
    enrolled = _first(((s, s.neutral_frame(), NEUTRAL) for s in ordered), turner)
    if enrolled is None:
        return None
    others = [s for s in ordered if s.key != enrolled.session.key]
    chosen: list[Moment] = []
    wanted = [[(s, s.neutral_frame(), NEUTRAL) for s in others]]
    wanted += [[(s, _middle(s), name) for s in ordered if s.expression == name] for name in EMOTIONS]
    for candidates in wanted:
        moment = _first(candidates, turner)
        if moment is not None and len(chosen) < moments:
            chosen.append(moment)
    used = {enrolled.key, *(moment.key for moment in chosen)}
    for step in range(3):
        for session in ordered:
            frames = session.apex_frames(3)
            if len(chosen) < moments and step < len(frames) and f"{session.key}#{frames[step]}" not in used:
                moment = _first([(session, frames[step], session.expression or OTHER)], turner)
                chosen += [moment] if moment else []
    return Person(enrolled.session.subject, enrolled, tuple(chosen)) if chosen else None


def _first(candidates: Iterable[tuple[Session, int | None, str]], turner: Turner) -> Moment | None:
    """The first candidate with a frontal face."""
    for session, frame, expression in candidates:
        if frame is None:
            continue
        try:
            cuts = session.cuts(frame)
        except DataError as error:
            turner.rejected[str(error)] += 1
            continue
        face = turner.turn(Photograph(session.media, cuts))
        if face is not None:
            return Moment(session, frame, expression, face)
    return None


def _middle(session: Session) -> int | None:
    frames = session.apex_frames(1)
    return frames[0] if frames else None
