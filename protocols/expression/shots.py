"""Which frames of MMI and CK+ show which expression: a neutral first one and three at the peak of each sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import DataError
from bench.types import Cut
from protocols.expression.ckplus import (
    OFFICIAL_LABELLED,
    OFFICIAL_SEQUENCES,
    OFFICIAL_SUBJECTS,
    Sequence,
    load_sequences,
)
from protocols.mmi.files import load_sessions
from protocols.mmi.session import Session
from protocols.views.recipe import Photograph

NEUTRAL = "neutral"
SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
SEVEN = (*SIX, NEUTRAL)
PEAKS = 3


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame or still that shows an expression.

    Attributes:
        key: unique and stable.
        person: whom it shows.
        expression: one of `SEVEN`.
        photograph: the file, and crops that may show the frontal face.
    """

    key: str
    person: str
    expression: str
    photograph: Photograph


@dataclass(frozen=True)
class Listed:
    """The shots of a database.

    Attributes:
        shots: in the order of the database.
        official: whether its sequences are the published ones.
        notes: sentences about what was left out.
        sequences: number of sequences used, by expression.
    """

    shots: tuple[Shot, ...]
    official: bool
    notes: tuple[str, ...]
    sequences: Mapping[str, int] = field(default_factory=dict)


def mmi_shots(root: Path) -> Listed:
    """Shots of MMI's clips that show one of the six emotions in a frontal or dual view.

    No list of sequences is published, so `Listed.official` is False. Clips with temporal coding give three frames at
    their apex, others three of their middle fifth; the first frame is neutral, unless it is coded as moving.

    Args:
        root: as `protocols.mmi.files.find_mmi` gives it.

    Raises:
        DataError: no session can be used.
    """
    from protocols.mmi.protocol import fault_notes

    sessions, faults = load_sessions(root)
    left_out: Counter[str] = Counter()
    used: Counter[str] = Counter()
    shots: list[Shot] = []
    without_neutral = 0
    for session in sessions:
        reason = _why_left_out(session)
        session_shots: list[Shot] = []
        if not reason:
            try:
                session_shots = _session_shots(session)
            except DataError as error:
                reason = str(error)
        if reason or not session_shots:
            left_out[reason or "no frame at the apex"] += 1
            continue
        used[str(session.expression)] += 1
        without_neutral += session.neutral_frame() is None
        shots += session_shots
    notes = [*fault_notes(faults), *_left_out("sessions", left_out)]
    if without_neutral:
        notes.append(
            f"{without_neutral:,} clips are coded as moving from their first frame, which is not used as neutral."
        )
    if not shots:
        raise DataError(f"{root}: no session of MMI shows one of the six emotions from the front. {' '.join(notes)}")
    notes.append(
        f"{used.total():,} clips of {len({shot.person for shot in shots}):,} people ({_list_counts(used)}). No list of "
        "sequences is published for MMI."
    )
    return Listed(tuple(shots), official=False, notes=tuple(notes), sequences=used)


def ckplus_shots(root: Path) -> Listed:
    """Shots of CK+'s labelled sequences: the first frame as neutral, the last three as the emotion.

    Contempt, labels without a name and sequences that end before their labelled peak are left out and counted.

    Args:
        root: as `protocols.expression.ckplus.find_ckplus` gives it.

    Raises:
        DataError: no sequence can be used.
    """
    sequences, faults = load_sequences(root)
    left_out: Counter[str] = Counter()
    used: Counter[str] = Counter()
    shots: list[Shot] = []
    gaps = 0
    for sequence in sequences:
        reason = _why_sequence_left_out(sequence)
        if reason:
            left_out[reason] += 1
            continue
        used[str(sequence.expression)] += 1
        gaps += not sequence.whole
        shots += _sequence_shots(sequence)
    notes = [*_left_out("sequences", left_out), *(f"{count:,} {what}." for what, count in sorted(faults.items()))]
    if gaps:
        notes.append(f"{gaps:,} sequences lack frames between their first and their peak, or go on after it.")
    if not shots:
        raise DataError(f"{root}: no sequence of CK+ shows one of the six emotions. {' '.join(notes)}")
    labelled = Counter(sequence.expression for sequence in sequences if sequence.expression)
    people = {sequence.subject for sequence in sequences}
    counts = (len(sequences), len(people), labelled)
    official = counts == (OFFICIAL_SEQUENCES, OFFICIAL_SUBJECTS, OFFICIAL_LABELLED)
    if not official:
        notes.append(
            f"Not the official set: {len(sequences):,} of {OFFICIAL_SEQUENCES} sequences, {len(people):,} of "
            f"{OFFICIAL_SUBJECTS} people, {labelled.total():,} of {sum(OFFICIAL_LABELLED.values())} labelled."
        )
    incomplete = gaps or any("peak" in reason for reason in left_out)
    return Listed(tuple(shots), official=official and not incomplete, notes=tuple(notes), sequences=used)


def _why_left_out(session: Session) -> str:
    """Why a session of MMI is left out; empty where it is used."""
    if session.emotion is None:
        return "without an emotion (action units alone)"
    if session.expression is None:
        return "with an emotion code outside 1 to 6"
    if not session.frontal:
        return "not seen from the front"
    if not session.film:
        return "stills, not sequences"
    return "" if session.frames else "videos that cannot be opened"


def _session_shots(session: Session) -> list[Shot]:
    neutral = session.neutral_frame()
    moments = [] if neutral is None else [(neutral, NEUTRAL)]
    moments += [(f, str(session.expression)) for f in session.apex_frames(PEAKS) if f != neutral]
    return [
        Shot(f"{session.key}#{frame}", session.subject, shown, Photograph(session.media, session.cuts(frame)))
        for frame, shown in moments
    ]


def _why_sequence_left_out(sequence: Sequence) -> str:
    if sequence.emotion is None:
        return "without an emotion label"
    if sequence.expression not in SIX:
        return f"labelled {sequence.expression or 'with a code outside 0 to 7'}"
    if sequence.peak not in sequence.numbers:
        return "without the peak frame of their label"
    return ""


def _sequence_shots(sequence: Sequence) -> list[Shot]:
    """The first frame, where it is frame 1, and the last three up to the peak."""
    last = sequence.numbers.index(sequence.peak or 0) + 1
    peaks = [place for place in range(max(last - PEAKS, 0), last) if sequence.numbers[place] > 1]
    moments = [(0, NEUTRAL)] if sequence.numbers[0] == 1 else []
    moments += [(place, str(sequence.expression)) for place in peaks]
    return [
        Shot(f"{sequence.key}/{sequence.frames[place].name}", sequence.subject, shown, _picture(sequence.frames[place]))
        for place, shown in moments
    ]


def _picture(path: Path) -> Photograph:
    return Photograph(path, (Cut(),))


def _left_out(what: str, reasons: Counter[str]) -> list[str]:
    if not reasons:
        return []
    counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    return [f"{reasons.total():,} {what} are left out: {counts}."]


def _list_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in SIX if counts[name])
