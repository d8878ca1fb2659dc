"""Writes the folder of a report in one step; only an earlier report is ever replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.io.atomic import explain_os_errors, replace_folder
from bench.io.printing import ESCAPED

GENERATOR = "face-hallucination-bench report"
"""Name of the generator in a page; a folder is replaced only if its page contains it."""

_HEAD = 4096  # bytes at the start of the page that are searched for the generator
_PICTURE = re.compile(r"s\d+(/\d{6,}\.jpg)?")


def check_folder(folder: Path, names: tuple[str, ...]) -> None:
    """Check that a folder may be replaced: it is absent, empty or an earlier report.

    Args:
        folder: destination.
        names: the files of a report. A name that ends in ``/`` is a folder of numbered images. Any other file is
            taken for the user's own and never deleted.

    Raises:
        BenchError: it is a file, or it contains other files.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BenchError(f"Cannot write the report to {folder}: it is a file. Choose another --out.")
    others = sorted(_others(folder, names))
    if others:
        raise BenchError(
            f"Cannot write the report to {folder}: it holds other files ({', '.join(others[:3])}). Choose another "
            "--out."
        )
    if any(folder.iterdir()) and not _is_report(folder / names[0]):
        raise BenchError(
            f"Cannot write the report to {folder}: {names[0]} in it is not a report. Choose another --out."
        )


def write_folder(folder: Path, files: Mapping[str, str | bytes], names: tuple[str, ...] | None = None) -> list[Path]:
    """Write the files of a report in one step, in place of an earlier one.

    Args:
        folder: destination; its parent is created if absent.
        files: text or bytes by name, the page first.
        names: all files that an earlier report may contain; None for ``files``.

    Returns:
        The files, as paths under ``folder``.

    Raises:
        BenchError: what `check_folder` refuses, or the disk is full. ``folder`` is then unchanged.
    """
    with replacing(folder, names or tuple(files)) as partial:
        write_files(partial, files)
    return [folder / name for name in files]


@contextmanager
def replacing(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A new folder to write a report into; it replaces ``folder`` when the block ends without an error.

    Args:
        folder: destination; its parent is created if absent.
        names: files that an earlier report may contain, the page first; see `check_folder`.

    Raises:
        BenchError: what `check_folder` refuses, or the disk is full. ``folder`` is then unchanged.
    """
    check_folder(folder, names)
    cannot = explain_os_errors(f"Cannot write the report to {folder}", "Nothing was changed there.")
    with cannot, replace_folder(folder.resolve()) as new:
        yield new


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write texts or bytes by name into a folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", ESCAPED))


def _others(folder: Path, names: tuple[str, ...]) -> Iterator[str]:
    """What is in a folder that no report of ours writes."""
    for path in folder.iterdir():
        if path.name in names:
            continue
        if f"{path.name}/" not in names or not path.is_dir() or path.is_symlink():
            yield path.name
            continue
        for inner in path.rglob("*"):
            if not _PICTURE.fullmatch(inner.relative_to(path).as_posix()):
                yield f"{path.name}/{inner.relative_to(path).as_posix()}"


def _is_report(page: Path) -> bool:
    try:
        with page.open("rb") as file:
            return GENERATOR.encode() in file.read(_HEAD)
    except OSError:
        return False
