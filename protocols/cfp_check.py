"""Is this the official CFP, whole? What is missing, extra, damaged?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.interfaces import Progress
from bench.types import CheckLine
from protocols.cfp import A_FOLD, FOLDS, OFFICIAL, Cfp
from protocols.cfp_files import (
    LISTS,
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
from protocols.checking import count_line, doubles_line, list_line, open_files

_EXPERIMENTS: tuple[Pairs, ...] = ("FF", "FP")


def check(root: Path, progress: Progress | None = None) -> list[CheckLine]:
    """Compare a folder with the official release; opens every image and never raises on damage.

    Args:
        root: the folder that holds Data.
        progress: called with (images opened, all) now and then.

    Returns:
        One line for each thing looked at; ``damaged`` stands wherever a run would refuse the folder or count failures.
    """
    try:
        people = read_people(root)
    except (BenchError, OSError) as error:
        return [CheckLine("damaged", "Data/Images", str(error), "readable")]
    lines = [count_line("people", len(people), OFFICIAL["people"])]
    lines += [count_line(f"{view} images", len(_of(people, view)), OFFICIAL[view]) for view in VIEWS]
    for view in VIEWS:
        lines += _list_lines(root, view)
    for name in _EXPERIMENTS:
        lines += _pair_lines(root, name)
    photographs = [photograph for own in people.values() for view in VIEWS for photograph in own[view]]
    lacking = [photograph.key for photograph in photographs if read_fiducials(root, photograph) is None]
    lines.append(list_line("images without 30 fiducial points", lacking, level="differs"))
    opened, digests = open_files(root, {view: _of(people, view) for view in VIEWS}, progress)
    lines += opened
    lines.append(
        doubles_line(root, "profiles that are frontal images byte for byte", digests["profile"], digests["frontal"])
    )
    lines.append(_usable(root))
    return lines


def _of(people: People, view: View) -> list[Path]:
    return [photograph.path for own in people.values() for photograph in own[view]]


def _list_lines(root: Path, view: View) -> list[CheckLine]:
    try:
        listed = read_list(root, view)
    except BenchError as error:
        return [CheckLine("damaged", LISTS[view], str(error), "readable")]
    absent = [photograph.key for photograph in listed if not photograph.path.is_file()]
    return [
        count_line(f"{LISTS[view]}: images", len(listed), OFFICIAL[view]),
        list_line(f"{LISTS[view]}: images named but absent", absent),
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


def _usable(root: Path) -> CheckLine:
    """What a run would say, so that this check never passes what a run refuses."""
    try:
        Cfp().read(root)
    except BenchError as error:
        return CheckLine("damaged", "readable for a run", str(error), "yes")
    return CheckLine("ok", "readable for a run", "yes", "yes")
