"""Is this the official CelebA, whole? Lists against counts, against each other, and against the pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.errors import DataError
from bench.interfaces import Progress
from bench.types import CheckLine
from protocols.base.checks import READABLE, count_line, list_line, open_files, refused_line
from protocols.celeba.files import (
    COLUMNS,
    IDENTITY,
    OFFICIAL,
    PAPER,
    PARTITION,
    TEST,
    Listing,
    list_path,
    picture_folder,
    picture_path,
    pictures_in,
    read_list,
)
from protocols.celeba.people import searchable_people

_PARTS = ("train", "validation", "test")
_NEEDED = (IDENTITY, PARTITION)


def check(root: Path, progress: Progress | None = None) -> list[CheckLine]:
    """Compare a folder with the official release; opens every picture of the test partition, never raises on damage.

    Args:
        root: the folder of pictures and lists.
        progress: called with (pictures opened, all) now and then.
    """
    lines: list[CheckLine] = []
    lists: dict[str, Listing] = {}
    for name in COLUMNS:
        needed = name in _NEEDED
        if list_path(root, name) is None and not needed:
            lines.append(CheckLine("differs", f"{name} list", "absent (not needed)", f"{OFFICIAL['rows']:,} rows"))
            continue
        try:
            lists[name] = read_list(root, name)
        except DataError as error:
            lines.append(CheckLine("damaged" if needed else "differs", f"{name} list", str(error)))
            continue
        lines += _rows(name, lists[name])
    lines += _agreement(lists)
    lines += _partitions(lists)
    folder = picture_folder(root)
    if folder is None:
        lines.append(CheckLine("damaged", "pictures", "no folder img_align_celeba"))
    else:
        lines += _pictures(root, folder, lists.get(PARTITION), progress)
    lines.append(_usable(root))
    return lines


def _rows(name: str, found: Listing) -> list[CheckLine]:
    lines = [
        count_line(f"{name} rows", len(found.rows), OFFICIAL["rows"]),
        list_line(
            f"{name} rows that are wrong", found.wrong, level="damaged" if name in _NEEDED else "differs", what="rows"
        ),
    ]
    if found.declared is not None and found.declared != len(found.rows) + len(found.wrong):
        told = f"{found.declared:,} declared, {len(found.rows) + len(found.wrong):,} there"
        lines.append(CheckLine("differs", f"{name} rows declared in its first line", told))
    return lines


def _agreement(lists: dict[str, Listing]) -> list[CheckLine]:
    """Whether all lists name the same pictures."""
    if PARTITION not in lists:
        return []
    own = set(lists[PARTITION].rows)
    return [
        list_line(f"pictures in one of {name} and {PARTITION} alone", own ^ set(found.rows), level="differs")
        for name, found in lists.items()
        if name != PARTITION
    ]


def _partitions(lists: dict[str, Listing]) -> list[CheckLine]:
    """Counts of the partitions and people; whether anybody is in two."""
    lines: list[CheckLine] = []
    if PARTITION in lists:
        parts = Counter(part for (part,) in lists[PARTITION].rows.values())
        lines += [
            count_line(f"{name} pictures", parts[code], OFFICIAL[name], needed=code == TEST)
            for code, name in enumerate(_PARTS)
        ]
        strange = [n for n, (part,) in lists[PARTITION].rows.items() if part not in range(len(_PARTS))]
        lines.append(list_line("pictures of no known partition", strange, level="differs"))
    if IDENTITY in lists:
        people = {row[0] for row in lists[IDENTITY].rows.values()}
        lines.append(count_line("identities", len(people), OFFICIAL["identities"]))
    if PARTITION in lists and IDENTITY in lists:
        by_part: dict[int, set[str]] = {code: set() for code in range(len(_PARTS))}
        for name, (part,) in lists[PARTITION].rows.items():
            if name in lists[IDENTITY].rows and part in by_part:
                by_part[part].add(str(lists[IDENTITY].rows[name][0]))
        lines.append(count_line("identities in the test partition", len(by_part[TEST]), PAPER["gallery"]))
        for one, other in ((0, 1), (0, 2), (1, 2)):
            subject = f"identities in both {_PARTS[one]} and {_PARTS[other]}"
            both = by_part[one] & by_part[other]  # a run leaves them out
            lines.append(list_line(subject, both, level="differs", what="in both"))
    return lines


def _pictures(root: Path, folder: Path, partition: Listing | None, progress: Progress | None) -> list[CheckLine]:
    """Pictures against the list; those of the test partition are opened, and looked through for equal ones."""
    try:
        there = pictures_in(folder)
    except DataError as error:
        return [CheckLine("damaged", "pictures", str(error))]
    lines = [count_line("pictures", len(there), OFFICIAL["rows"])]
    inner = sorted(path.name for path in folder.iterdir() if path.is_dir())
    lines.append(list_line("folders among the pictures, not read", inner, level="differs"))
    if partition is None:
        return lines
    stems = {Path(name).stem for name in there}
    absent = [name for name in partition.rows if Path(name).stem not in stems]
    extra = stems - {Path(name).stem for name in partition.rows}
    lines += [
        list_line("test pictures listed but absent", [n for n in absent if partition.rows[n] == (TEST,)]),
        list_line(
            "other pictures listed but absent", [n for n in absent if partition.rows[n] != (TEST,)], level="differs"
        ),
        list_line("pictures not listed", extra, level="differs"),
    ]
    tested = [picture_path(folder, name) for name, (part,) in partition.rows.items() if part == TEST]
    opened, digests = open_files(root, {"test": [path for path in tested if path.is_file()]}, progress)
    copies: dict[str, list[str]] = {}
    for path, digest in digests["test"].items():
        copies.setdefault(digest, []).append(path.name)
    equal = [" = ".join(names) for names in copies.values() if len(names) > 1]
    return [*lines, *opened, list_line("equal pictures in the test partition", equal, level="differs")]


def _usable(root: Path) -> CheckLine:
    """What a run would say before it looks for faces."""
    try:
        people = searchable_people(root)
    except DataError as error:
        return refused_line(error)
    return CheckLine("ok", READABLE, f"yes, {len(people.pictures):,} people to draw from", "yes")
