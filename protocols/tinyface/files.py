"""The image files of a TinyFace copy, and which of them the names in a .mat file mean."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from bench.errors import DataError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Matching:
    """What listed names were found as.

    Attributes:
        found: listed name to file name, one to one.
        absent: listed names that no file answers to, in listed order.
        ambiguous: sentences on names with several candidates, or the other way round.
        extra: files that no name means, sorted.
    """

    found: dict[str, str]
    absent: tuple[str, ...]
    ambiguous: tuple[str, ...]
    extra: tuple[str, ...]


def image_files(root: Path, folder: Path, *, recursive: bool) -> dict[str, Path]:
    """Image files of a folder by their path in it, sorted; hidden files are none.

    Args:
        root: the data root, which no link may leave.
        folder: a folder in it.
        recursive: whether folders in it are walked too.

    Raises:
        DataError: the folder is absent or cannot be read, or a link leaves the root or leads to a folder.
    """
    home = os.path.realpath(root)
    if not _inside(str(folder), home):
        raise DataError(f"{folder} is a link that leaves {root}; refused. Put the folder itself there.")
    found: dict[str, Path] = {}
    waiting = [("", folder)]
    while waiting:
        prefix, here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.name.startswith("."):  # the shadow files of macOS bear the ending of their image
                        continue
                    if entry.is_symlink() and (entry.is_dir() or not _inside(entry.path, home)):
                        raise DataError(f"{entry.path} is a link to a folder or out of {root}; refused.")
                    if entry.is_dir(follow_symlinks=False):
                        if recursive:
                            waiting.append((f"{prefix}{entry.name}/", Path(entry.path)))
                    elif entry.name.lower().endswith(IMAGE_ENDINGS):
                        found[prefix + entry.name] = here / entry.name
        except FileNotFoundError:
            raise DataError(f"{here} is not there.") from None
        except OSError as error:
            raise DataError(f"{here} cannot be read ({error.strerror}).") from None
    return dict(sorted(found.items()))


def match(names: Sequence[str], files: Iterable[str]) -> Matching:
    """Find listed names among file names: as they are, in another Unicode form, or with another image ending.

    A file that answers to one name exactly is not offered to another.

    Args:
        names: listed names, each once.
        files: file names of one folder, each once.
    """
    found: dict[str, str] = {}
    left, unclaimed = list(names), list(files)
    ambiguous: list[str] = []
    forms: tuple[Callable[[str], str], ...] = (str, _composed, _stem)
    for form in forms:
        candidates = _grouped(form, unclaimed)
        for key, wanted in _grouped(form, left).items():
            there = candidates.get(key, [])
            if len(wanted) == len(there) == 1:
                found[wanted[0]] = there[0]
            elif there and form is _stem:
                ambiguous.append(f"{' and '.join(sorted(wanted))} could mean {' or '.join(sorted(there))}")
        claimed = set(found.values())
        left = [name for name in left if name not in found]
        unclaimed = [file for file in unclaimed if file not in claimed]
    several = {key for key in _grouped(_stem, left) if key in _grouped(_stem, unclaimed)}
    absent = tuple(name for name in left if _stem(name) not in several)
    return Matching(found, absent, tuple(sorted(ambiguous)), tuple(sorted(unclaimed)))


def _inside(path: str, home: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(home)


def _grouped(form: Callable[[str], str], names: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(form(name), []).append(name)
    return groups


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _stem(name: str) -> str:
    return PurePath(_composed(name)).stem
