"""``bench data check lfw``: compares a folder with the official release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.interfaces import Progress
from bench.studies import Study
from bench.types import CheckLine, Role
from protocols.base.checks import (
    UNUSED,
    count_line,
    disjoint_line,
    files_used,
    list_line,
    names_in_two_folds,
    open_files,
    read_as_run,
    shared_files_line,
    without_damage,
)
from protocols.base.lfw_pairs import NamedPair, read_pairs
from protocols.lfw.files import (
    DEV_TEST,
    DEV_TRAIN,
    OFFICIAL,
    OFFICIAL_PAIRS,
    PAIRS,
    TWICE,
    People,
    image_path,
    list_file,
    read_people,
)

SIDES: tuple[Role, ...] = ("gallery", "probe")
_LISTS = ((PAIRS, 2), (DEV_TRAIN, 1), (DEV_TEST, 1))


def check(
    root: Path, read: Callable[[], Study], *, task: str, view: int, progress: Progress | None = None
) -> list[CheckLine]:
    """Compare a folder with the official release; opens every image and never raises on damage.

    Args:
        root: the folder of people.
        read: reads the study as the run does.
        task: of the run, ``identification`` or ``verification``.
        view: of the run's pairs, 1 or 2.
        progress: called with (images opened, all) now and then.

    Returns:
        One line for each property. ``damaged`` marks everything for which that run would refuse the folder or count
        failures.
    """
    try:
        people = read_people(root)
    except (BenchError, OSError) as error:
        return [CheckLine("damaged", "folders of people", str(error), "readable")]
    usable, study = read_as_run(read)
    used = files_used(study)
    searched = task == "identification"
    needed = () if searched else (PAIRS,) if view == 2 else (DEV_TRAIN, DEV_TEST)
    several = sum(len(images) > 1 for images in people.images.values())
    lines = [
        count_line("images", people.total, OFFICIAL["images"]),
        count_line("people", len(people.images), OFFICIAL["people"]),
        count_line("people with two images or more", several, TWICE, needed=searched),
        list_line("files not named after their folder", people.misnamed, level="differs"),
    ]
    listed: dict[str, list[NamedPair]] = {}
    for name, of_view in _LISTS:
        of_list = _list_lines(root, people, name, of_view, listed)
        lines += of_list if name in needed else without_damage(of_list)
    if DEV_TRAIN in listed and DEV_TEST in listed:
        sides = [{name for p in listed[part] for name in (p.first[0], p.second[0])} for part in (DEV_TRAIN, DEV_TEST)]
        lines += without_damage([disjoint_line("people in both lists of View 1", *sides)])
    sides_used = study.media if study else {}
    parts: dict[str, list[Path]] = {
        side: list(dict.fromkeys(m.path for m in sides_used.get(side, ()))) for side in SIDES
    }
    others = [path for images in people.images.values() for path in images.values() if not used or path not in used]
    opened, digests = open_files(root, {**parts, (UNUSED if used else "") + "images": others}, progress)
    lines += opened
    if searched:
        subject = "probes that are gallery images byte for byte"
        lines.append(shared_files_line(root, subject, digests["probe"], digests["gallery"]))
    return [*lines, usable]


def _list_lines(
    root: Path, people: People, name: str, view: int, listed: dict[str, list[NamedPair]]
) -> list[CheckLine]:
    try:
        pairs = read_pairs(list_file(root, name))
    except BenchError as error:
        absent = error.exit_code == 3
        return [CheckLine("differs" if absent else "damaged", name, "absent" if absent else str(error), "complete")]
    listed[name] = pairs
    expected = sum(count for _, count in OFFICIAL_PAIRS[2]) if view == 2 else OFFICIAL_PAIRS[1][name == DEV_TEST][1]
    images = sorted({image for pair in pairs for image in (pair.first, pair.second)})
    missing = [
        f"{person} {number}" for person, number in images if not image_path(root, people, (person, number)).is_file()
    ]
    lines = [
        count_line(f"{name}: pairs", len(pairs), expected),
        list_line(f"{name}: images named but absent", missing),
    ]
    if view == 2:
        lines.append(list_line(f"{name}: people in two folds", _people_in_two_folds(pairs), level="differs"))
    return lines


def _people_in_two_folds(pairs: Sequence[NamedPair]) -> list[str]:
    return names_in_two_folds((name, pair.fold) for pair in pairs for name, _ in (pair.first, pair.second))
