"""Lines of ``bench data check`` that databases share: counts, damaged files, equal files, people on two sides."""

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
from protocols.base.root import escaped_name

Fault = Literal["differs", "damaged"]

EXAMPLES = 5
"""Names that a line shows at most."""
UNUSED = "unused "
"""Prefix of the name of a part that the run does not use."""
READABLE = "readable for a run"
"""Subject of the line that says whether a run would accept the data."""
VIDEOS = frozenset({".avi", ".mp4", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg"})
_PROGRESS_EVERY = 64  # files


def count_line(subject: str, count: int, expected: int | None, *, needed: bool = True) -> CheckLine:
    """Compare a count with the published one.

    Args:
        subject: of the line.
        count: what the folder has.
        expected: the published number; None where none is published.
        needed: whether a run needs at least one; a count of 0 is ``damaged`` then, else ``differs``.
    """
    published = "" if expected is None else f"{expected:,}"
    if not count:
        return CheckLine("damaged" if needed else "differs", subject, "none", published)
    return CheckLine("ok" if count == expected or expected is None else "differs", subject, f"{count:,}", published)


def list_line(subject: str, names: Collection[str], *, level: Fault = "damaged", what: str = "") -> CheckLine:
    """List names that should not exist.

    Args:
        subject: of the line.
        names: ``ok`` where there are none; else the line gives their number and the first few, sorted.
        level: of a line with names.
        what: noun after the number.
    """
    if not names:
        return CheckLine("ok", subject, "none")
    return CheckLine(level, subject, f"{len(names):,} {what}".strip(), "none", tuple(sorted(names)[:EXAMPLES]))


def without_damage(lines: Iterable[CheckLine]) -> list[CheckLine]:
    """Lines about a part that the run does not need: ``damaged`` becomes ``differs``."""
    return [replace(line, level="differs") if line.level == "damaged" else line for line in lines]


def refused_line(error: Exception, subject: str = READABLE) -> CheckLine:
    """The line for data that a run refuses: the first line of the error's text, without the advice after it."""
    return CheckLine("damaged", subject, str(error).partition("\n")[0], "yes")


def read_as_run(read: Callable[[], Study], subject: str = READABLE) -> tuple[CheckLine, Study | None]:
    """Read what a run with the same arguments reads, so that check and run agree.

    Args:
        read: reads the study as the run does.
        subject: of the line.

    Returns:
        A line, ``damaged`` where the run would refuse the data; and the study, or None where it would.
    """
    try:
        study = read()
    except BenchError as error:
        return refused_line(error, subject), None
    return CheckLine("ok", subject, "yes", "yes"), study


def files_used(study: Study | None) -> frozenset[Path] | None:
    """The files of a study's media; None (all files count as used) where the study could not be read."""
    return None if study is None else frozenset(media.path for side in study.media.values() for media in side)


def split_by_use(parts: Mapping[str, Sequence[Path]], used: Collection[Path] | None) -> dict[str, list[Path]]:
    """Split each part into the files that a run uses and, named ``unused ...``, the others where there are any."""
    split: dict[str, list[Path]] = {}
    for part, paths in parts.items():
        split[part] = [path for path in paths if used is None or path in used]
        others = [path for path in paths if used is not None and path not in used]
        if others:
            split[UNUSED + part] = others
    return split


def digests_of_part(digests: Mapping[str, Mapping[Path, str]], part: str) -> dict[Path, str]:
    """SHA-256 of the files of a part, used or not, sorted by path."""
    return dict(sorted({**digests.get(part, {}), **digests.get(UNUSED + part, {})}.items()))


def disjoint_line(subject: str, one: Collection[str], other: Collection[str]) -> CheckLine:
    """People (or other items) that are in two sets which must share none."""
    return list_line(subject, set(one) & set(other), what="in both")


def names_in_two_folds(folds: Iterable[tuple[str, int]]) -> list[str]:
    """People that occur in more than one fold, given (person, fold) of every image of every pair."""
    by_person: dict[str, set[int]] = {}
    for person, fold in folds:
        by_person.setdefault(person, set()).add(fold)
    return [person for person, several in by_person.items() if len(several) > 1]


def open_files(
    root: Path, parts: Mapping[str, Sequence[Path]], progress: Progress | None = None
) -> tuple[list[CheckLine], dict[str, dict[Path, str]]]:
    """Open every image (of a video, the first frame) of every part.

    Args:
        root: the data root; messages give paths relative to it.
        parts: files by part (``gallery``, ``probe``...); a file may be in several parts and is opened once.
        progress: called with (files opened, all) now and then.

    Returns:
        One line a part with the files that are absent or damaged (``differs`` for an ``unused`` part); and, by part,
        the SHA-256 of the files that could be opened.
    """
    files = list(dict.fromkeys(path for paths in parts.values() for path in paths))
    digests: dict[Path, str] = {}
    faults: dict[Path, str] = {}
    for done, path in enumerate(files, 1):
        try:
            digests[path] = _digest_of_readable(path)
        except DataError as error:
            faults[path] = str(error)
        if progress and (done % _PROGRESS_EVERY == 0 or done == len(files)):
            progress(done, len(files))
    lines = [
        list_line(
            f"{part} files absent or damaged",
            [f"{_relative(root, p)}: {faults[p]}" for p in paths if p in faults],
            level="differs" if part.startswith(UNUSED) else "damaged",
        )
        for part, paths in parts.items()
    ]
    return lines, {part: {p: digests[p] for p in paths if p in digests} for part, paths in parts.items()}


def shared_files_line(root: Path, subject: str, one: Mapping[Path, str], other: Mapping[Path, str]) -> CheckLine:
    """Files of one part whose bytes equal those of a file of the other, for instance a probe that is enrolled too."""
    by_digest = {digest: path for path, digest in other.items()}
    copies = [
        f"{_relative(root, path)} = {_relative(root, by_digest[digest])}"
        for path, digest in one.items()
        if digest in by_digest and by_digest[digest] != path
    ]
    shared = [_relative(root, path) for path in one if path in other]
    return list_line(subject, [*copies, *shared], what="equal files")


def equal_files(digests: Mapping[Path, str]) -> list[list[Path]]:
    """Groups of two or more files with the same bytes, in the order of ``digests`` (file to SHA-256)."""
    groups: dict[str, list[Path]] = {}
    for path, digest in digests.items():
        groups.setdefault(digest, []).append(path)
    return [paths for paths in groups.values() if len(paths) > 1]


def _digest_of_readable(path: Path) -> str:
    """SHA-256 of an image or video; raises DataError where it cannot be decoded."""
    if path.suffix.lower() in VIDEOS:
        read_frame(path, 0)
        return file_digest(path)
    data = read_plain(path)
    decode(data)
    return hashlib.sha256(data).hexdigest()


def _relative(root: Path, path: Path) -> str:
    return escaped_name(str(path.relative_to(root)) if path.is_relative_to(root) else path.name)
