"""``bench data check celeba``: the lists against the published counts, each other and the images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.errors import DataError
from bench.interfaces import Progress
from bench.types import CheckLine
from protocols.base.checks import READABLE, count_line, equal_files, list_line, open_files, refused_line
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
    """Compare a folder with the official release; opens every image of the test partition and never raises on damage.

    Args:
        root: the folder of images and lists.
        progress: called with (images opened, all) now and then.
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
    lines.append(_readable(root))
    return lines


def _rows(name: str, listing: Listing) -> list[CheckLine]:
    lines = [
        count_line(f"{name} rows", len(listing.rows), OFFICIAL["rows"]),
        list_line(
            f"{name} rows that are wrong", listing.wrong, level="damaged" if name in _NEEDED else "differs", what="rows"
        ),
    ]
    rows = len(listing.rows) + len(listing.wrong)
    if listing.declared is not None and listing.declared != rows:
        counts = f"{listing.declared:,} declared, {rows:,} present"
        lines.append(CheckLine("differs", f"{name} rows declared in its first line", counts))
    return lines


def _agreement(lists: dict[str, Listing]) -> list[CheckLine]:
    """Whether all lists name the same images."""
    if PARTITION not in lists:
        return []
    partitioned = set(lists[PARTITION].rows)
    return [
        list_line(f"pictures in one of {name} and {PARTITION} alone", partitioned ^ set(listing.rows), level="differs")
        for name, listing in lists.items()
        if name != PARTITION
    ]


def _partitions(lists: dict[str, Listing]) -> list[CheckLine]:
    """Counts of partitions and people; people in two partitions."""
    lines: list[CheckLine] = []
    if PARTITION in lists:
        parts = Counter(part for (part,) in lists[PARTITION].rows.values())
        lines += [
            count_line(f"{name} pictures", parts[code], OFFICIAL[name], needed=code == TEST)
            for code, name in enumerate(_PARTS)
        ]
        unknown = [n for n, (part,) in lists[PARTITION].rows.items() if part not in range(len(_PARTS))]
        lines.append(list_line("pictures of no known partition", unknown, level="differs"))
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
    """Images against the list; those of the test partition are opened and compared with each other."""
    try:
        names = pictures_in(folder)
    except DataError as error:
        return [CheckLine("damaged", "pictures", str(error))]
    lines = [count_line("pictures", len(names), OFFICIAL["rows"])]
    inner = sorted(path.name for path in folder.iterdir() if path.is_dir())
    lines.append(list_line("folders among the pictures, not read", inner, level="differs"))
    if partition is None:
        return lines
    stems = {Path(name).stem for name in names}
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
    equal = [" = ".join(path.name for path in copies) for copies in equal_files(digests["test"])]
    return [*lines, *opened, list_line("equal pictures in the test partition", equal, level="differs")]


def _readable(root: Path) -> CheckLine:
    """Whether a run would accept the lists, before it detects faces."""
    try:
        people = searchable_people(root)
    except DataError as error:
        return refused_line(error)
    return CheckLine("ok", READABLE, f"yes, {len(people.pictures):,} people to draw from", "yes")
