"""Lines of ``bench data check`` that every database has: counts, damaged files, doubles, people in two parts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bench.errors import DataError
from bench.filekinds import read_plain
from bench.images import decode
from bench.interfaces import Progress
from bench.provenance import file_digest
from bench.types import CheckLine
from bench.video import read_frame

Bad = Literal["differs", "damaged"]

EXAMPLES = 5
_TELL_EVERY = 64
VIDEOS = frozenset({".avi", ".mp4", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg"})


def count_line(subject: str, found: int, expected: int | None) -> CheckLine:
    """A count against the published one (None: nothing is published). None at all is damage."""
    if not found:
        return CheckLine("damaged", subject, "none", "" if expected is None else f"{expected:,}")
    same = expected is None or found == expected
    return CheckLine("ok" if same else "differs", subject, f"{found:,}", "" if expected is None else f"{expected:,}")


def list_line(subject: str, found: Collection[str], *, level: Bad = "damaged", what: str = "") -> CheckLine:
    """Names that should not be: ``ok`` where there are none, else the count and the first few, sorted."""
    if not found:
        return CheckLine("ok", subject, "none")
    told = f"{len(found):,} {what}".strip()
    return CheckLine(level, subject, told, "none", tuple(sorted(found)[:EXAMPLES]))


def disjoint_line(subject: str, one: Collection[str], other: Collection[str]) -> CheckLine:
    """People (or anything) that stand in two parts that must share none."""
    return list_line(subject, set(one) & set(other), what="in both")


def open_files(
    root: Path, parts: Mapping[str, Sequence[Path]], progress: Progress | None = None
) -> tuple[list[CheckLine], dict[str, dict[Path, str]]]:
    """Open every image (of a film, the first frame) of every part.

    Args:
        root: paths in messages are told from here.
        parts: files by part (``gallery``, ``probe``...); a file may be in several and is opened once.
        progress: called with (files opened, all) now and then.

    Returns:
        For each part a line of files that are absent or damaged; and by part the SHA-256 of the others.
    """
    everything = list(dict.fromkeys(path for paths in parts.values() for path in paths))
    digests: dict[Path, str] = {}
    faults: dict[Path, str] = {}
    for done, path in enumerate(everything, 1):
        try:
            digests[path] = _opened(path)
        except DataError as error:
            faults[path] = str(error)
        if progress and (done % _TELL_EVERY == 0 or done == len(everything)):
            progress(done, len(everything))
    lines = [
        list_line(f"{part} files absent or damaged", [f"{_named(root, p)}: {faults[p]}" for p in paths if p in faults])
        for part, paths in parts.items()
    ]
    return lines, {part: {p: digests[p] for p in paths if p in digests} for part, paths in parts.items()}


def doubles_line(root: Path, subject: str, one: Mapping[Path, str], other: Mapping[Path, str]) -> CheckLine:
    """Files of one part whose bytes are those of a file of another: a probe that is its own gallery image."""
    place = {digest: path for path, digest in other.items()}
    same = [f"{_named(root, p)} = {_named(root, place[d])}" for p, d in one.items() if d in place and place[d] != p]
    shared = [_named(root, p) for p in one if p in other]
    return list_line(subject, [*same, *shared], what="equal files")


def _opened(path: Path) -> str:
    if path.suffix.lower() in VIDEOS:
        read_frame(path, 0)
        return file_digest(path)
    data = read_plain(path)
    decode(data)
    return hashlib.sha256(data).hexdigest()


def _named(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def worst(lines: Iterable[CheckLine]) -> str:
    """The worst level of some lines."""
    return max((line.level for line in lines), key=("ok", "differs", "damaged").index, default="ok")
