"""``bench data check mmi``: sessions, their XML, emotion codes, views, videos."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.errors import DataError
from bench.interfaces import Progress
from bench.types import CheckLine
from protocols.base.checks import READABLE, count_line, equal_files, list_line, open_files, refused_line, split_by_use
from protocols.mmi.files import DUAL_VIEW, EMOTIONS, FRONTAL, Fault, Session, load_sessions

SUBJECTS, LEAST_SESSIONS = 75, 2900


def check(root: Path, progress: Progress | None = None) -> list[CheckLine]:
    """Read every session and open every video or still; never raises on damage.

    Args:
        root: the folder that holds ``Sessions``, or downloads that do.
        progress: called with (files opened, all) now and then.
    """
    try:
        sessions, faults = load_sessions(root)
    except DataError as error:
        return [refused_line(error)]
    subjects = {session.subject for session in sessions}
    many = len(sessions) > LEAST_SESSIONS
    lines = [
        CheckLine("ok" if many else "differs", "videos and stills", f"{len(sessions):,}", f"over {LEAST_SESSIONS:,}"),
        count_line("subjects", len(subjects), SUBJECTS),
        *_faults(faults),
        *_contents(sessions),
    ]
    frontal = {session.media for session in sessions if session.frontal}
    parts = split_by_use({"video and still": [session.media for session in sessions]}, frontal)
    opened, digests = open_files(root, parts, progress)
    readable = {path: digest for part in digests.values() for path, digest in part.items()}
    equal = [" = ".join(sorted(f"{p.parent.name}/{p.name}" for p in copies)) for copies in equal_files(readable)]
    lines += [*opened, list_line("equal files", equal, level="differs"), _readable(sessions)]
    return lines


def _faults(faults: tuple[Fault, ...]) -> list[CheckLine]:
    """A line for each kind of fault, or one without faults."""
    kinds = Counter((fault.what, fault.lost) for fault in faults)
    if not kinds:
        return [CheckLine("ok", "session folders and their XML", "all readable")]
    return [
        list_line(
            f"session {what}",
            sorted({f"Sessions/{fault.folder}" for fault in faults if fault.what == what}),
            level="damaged" if lost else "differs",
            what="sessions",
        )
        for what, lost in sorted(kinds)
    ]


def _contents(sessions: tuple[Session, ...]) -> list[CheckLine]:
    """Views and emotions; no counts are published."""
    views = Counter(session.view for session in sessions)
    shown = Counter(session.expression for session in sessions if session.expression)
    by_emotion = ", ".join(f"{shown[name]:,} {name}" for name in EMOTIONS)
    frontal = f"{views[FRONTAL]:,} frontal, {views[DUAL_VIEW]:,} dual"
    absent = [name for name in EMOTIONS if not shown[name]]
    return [
        CheckLine("ok" if views[FRONTAL] + views[DUAL_VIEW] else "damaged", "views with a frontal face", frontal),
        CheckLine("differs" if absent else "ok", "emotions", by_emotion),
        CheckLine("ok", "clips with temporal coding", f"{sum(session.coded for session in sessions):,}"),
    ]


def _readable(sessions: tuple[Session, ...]) -> CheckLine:
    """Whether a run would accept the sessions, before it detects faces."""
    subjects = {s.subject for s in sessions if s.frontal and s.neutral_frame() is not None}
    if not subjects:
        return CheckLine("damaged", READABLE, "no subject has a neutral frontal frame", "yes")
    return CheckLine("ok", READABLE, f"yes, {len(subjects):,} subjects to draw from", "yes")
