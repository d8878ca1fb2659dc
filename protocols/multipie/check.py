"""``bench data check multipie``: names of all files, and the images that the protocol uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench.errors import DataError
from bench.interfaces import Progress
from bench.io.textfiles import quoted, read_lines, whole_number
from bench.types import CheckLine
from protocols.base.checks import count_line, disjoint_line, doubles_line, list_line, open_files
from protocols.multipie.files import Listing, scan
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
    """Compare with the official release. All names are read; images are opened only where the setting uses them.

    Args:
        root: the folder that holds ``data``.
        choose: chooses what the run compares.
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
            count_line(f"subjects in session {n}", sum(n in came for came in sessions.values()), None, needed=False)
            for n in SESSIONS
        ),
        count_line("cameras", len({shot.take.camera for shot in listing.shots}), len(CAMERAS) + len(SURVEILLANCE)),
        count_line("images", len(listing.shots), None),
        *_faults(listing),
        *_subject_list(root, sessions),
    ]
    return lines + _used(root, choose, setting, set(sessions), progress)


def read_subject_list(path: Path) -> tuple[dict[int, set[int]], list[str]]:
    """Sessions each subject came to, and the lines that do not have the seven fields.

    Raises:
        DataError: the file cannot be read.
    """
    if not path.exists():
        raise DataError("absent (not needed to measure)")
    found: dict[int, set[int]] = {}
    odd: list[str] = []
    for number, line in read_lines(path):
        fields = line.split()
        subject = whole_number(fields[0])
        if len(fields) != 7 or subject is None or any(flag not in ("0", "1") for flag in fields[3:]):
            odd.append(f"line {number}: {quoted(line)}")
        else:
            found[subject] = {n for n, flag in zip(SESSIONS, fields[3:], strict=True) if flag == "1"}
    return found, odd


def _faults(listing: Listing) -> list[CheckLine]:
    partial = [take.key for take, shots in listing.takes().items() if len(shots) != len(SHOTS)]
    lines = [list_line("takes without all 20 shots", partial, level="differs")]
    if not listing.faults:
        lines.append(CheckLine("ok", "files and folders out of their place", "none"))
    return lines + [list_line(fault, names, level="differs") for fault, names in sorted(listing.faults.items())]


def _subject_list(root: Path, sessions: dict[int, set[int]]) -> list[CheckLine]:
    try:
        listed, odd = read_subject_list(root / LIST)
    except DataError as error:
        return [CheckLine("differs", LIST, str(error), f"{SUBJECTS} subjects")]
    absent = [f"{subject:03d}" for subject in set(listed) - set(sessions)]
    unlisted = [f"{subject:03d}" for subject in set(sessions) - set(listed)]
    others = [f"{subject:03d}" for subject in set(sessions) & set(listed) if sessions[subject] != listed[subject]]
    return [
        count_line(f"subjects in {LIST}", len(listed), SUBJECTS, needed=False),
        list_line(f"lines of {LIST} without its seven fields", odd, level="differs"),
        list_line("listed subjects without images", absent, level="differs"),
        list_line("subjects with images that are not listed", unlisted, level="differs"),
        list_line("subjects whose images are of other sessions than listed", others, level="differs"),
    ]


def _used(
    root: Path, choose: Callable[[], Chosen], setting: Setting, subjects: set[int], progress: Progress | None
) -> list[CheckLine]:
    """What the setting uses, and what a run would say."""
    try:
        chosen = choose()
    except DataError as error:
        return [CheckLine("damaged", "readable for a run", str(error), "yes")]
    probes = PEOPLE["paper"] * PROBES_A_PERSON if setting == "paper" else None
    training = {f"{subject:03d}" for subject in subjects if subject <= LAST_TRAINING[setting]}
    tested = {f"{shot.take.subject:03d}" for shot in (*chosen.gallery, *chosen.probes)}
    parts = {"gallery": [s.path for s in chosen.gallery], "probe": [s.path for s in chosen.probes]}
    opened, digests = open_files(root, parts, progress)
    return [
        count_line(f"gallery images of setting {setting}", len(chosen.gallery), PEOPLE[setting]),
        count_line(f"probe images of setting {setting}", len(chosen.probes), probes),
        disjoint_line("subjects in both training and test", training, tested),
        *opened,
        doubles_line(root, "probe images that are gallery images", digests["probe"], digests["gallery"]),
        CheckLine("ok", "readable for a run", "yes", "yes"),
    ]
