"""Is this the official CFP, whole? What is missing, extra, damaged?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.interfaces import Progress
from bench.studies import Study
from bench.types import CheckLine
from protocols.base.checks import (
    count_line,
    doubles_line,
    eased,
    files_used,
    list_line,
    of_part,
    open_files,
    parted,
    read_as_run,
)
from protocols.cfp.files import (
    A_FOLD,
    FOLDS,
    LISTS,
    OFFICIAL,
    VIEWS,
    Pair,
    Pairs,
    People,
    View,
    read_fiducials,
    read_list,
    read_pairs,
    read_people,
)

_EXPERIMENTS: tuple[Pairs, ...] = ("FF", "FP")


def check(
    root: Path, read: Callable[[], Study], *, compared: Pairs | None, progress: Progress | None = None
) -> list[CheckLine]:
    """Compare a folder with the official release; opens every image and never raises on damage.

    Args:
        root: the folder that holds Data.
        read: reads the study as the run does.
        compared: the pairs that the run compares; None for a search.
        progress: called with (images opened, all) now and then.

    Returns:
        One line for each thing looked at; ``damaged`` stands wherever that run would refuse the folder or count
        failures.
    """
    try:
        people = read_people(root)
    except (BenchError, OSError) as error:
        return [CheckLine("damaged", "Data/Images", str(error), "readable")]
    usable, study = read_as_run(read)
    used = files_used(study)
    listed = () if compared is None else ("frontal", "profile") if compared == "FP" else ("frontal",)
    lines = [count_line("people", len(people), OFFICIAL["people"])]
    lines += [
        count_line(f"{view} images", len(_of(people, view)), OFFICIAL[view], needed=not listed or view in listed)
        for view in VIEWS
    ]
    for view in VIEWS:
        found = _list_lines(root, view, used)
        lines += found if view in listed else eased(found)
    for name in _EXPERIMENTS:
        found = _pair_lines(root, name)
        lines += found if name == compared else eased(found)
    photographs = [photograph for own in people.values() for view in VIEWS for photograph in own[view]]
    lacking = [photograph.key for photograph in photographs if read_fiducials(root, photograph) is None]
    lines.append(list_line("images without 30 fiducial points", lacking, level="differs"))
    there: dict[str, list[Path]] = {view: _of(people, view) for view in VIEWS}
    absent = sorted((used or frozenset()) - {path for paths in there.values() for path in paths})
    parts = parted(there, used) | ({"listed": absent} if absent else {})
    opened, digests = open_files(root, parts, progress)
    lines += opened
    doubled = "profiles that are frontal images byte for byte"
    lines.append(doubles_line(root, doubled, of_part(digests, "profile"), of_part(digests, "frontal")))
    return [*lines, usable]


def _of(people: People, view: View) -> list[Path]:
    return [photograph.path for own in people.values() for photograph in own[view]]


def _list_lines(root: Path, view: View, used: Collection[Path] | None) -> list[CheckLine]:
    try:
        listed = read_list(root, view)
    except BenchError as error:
        return [CheckLine("damaged", LISTS[view], str(error), "readable")]
    absent = [photograph for photograph in listed if not photograph.path.is_file()]
    lost = any(used is None or photograph.path in used for photograph in absent)
    return [
        count_line(f"{LISTS[view]}: images", len(listed), OFFICIAL[view]),
        list_line(
            f"{LISTS[view]}: images named but absent", [p.key for p in absent], level="damaged" if lost else "differs"
        ),
    ]


def _pair_lines(root: Path, name: Pairs) -> list[CheckLine]:
    try:
        pairs = read_pairs(root, name)
    except BenchError as error:
        return [CheckLine("damaged", f"{name} pairs", str(error), "readable")]
    itself = [pair.first.key for pair in pairs if pair.first == pair.second]
    return [
        count_line(f"{name} folds", len({pair.fold for pair in pairs}), FOLDS),
        count_line(f"{name} pairs of one person", sum(pair.same for pair in pairs), FOLDS * A_FOLD),
        count_line(f"{name} pairs of two people", sum(not pair.same for pair in pairs), FOLDS * A_FOLD),
        list_line(f"{name} people in two folds", _in_two_folds(pairs), level="differs"),
        list_line(f"{name} images paired with themselves", itself, level="differs"),
    ]


def _in_two_folds(pairs: Sequence[Pair]) -> list[str]:
    folds: dict[str, set[int]] = {}
    for pair in pairs:
        for photograph in (pair.first, pair.second):
            folds.setdefault(photograph.person, set()).add(pair.fold)
    return [name for name, own in folds.items() if len(own) > 1]
