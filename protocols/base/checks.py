"""Lines of ``bench data check`` that every database has: counts, damaged files, doubles, people in two parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from bench.errors import BenchError, DataError
from bench.images import decode
from bench.interfaces import Progress
from bench.io.file_digests import file_digest
from bench.io.filekinds import read_plain
from bench.media.video import read_frame
from bench.studies import Study
from bench.types import CheckLine

Bad = Literal["differs", "damaged"]

EXAMPLES = 5
UNUSED = "unused "
"""How the name of a part begins that the run does not need."""
_TELL_EVERY = 64
VIDEOS = frozenset({".avi", ".mp4", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg"})


def count_line(subject: str, found: int, expected: int | None, *, needed: bool = True) -> CheckLine:
    """A count against the published one (None: nothing is published). None at all is damage where a run needs some."""
    if not found:
        level: Bad = "damaged" if needed else "differs"
        return CheckLine(level, subject, "none", "" if expected is None else f"{expected:,}")
    same = expected is None or found == expected
    return CheckLine("ok" if same else "differs", subject, f"{found:,}", "" if expected is None else f"{expected:,}")


def list_line(subject: str, found: Collection[str], *, level: Bad = "damaged", what: str = "") -> CheckLine:
    """Names that should not be: ``ok`` where there are none, else the count and the first few, sorted."""
    if not found:
        return CheckLine("ok", subject, "none")
    told = f"{len(found):,} {what}".strip()
    return CheckLine(level, subject, told, "none", tuple(sorted(found)[:EXAMPLES]))


def eased(lines: Iterable[CheckLine]) -> list[CheckLine]:
    """Lines on a part that the run does not need: what is wrong there is no damage to it."""
    return [replace(line, level="differs") if line.level == "damaged" else line for line in lines]


def read_as_run(read: Callable[[], Study], subject: str = "readable for a run") -> tuple[CheckLine, Study | None]:
    """Read what a run of the same arguments reads, so that a check never contradicts it.

    Args:
        read: reads the study as the run does.
        subject: of the line.

    Returns:
        A line, damaged where the run would refuse the data, and the study, None there.
    """
    try:
        study = read()
    except BenchError as error:
        return CheckLine("damaged", subject, str(error).partition("\n")[0], "yes"), None
    return CheckLine("ok", subject, "yes", "yes"), study


def files_used(study: Study | None) -> frozenset[Path] | None:
    """The files of a study's media; None, for all there are, where it could not be read."""
    return None if study is None else frozenset(media.path for side in study.media.values() for media in side)


def parted(parts: Mapping[str, Sequence[Path]], used: Collection[Path] | None) -> dict[str, list[Path]]:
    """Each part in two: the files that a run uses, and as ``unused ...`` the others, where there are any."""
    found: dict[str, list[Path]] = {}
    for part, paths in parts.items():
        found[part] = [path for path in paths if used is None or path in used]
        others = [path for path in paths if used is not None and path not in used]
        if others:
            found[UNUSED + part] = others
    return found


def of_part(digests: Mapping[str, Mapping[Path, str]], part: str) -> dict[Path, str]:
    """SHA-256 of the files of a part, used or not."""
    return dict(sorted({**digests.get(part, {}), **digests.get(UNUSED + part, {})}.items()))


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
        For each part a line of files that are absent or damaged (no damage in an ``unused`` one); and by part the
        SHA-256 of the others.
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
        list_line(
            f"{part} files absent or damaged",
            [f"{_named(root, p)}: {faults[p]}" for p in paths if p in faults],
            level="differs" if part.startswith(UNUSED) else "damaged",
        )
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
