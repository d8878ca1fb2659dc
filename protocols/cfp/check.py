"""``bench data check cfp``: compares a folder with the official release."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.interfaces import Progress
from bench.studies import Study
from bench.types import CheckLine
from protocols.base.checks import (
    count_line,
    digests_of_part,
    files_used,
    list_line,
    names_in_two_folds,
    open_files,
    read_as_run,
    shared_files_line,
    split_by_use,
    without_damage,
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
        One line for each property. ``damaged`` marks everything for which that run would refuse the folder or count
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
        count_line(f"{view} images", len(_paths(people, view)), OFFICIAL[view], needed=not listed or view in listed)
        for view in VIEWS
    ]
    for view in VIEWS:
        of_list = _list_lines(root, view, used)
        lines += of_list if view in listed else without_damage(of_list)
    for name in _EXPERIMENTS:
        of_pairs = _pair_lines(root, name)
        lines += of_pairs if name == compared else without_damage(of_pairs)
    photographs = [photograph for by_view in people.values() for view in VIEWS for photograph in by_view[view]]
    without_points = [photograph.key for photograph in photographs if read_fiducials(root, photograph) is None]
    lines.append(list_line("images without 30 fiducial points", without_points, level="differs"))
    paths: dict[str, list[Path]] = {view: _paths(people, view) for view in VIEWS}
    absent = sorted((used or frozenset()) - {path for of_view in paths.values() for path in of_view})
    parts = split_by_use(paths, used) | ({"listed": absent} if absent else {})
    opened, digests = open_files(root, parts, progress)
    lines += opened
    profiles, frontal = (digests_of_part(digests, view) for view in ("profile", "frontal"))
    lines.append(shared_files_line(root, "profiles that are frontal images byte for byte", profiles, frontal))
    return [*lines, usable]


def _paths(people: People, view: View) -> list[Path]:
    return [photograph.path for by_view in people.values() for photograph in by_view[view]]


def _list_lines(root: Path, view: View, used: Collection[Path] | None) -> list[CheckLine]:
    try:
        listed = read_list(root, view)
    except BenchError as error:
        return [CheckLine("damaged", LISTS[view], str(error), "readable")]
    absent = [photograph for photograph in listed if not photograph.path.is_file()]
    needed = any(used is None or photograph.path in used for photograph in absent)
    return [
        count_line(f"{LISTS[view]}: images", len(listed), OFFICIAL[view]),
        list_line(
            f"{LISTS[view]}: images named but absent", [p.key for p in absent], level="damaged" if needed else "differs"
        ),
    ]


def _pair_lines(root: Path, name: Pairs) -> list[CheckLine]:
    try:
        pairs = read_pairs(root, name)
    except BenchError as error:
        return [CheckLine("damaged", f"{name} pairs", str(error), "readable")]
    self_pairs = [pair.first.key for pair in pairs if pair.first == pair.second]
    return [
        count_line(f"{name} folds", len({pair.fold for pair in pairs}), FOLDS),
        count_line(f"{name} pairs of one person", sum(pair.same for pair in pairs), FOLDS * A_FOLD),
        count_line(f"{name} pairs of two people", sum(not pair.same for pair in pairs), FOLDS * A_FOLD),
        list_line(f"{name} people in two folds", _people_in_two_folds(pairs), level="differs"),
        list_line(f"{name} images paired with themselves", self_pairs, level="differs"),
    ]


def _people_in_two_folds(pairs: Sequence[Pair]) -> list[str]:
    return names_in_two_folds((image.person, pair.fold) for pair in pairs for image in (pair.first, pair.second))
