"""``bench data check tinyface``: compares a folder with the official release."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain
from pathlib import Path

from bench.errors import DataError
from bench.interfaces import Progress
from bench.studies import Study
from bench.types import CheckLine
from protocols.base.checks import (
    count_line,
    digests_of_part,
    equal_files,
    files_used,
    list_line,
    open_files,
    split_by_use,
)
from protocols.base.root import escaped_name, folders_in
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

Pairs = list[tuple[str, int]]


def check(
    root: Path, study: Study | None, images: Path, *, replaced_by: str = "", progress: Progress | None = None
) -> list[CheckLine]:
    """Compare a folder with the official release; opens every image of the test set and never raises on damage.

    Args:
        root: the folder that holds ``Testing_Set``.
        study: what a run reads; None where it would refuse the folder.
        images: the folder whose Gallery_Match, Gallery_Distractor and Probe hold the images that a run reads.
        replaced_by: the argument ``images`` of the run: the folder read instead of the originals; empty for these.
        progress: called with (images opened, all) now and then.

    Returns:
        One line for each property. ``damaged`` marks everything for which a run would refuse the folder or count
        failures.
    """
    lines: list[CheckLine] = []
    listed: dict[str, Pairs] = {}
    files: dict[str, dict[str, Path]] = {}
    for folder, kind in ((PROBES, "probe"), (GALLERY, "gallery")):
        try:
            listed[folder] = read_pairs(pairs_file(root, folder), folder)
            lines.append(count_line(f"{folder} rows in the .mat file", len(listed[folder]), OFFICIAL[kind]))
            lines.append(_compare_copy(root, folder, listed[folder]))
        except DataError as error:
            lines.append(CheckLine("damaged", f"{folder} .mat file", str(error)))
    for folder in (PROBES, GALLERY, DISTRACTORS):
        try:
            files[folder] = image_files(root, images / folder, recursive=folder == DISTRACTORS)
        except DataError as error:
            lines.append(CheckLine("damaged", f"{folder} images", str(error)))
    if DISTRACTORS in files:
        count = len(files[DISTRACTORS])
        lines.append(count_line(f"{DISTRACTORS} images", count, OFFICIAL["distractor"], needed=False))
    for folder, pairs in listed.items():
        lines += _compare_with_disk(images, folder, pairs, files.get(folder, {}))
    if len(listed) == 2:
        lines += _identities(listed[PROBES], listed[GALLERY])
    lines += _training(root, {identity for pairs in listed.values() for _, identity in pairs})
    if DISTRACTORS in files and study is not None:
        absent = [m.key for m in study.media.get("distractor", ()) if not m.path.is_file()]
        lines.append(list_line(f"{DISTRACTORS} images without a version here", absent))
    lines.append(_version(root, replaced_by))
    lines += _contents(images, files, files_used(study), progress)
    return lines


def _version(root: Path, replaced_by: str) -> CheckLine:
    """Which images are opened, and whether AdaFace's aligned ones are present beside the originals."""
    subject, originals = "images opened", "the originals"
    if replaced_by:
        return CheckLine("differs", subject, f"those of {escaped_name(replaced_by)}", originals)
    both = f"{originals}; {ALIGNED} is present too (tinyface:images={ALIGNED})"
    return CheckLine("ok", subject, both if (root / ALIGNED).is_dir() else originals, originals)


def _compare_copy(root: Path, folder: str, pairs: Pairs) -> CheckLine:
    """Whether the second copy of the .mat file, beside the official script, is equal where it exists."""
    subject, copy = f"{folder} .mat file and its copy beside the script", pairs_files(root, folder)[1]
    if not copy.is_file():
        return CheckLine("ok", subject, "no copy", "equal")
    try:
        same = read_pairs(copy, folder) == pairs
    except DataError as error:
        return CheckLine("differs", subject, str(error), "equal")
    return CheckLine("ok" if same else "differs", subject, "equal" if same else "contradict each other", "equal")


def _compare_with_disk(images: Path, folder: str, pairs: Pairs, files: Mapping[str, Path]) -> list[CheckLine]:
    """Names of the .mat file against the files of its folder."""
    matching = match([name for name, _ in pairs], files)
    inner = [escaped_name(path.name) for path in folders_in(images / folder)]
    extra = [escaped_name(name) for name in matching.extra]
    return [
        list_line(f"{folder} images named in the .mat file but absent", matching.absent),
        list_line(f"{folder} names that could mean several images", matching.ambiguous),
        list_line(f"{folder} images not in the .mat file", extra, level="differs"),
        list_line(f"{folder} names that begin with another identity", misnamed(pairs), level="differs"),
        list_line(f"folders in {folder}, whose images are not read", inner, level="differs"),
    ]


def _identities(probes: Pairs, gallery: Pairs) -> list[CheckLine]:
    enrolled = {identity for _, identity in gallery}
    searched = {identity for _, identity in probes}
    unmated = [f"{name} (identity {identity})" for name, identity in probes if identity not in enrolled]
    return [
        count_line("probe identities", len(searched), OFFICIAL["identities"]),
        count_line("gallery identities", len(enrolled), OFFICIAL["identities"]),
        list_line("probes without a mate in the gallery", unmated),
    ]


def _training(root: Path, tested: set[int]) -> list[CheckLine]:
    folder = root / "Training_Set"
    if not folder.is_dir():
        return [CheckLine("differs", "Training_Set", "absent (not needed to measure)", "2,570 identities")]
    people = [path.name for path in folders_in(folder)]
    try:
        images = sum(len(image_files(root, folder / name, recursive=True)) for name in people)
    except DataError as error:
        return [CheckLine("differs", "Training_Set", str(error), "2,570 identities")]
    return [
        count_line("training identities", len(people), OFFICIAL_TRAINING["identities"], needed=False),
        count_line("training images", images, OFFICIAL_TRAINING["images"], needed=False),
        list_line("identities in both training and test set", in_training(root, map(str, tested)), level="differs"),
    ]


def _contents(
    images: Path, files: Mapping[str, Mapping[str, Path]], used: Collection[Path] | None, progress: Progress | None
) -> list[CheckLine]:
    """Open every image, and list equal files among probes, gallery and distractors."""
    folder_of = {path: folder for folder, paths in files.items() for path in paths.values()}
    name_of = {path: f"{folder}/{escaped_name(n)}" for folder, paths in files.items() for n, path in paths.items()}
    parts = split_by_use({folder: list(paths.values()) for folder, paths in files.items()}, used)
    lines, digests = open_files(images, parts, progress)
    readable = dict(chain.from_iterable(digests_of_part(digests, folder).items() for folder in files))
    leaks: list[str] = []
    others: list[str] = []
    for copies in equal_files(readable):
        folders = {folder_of[path] for path in copies}
        group = leaks if PROBES in folders and len(folders) > 1 else others
        group.append(" = ".join(name_of[path] for path in copies))
    return [
        *lines,
        list_line("probe images that are also in the gallery, byte for byte", leaks, level="differs"),
        list_line("other images that occur more than once", others, level="differs"),
    ]
