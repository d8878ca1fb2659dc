"""Is this the official TinyFace, whole? What is missing, extra, damaged?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.errors import DataError
from bench.images import decode
from bench.types import CheckLine
from protocols.tinyface import DISTRACTORS, GALLERY, IMAGE_ENDINGS, OFFICIAL, PROBES, read_pairs

OFFICIAL_TRAINING = {"identities": 2570, "images": 7804}
_EXAMPLES = 5


def check(root: Path) -> list[CheckLine]:
    """Compare a folder with the official release; opens every image of the test set and never raises on damage.

    Args:
        root: the folder that holds ``Testing_Set``.
    """
    lines: list[CheckLine] = []
    listed: dict[str, list[tuple[str, int]]] = {}
    for folder, kind in ((PROBES, "probe"), (GALLERY, "gallery")):
        try:
            listed[folder] = read_pairs(root, folder)
            lines.append(_count(f"{folder} rows in the .mat file", len(listed[folder]), OFFICIAL[kind]))
        except DataError as error:
            lines.append(CheckLine("damaged", f"{folder} .mat file", str(error)))
    files = {folder: _files(root / "Testing_Set" / folder) for folder in (PROBES, GALLERY, DISTRACTORS)}
    lines.append(_count(f"{DISTRACTORS} images", len(files[DISTRACTORS]), OFFICIAL["distractor"]))
    for folder, pairs in listed.items():
        lines += _against_disk(folder, [name for name, _ in pairs], files[folder])
    if len(listed) == 2:
        lines += _identities(listed[PROBES], listed[GALLERY])
    lines += _training(root, {identity for _, identity in listed.get(PROBES, [])})
    lines += _contents({folder: paths for folder, paths in files.items() if paths})
    return lines


def _count(subject: str, found: int, expected: int) -> CheckLine:
    return CheckLine("ok" if found == expected else "differs", subject, f"{found:,}", f"{expected:,}")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS and path.is_file())


def _against_disk(folder: str, names: Sequence[str], paths: Sequence[Path]) -> list[CheckLine]:
    """What the .mat file names and the disk holds, by stem: another ending is allowed."""
    on_disk = {path.stem for path in paths}
    stems = {Path(name).stem for name in names}
    absent = sorted(name for name in names if Path(name).stem not in on_disk)
    extra = sorted(path.name for path in paths if path.stem not in stems)
    lines = [_none_or("damaged", f"{folder} images named in the .mat file but absent", absent)]
    lines.append(_none_or("differs", f"{folder} images not in the .mat file", extra))
    twice = sorted(stem for stem, times in Counter(path.stem for path in paths).items() if times > 1)
    return [*lines, _none_or("differs", f"{folder} images that share their stem with another", twice)]


def _identities(probes: Sequence[tuple[str, int]], gallery: Sequence[tuple[str, int]]) -> list[CheckLine]:
    enrolled = {identity for _, identity in gallery}
    searched = {identity for _, identity in probes}
    strangers = sorted(f"{name} (identity {identity})" for name, identity in probes if identity not in enrolled)
    return [
        _count("probe identities", len(searched), OFFICIAL["identities"]),
        _count("gallery identities", len(enrolled), OFFICIAL["identities"]),
        _none_or("damaged", "probes without a mate in the gallery", strangers),
    ]


def _training(root: Path, tested: set[int]) -> list[CheckLine]:
    folder = root / "Training_Set"
    if not folder.is_dir():
        return [CheckLine("differs", "Training_Set", "absent (not needed to measure)", "2,570 identities")]
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    images = sum(len(_files(path)) for path in people)
    shared = sorted(path.name for path in people if path.name.isdigit() and int(path.name) in tested)
    return [
        _count("training identities", len(people), OFFICIAL_TRAINING["identities"]),
        _count("training images", images, OFFICIAL_TRAINING["images"]),
        _none_or("damaged", "identities in both training and test set", shared),
    ]


def _contents(files: dict[str, list[Path]]) -> list[CheckLine]:
    """Open every image, and look for equal files among probes, gallery and distractors."""
    unreadable: list[str] = []
    owners: dict[str, list[str]] = {}
    for folder, paths in files.items():
        for path in paths:
            name = f"{folder}/{path.name}"
            try:
                data = path.read_bytes()
                decode(data)
            except OSError as error:
                unreadable.append(f"{name}: {error.strerror}")
            except DataError as error:
                unreadable.append(f"{name}: {error}")
            else:
                owners.setdefault(hashlib.sha256(data).hexdigest(), []).append(name)
    copies = sorted(" = ".join(names) for names in owners.values() if len(names) > 1)
    leaks = [names for names in copies if PROBES in names and (GALLERY in names or DISTRACTORS in names)]
    others = [names for names in copies if names not in leaks]
    return [
        _none_or("damaged", "images that cannot be read", unreadable),
        _none_or("differs", "probe images that are also in the gallery, byte for byte", leaks),
        _none_or("differs", "other images that occur more than once", others),
    ]


def _none_or(level: str, subject: str, names: Sequence[str]) -> CheckLine:
    if not names:
        return CheckLine("ok", subject, "none", "none")
    return CheckLine(
        "damaged" if level == "damaged" else "differs", subject, f"{len(names):,}", "none", tuple(names[:_EXAMPLES])
    )
