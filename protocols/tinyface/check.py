"""Is this the official TinyFace, whole? What is missing, extra, damaged?"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bench.errors import DataError
from bench.images import decode
from bench.interfaces import Progress
from bench.io.filekinds import read_plain
from bench.studies import Study
from bench.types import CheckLine
from protocols.base.checks import files_used
from protocols.base.root import folders_in, printable
from protocols.tinyface.files import (
    ALIGNED,
    DISTRACTORS,
    GALLERY,
    OFFICIAL,
    PROBES,
    image_files,
    in_training,
    match,
    misnamed,
    pairs_file,
    pairs_files,
    read_pairs,
)

OFFICIAL_TRAINING = {"identities": 2570, "images": 7804}
_EXAMPLES = 5
_TELL_EVERY = 256

Pairs = list[tuple[str, int]]


def check(
    root: Path, study: Study | None, images: Path, *, replaced_by: str = "", progress: Progress | None = None
) -> list[CheckLine]:
    """Compare a folder with the official release; opens every image of the test set and never raises on damage.

    Args:
        root: the folder that holds ``Testing_Set``.
        study: what a run reads; None where it would refuse the folder.
        images: the folder whose Gallery_Match, Gallery_Distractor and Probe hold the images that a run reads.
        replaced_by: the argument ``images`` of the run: what is read in place of the originals; empty for these.
        progress: called with (images opened, all) now and then.

    Returns:
        One line for each thing looked at. ``damaged`` stands wherever a run would refuse the folder or count failures.
    """
    lines: list[CheckLine] = []
    listed: dict[str, Pairs] = {}
    files: dict[str, dict[str, Path]] = {}
    for folder, kind in ((PROBES, "probe"), (GALLERY, "gallery")):
        try:
            listed[folder] = read_pairs(pairs_file(root, folder), folder)
            lines.append(_count(f"{folder} rows in the .mat file", len(listed[folder]), OFFICIAL[kind]))
            lines.append(_copies(root, folder, listed[folder]))
        except DataError as error:
            lines.append(CheckLine("damaged", f"{folder} .mat file", str(error)))
    for folder in (PROBES, GALLERY, DISTRACTORS):
        try:
            files[folder] = image_files(root, images / folder, recursive=folder == DISTRACTORS)
        except DataError as error:
            lines.append(CheckLine("damaged", f"{folder} images", str(error)))
    if DISTRACTORS in files:
        lines.append(_count(f"{DISTRACTORS} images", len(files[DISTRACTORS]), OFFICIAL["distractor"]))
    for folder, pairs in listed.items():
        lines += _against_disk(images, folder, pairs, files.get(folder, {}))
    if len(listed) == 2:
        lines += _identities(listed[PROBES], listed[GALLERY])
    lines += _training(root, {identity for pairs in listed.values() for _, identity in pairs})
    if DISTRACTORS in files and study is not None:
        lost = sorted(m.key for m in study.media.get("distractor", ()) if not m.path.is_file())
        lines.append(_none_or("damaged", f"{DISTRACTORS} images without a version here", lost))
    lines.append(_aligned(root, replaced_by))
    lines += _contents(files, files_used(study), progress)
    return lines


def _aligned(root: Path, replaced_by: str) -> CheckLine:
    """Which images are looked at, and whether AdaFace's aligned ones are beside the originals."""
    if replaced_by:
        return CheckLine("differs", "images looked at", f"those of {printable(replaced_by)}", "the originals")
    there = f"the originals; {ALIGNED} is here too (tinyface:images={ALIGNED})"
    return CheckLine("ok", "images looked at", there if (root / ALIGNED).is_dir() else "the originals", "the originals")


def _count(subject: str, found: int, expected: int) -> CheckLine:
    return CheckLine("ok" if found == expected else "differs", subject, f"{found:,}", f"{expected:,}")


def _none_or(level: Literal["differs", "damaged"], subject: str, names: Sequence[str]) -> CheckLine:
    examples = tuple(names[:_EXAMPLES])
    return CheckLine(level if names else "ok", subject, f"{len(names):,}" if names else "none", "none", examples)


def _copies(root: Path, folder: str, pairs: Pairs) -> CheckLine:
    """Whether the .mat file beside the official script, where there is one, says the same."""
    subject, copy = f"{folder} .mat file and its copy beside the script", pairs_files(root, folder)[1]
    if not copy.is_file():
        return CheckLine("ok", subject, "no copy", "alike")
    try:
        same = read_pairs(copy, folder) == pairs
    except DataError as error:
        return CheckLine("differs", subject, str(error), "alike")
    return CheckLine("ok" if same else "differs", subject, "alike" if same else "contradict each other", "alike")


def _against_disk(images: Path, folder: str, pairs: Pairs, files: Mapping[str, Path]) -> list[CheckLine]:
    """What the .mat file names and what the disk holds."""
    matching = match([name for name, _ in pairs], files)
    inner = sorted(path.name for path in folders_in(images / folder))
    extra = [printable(name) for name in matching.extra]
    return [
        _none_or("damaged", f"{folder} images named in the .mat file but absent", sorted(matching.absent)),
        _none_or("damaged", f"{folder} names that could mean several images", matching.ambiguous),
        _none_or("differs", f"{folder} images not in the .mat file", extra),
        _none_or("differs", f"{folder} names that begin with another identity", misnamed(pairs)),
        _none_or("differs", f"folders in {folder}, whose images are not read", [printable(name) for name in inner]),
    ]


def _identities(probes: Pairs, gallery: Pairs) -> list[CheckLine]:
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
    people = [path.name for path in folders_in(folder)]
    try:
        images = [len(image_files(root, folder / name, recursive=True)) for name in people]
    except DataError as error:
        return [CheckLine("differs", "Training_Set", str(error), "2,570 identities")]
    return [
        _count("training identities", len(people), OFFICIAL_TRAINING["identities"]),
        _count("training images", sum(images), OFFICIAL_TRAINING["images"]),
        _none_or("differs", "identities in both training and test set", in_training(root, map(str, tested))),
    ]


def _contents(
    files: Mapping[str, Mapping[str, Path]], used: Collection[Path] | None, progress: Progress | None
) -> list[CheckLine]:
    """Open every image, and look for equal files among probes, gallery and distractors."""
    unreadable: list[str] = []
    lost = False
    owners: dict[bytes, list[tuple[str, str]]] = {}
    total, opened = sum(map(len, files.values())), 0
    for folder, paths in files.items():
        for name, path in paths.items():
            opened += 1
            if progress and (opened % _TELL_EVERY == 0 or opened == total):
                progress(opened, total)
            shown = f"{folder}/{printable(name)}"
            try:
                data = read_plain(path)
                decode(data)
            except DataError as error:
                unreadable.append(f"{shown}: {error}")
                lost |= used is None or path in used
            else:
                owners.setdefault(hashlib.sha256(data).digest(), []).append((folder, shown))
    leaks: list[str] = []
    others: list[str] = []
    for copies in owners.values():
        if len(copies) > 1:
            folders = {folder for folder, _ in copies}
            kind = leaks if PROBES in folders and len(folders) > 1 else others
            kind.append(" = ".join(shown for _, shown in copies))
    return [
        _none_or("damaged" if lost else "differs", "images that cannot be read", unreadable),
        _none_or("differs", "probe images that are also in the gallery, byte for byte", sorted(leaks)),
        _none_or("differs", "other images that occur more than once", sorted(others)),
    ]
