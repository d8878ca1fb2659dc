"""``bench data check`` of the user's own data: counts, every fault, and every picture opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import BenchError, DataError
from bench.images import open_image
from bench.interfaces import Progress
from bench.io.filekinds import read_plain
from bench.studies import Study
from bench.types import CheckLine
from protocols.base.checks import VIDEOS, equal_files, list_line, open_files, read_as_run, refused_line
from protocols.owndata.entries import ROLES, Listing


def check(
    root: Path, listing: Callable[[], Listing], read: Callable[[], Study], progress: Progress | None = None
) -> list[CheckLine]:
    """Describe the user's data; never raises on damage.

    Args:
        root: the data root.
        listing: lists the pictures with all faults, as the run does.
        read: reads the study as the run does.
        progress: called with (pictures opened, all) now and then.

    Returns:
        Counts, one line for each fault, sizes, damaged and equal pictures. ``damaged`` marks everything for which a run
        would refuse the data or count failures.
    """
    try:
        listed = listing()
    except BenchError as error:
        return [refused_line(error, "list of pictures")]
    usable, _ = read_as_run(read)
    lines = [_count_line(listed, role) for role in ROLES]
    lines += listed.faults.lines()
    lines += [CheckLine("ok", "note", note) for note in listed.notes]
    parts = {role: [e.path for e in listed.entries if e.role == role] for role in ROLES}
    opened, digests = open_files(root, {role: paths for role, paths in parts.items() if paths}, progress)
    lines += [_size_line(role, list(digests[role])) for role in ROLES if digests.get(role)]
    name_of = {entry.path: entry.name for entry in listed.entries}
    searched = set(digests.get("probe", {}))
    leaks: list[str] = []
    others: list[str] = []
    for copies in equal_files({path: digest for part in digests.values() for path, digest in part.items()}):
        leaked = 0 < len(searched & set(copies)) < len(copies)
        (leaks if leaked else others).append(" = ".join(name_of[path] for path in copies))
    return [
        *lines,
        *opened,
        list_line("probes that are also enrolled, byte for byte", leaks, level="differs"),
        list_line("other pictures that occur more than once", others, level="differs"),
        usable,
    ]


def _count_line(listed: Listing, role: str) -> CheckLine:
    entries = [entry for entry in listed.entries if entry.role == role]
    people = len({entry.identity for entry in entries} - {None})
    templates = len({entry.template or entry.key for entry in entries})
    fused = f", {templates:,} templates" if templates < len(entries) else ""
    return CheckLine("ok", f"{role} pictures", f"{len(entries):,} of {people:,} people{fused}")


def _size_line(role: str, paths: Sequence[Path]) -> CheckLine:
    """The sizes of the pictures of a role, from their headers."""
    sizes: Counter[tuple[int, int]] = Counter()
    for path in paths:
        if path.suffix.lower() in VIDEOS:
            continue
        try:
            with open_image(read_plain(path)) as image:
                sizes[image.size] += 1
        except DataError:
            continue  # it was decoded a moment ago
    if not sizes:
        return CheckLine("ok", f"{role} sizes", "videos")
    ordered = sorted(sizes, key=lambda size: size[0] * size[1])
    ends = " to ".join(f"{width} x {height}" for width, height in dict.fromkeys((ordered[0], ordered[-1])))
    odd = sum(count for (width, height), count in sizes.items() if width != height)
    square = f"; {odd:,} not square" if odd else ""
    number = f"{len(sizes):,} sizes, " if len(sizes) > 1 else ""
    return CheckLine("ok", f"{role} sizes", f"{number}{ends} pixels{square}")
