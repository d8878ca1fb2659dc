"""``bench data check multipie``: the names of all files, and the images that the run uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench.errors import DataError
from bench.interfaces import Progress
from bench.io.textfiles import quote, read_lines, whole_number
from bench.types import CheckLine
from protocols.base.checks import (
    READABLE,
    count_line,
    disjoint_line,
    list_line,
    open_files,
    refused_line,
    shared_files_line,
)
from protocols.multipie.files import Listing, scan
from protocols.multipie.landmarks import read_given
from protocols.multipie.sampling import Chosen
from protocols.multipie.tables import (
    CAMERAS,
    LAST_TRAINING,
    PEOPLE,
    PROBES_A_PERSON,
    SESSIONS,
    SHOTS,
    SUBJECTS,
    SURVEILLANCE,
    Setting,
)

LIST = "meta/subject_list.txt"


def check(
    root: Path, choose: Callable[[], Chosen], *, setting: Setting, progress: Progress | None = None
) -> list[CheckLine]:
    """Compare with the official release. All names are read; only images that the setting uses are opened.

    Args:
        root: the folder that holds ``data``.
        choose: chooses the images that the run compares.
        setting: of the run.
        progress: called with (images opened, all).
    """
    listing = scan(root)
    sessions: dict[int, set[int]] = defaultdict(set)
    for shot in listing.shots:
        sessions[shot.take.subject].add(shot.take.session)
    lines = [
        count_line("subjects", len(sessions), SUBJECTS),
        *(
            count_line(
                f"subjects in session {n}", sum(n in attended for attended in sessions.values()), None, needed=False
            )
            for n in SESSIONS
        ),
        count_line("cameras", len({shot.take.camera for shot in listing.shots}), len(CAMERAS) + len(SURVEILLANCE)),
        count_line("images", len(listing.shots), None),
        *_faults(listing),
        *_subject_list(root, sessions),
    ]
    return lines + _used(root, choose, setting, set(sessions), progress)


def read_subject_list(path: Path) -> tuple[dict[int, set[int]], list[str]]:
    """Read the sessions that each subject attended.

    Returns:
        Sessions by subject, and the lines without the seven fields.


    Raises:
        DataError: the file cannot be read.
    """
    if not path.exists():
        raise DataError("absent (not needed to measure)")
    sessions: dict[int, set[int]] = {}
    malformed: list[str] = []
    for number, line in read_lines(path):
        fields = line.split()
        subject = whole_number(fields[0])
        if len(fields) != 7 or subject is None or any(flag not in ("0", "1") for flag in fields[3:]):
            malformed.append(f"line {number}: {quote(line)}")
        else:
            sessions[subject] = {n for n, flag in zip(SESSIONS, fields[3:], strict=True) if flag == "1"}
    return sessions, malformed


def _faults(listing: Listing) -> list[CheckLine]:
    partial = [take.key for take, shots in listing.takes().items() if len(shots) != len(SHOTS)]
    lines = [list_line("takes without all 20 shots", partial, level="differs")]
    if not listing.faults:
        lines.append(CheckLine("ok", "misplaced files and folders", "none"))
    return lines + [list_line(fault, names, level="differs") for fault, names in sorted(listing.faults.items())]


def _subject_list(root: Path, sessions: dict[int, set[int]]) -> list[CheckLine]:
    try:
        listed, malformed = read_subject_list(root / LIST)
    except DataError as error:
        return [CheckLine("differs", LIST, str(error), f"{SUBJECTS} subjects")]
    absent = [f"{subject:03d}" for subject in set(listed) - set(sessions)]
    unlisted = [f"{subject:03d}" for subject in set(sessions) - set(listed)]
    different = [f"{subject:03d}" for subject in set(sessions) & set(listed) if sessions[subject] != listed[subject]]
    return [
        count_line(f"subjects in {LIST}", len(listed), SUBJECTS, needed=False),
        list_line(f"lines of {LIST} without its seven fields", malformed, level="differs"),
        list_line("listed subjects without images", absent, level="differs"),
        list_line("subjects with images that are not listed", unlisted, level="differs"),
        list_line("subjects whose images are of other sessions than listed", different, level="differs"),
    ]


def _used(
    root: Path, choose: Callable[[], Chosen], setting: Setting, subjects: set[int], progress: Progress | None
) -> list[CheckLine]:
    """Counts and files of the setting, and whether a run would accept them."""
    try:
        chosen = choose()
    except DataError as error:
        return [refused_line(error)]
    probes = PEOPLE["paper"] * PROBES_A_PERSON if setting == "paper" else None
    training = {f"{subject:03d}" for subject in subjects if subject <= LAST_TRAINING[setting]}
    tested = {f"{shot.take.subject:03d}" for shot in (*chosen.gallery, *chosen.probes)}
    parts = {"gallery": [s.path for s in chosen.gallery], "probe": [s.path for s in chosen.probes]}
    opened, digests = open_files(root, parts, progress)
    ignored: list[str] = []
    read_given(root, chosen.takes(), ignored)
    return [
        count_line(f"gallery images of setting {setting}", len(chosen.gallery), PEOPLE[setting]),
        count_line(f"probe images of setting {setting}", len(chosen.probes), probes),
        disjoint_line("subjects in both training and test", training, tested),
        *opened,
        shared_files_line(root, "probe images that are gallery images", digests["probe"], digests["gallery"]),
        *([list_line("files of points (.5pt) that are not used", ignored, level="differs")] if ignored else []),
        CheckLine("ok", READABLE, "yes", "yes"),
    ]
