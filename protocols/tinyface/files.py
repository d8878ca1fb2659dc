"""The files of TinyFace: images, .mat files, the match of listed names with file names; the published counts."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from protocols.base.root import escaped_name, folders_in
from protocols.tinyface.idpairs import read_id_pairs

GALLERY, DISTRACTORS, PROBES = "Gallery_Match", "Gallery_Distractor", "Probe"
ALIGNED = "aligned_pad_0.1_pad_high"
OFFICIAL = {"gallery": 4443, "distractor": 153_428, "probe": 3728, "identities": 2569}


@dataclass(frozen=True, slots=True)
class Matching:
    """Listed names matched with file names.

    Attributes:
        files: file name of each matched listed name, one to one.
        absent: listed names without a file, in listed order.
        ambiguous: a phrase for each name with several candidate files, or file with several candidate names; sorted.
        extra: files without a listed name, sorted.
    """

    files: dict[str, str]
    absent: tuple[str, ...]
    ambiguous: tuple[str, ...]
    extra: tuple[str, ...]


def image_files(root: Path, folder: Path, *, recursive: bool) -> dict[str, Path]:
    """Image files of a folder by their path in it, sorted; hidden files are skipped.

    Args:
        root: the data root, which no link may leave.
        folder: a folder in it.
        recursive: whether to include files of folders in it.

    Raises:
        DataError: the folder is absent or cannot be read, or a link leaves the root or leads to a folder.
    """
    home = os.path.realpath(root)
    if not _inside(str(folder), home):
        raise DataError(f"{folder} is a link that leaves {root}; refused. Put the folder itself there.")
    files: dict[str, Path] = {}
    folders = [("", folder)]
    while folders:
        prefix, here = folders.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.name.startswith("."):  # macOS writes hidden companions with the ending of their image
                        continue
                    if entry.is_symlink() and (entry.is_dir() or not _inside(entry.path, home)):
                        raise DataError(f"{entry.path} is a link to a folder or out of {root}; refused.")
                    if entry.is_dir(follow_symlinks=False):
                        if recursive:
                            folders.append((f"{prefix}{entry.name}/", Path(entry.path)))
                    elif entry.name.lower().endswith(IMAGE_ENDINGS):
                        files[prefix + entry.name] = here / entry.name
        except FileNotFoundError:
            raise DataError(f"{here} does not exist.") from None
        except OSError as error:
            raise DataError(f"{here} cannot be read ({error.strerror}).") from None
    return dict(sorted(files.items()))


def match(names: Sequence[str], files: Iterable[str]) -> Matching:
    """Match listed names with file names: exactly, in another Unicode form, or with another image ending.

    A file that matches one name exactly is no candidate for another.

    Args:
        names: listed names, each once.
        files: file names of one folder, each once.
    """
    matched: dict[str, str] = {}
    left, unclaimed = list(names), list(files)
    ambiguous: list[str] = []
    forms: tuple[Callable[[str], str], ...] = (str, _composed, _stem)
    for form in forms:
        candidates = _grouped(form, unclaimed)
        for key, wanted in _grouped(form, left).items():
            options = candidates.get(key, [])
            if len(wanted) == len(options) == 1:
                matched[wanted[0]] = options[0]
            elif options and form is _stem:
                ambiguous.append(f"{' and '.join(sorted(wanted))} could mean {' or '.join(sorted(options))}")
        claimed = set(matched.values())
        left = [name for name in left if name not in matched]
        unclaimed = [file for file in unclaimed if file not in claimed]
    several = {key for key in _grouped(_stem, left) if key in _grouped(_stem, unclaimed)}
    absent = tuple(name for name in left if _stem(name) not in several)
    return Matching(matched, absent, tuple(sorted(ambiguous)), tuple(sorted(unclaimed)))


def pairs_files(root: Path, folder: str) -> list[Path]:
    """Possible paths of the .mat file of Gallery_Match or Probe: beside the images, or beside the official script."""
    name = f"{'gallery_match' if folder == GALLERY else 'probe'}_img_ID_pairs.mat"
    return [root / "Testing_Set" / name, root / "Face_Identification_Evaluation" / name]


def pairs_file(root: Path, folder: str) -> Path:
    """The .mat file of Gallery_Match or Probe; raises DataError where there is none."""
    places = pairs_files(root, folder)
    for path in places:
        if path.is_file():
            return path
    raise DataError(
        f"{places[0].name} is neither in {places[0].parent} nor in {places[1].parent}; it gives the identity of each "
        "image."
    )


def read_pairs(path: Path, folder: str) -> list[tuple[str, int]]:
    """(file name, identity) of Gallery_Match or Probe, from its .mat file."""
    prefix = "gallery" if folder == GALLERY else "probe"
    return read_id_pairs(path, f"{prefix}_set", f"{prefix}_ids")


def distractor_files(root: Path, images: Path, notes: list[str]) -> dict[str, Path]:
    """Distractors by their path in Gallery_Distractor, sorted.

    Where other images replace the originals, the list is that of the originals; an original without a replacement stays
    in the list as an absent file, and a note counts them.
    """
    files = image_files(root, images / DISTRACTORS, recursive=True)
    originals = root / "Testing_Set" / DISTRACTORS
    if images == root / "Testing_Set" or not originals.is_dir():
        return files
    stems = {str(PurePosixPath(name).with_suffix("")): path for name, path in files.items()}
    listed = image_files(root, originals, recursive=True)
    if not listed:
        return files
    paths = {n: stems.get(str(PurePosixPath(n).with_suffix("")), images / DISTRACTORS / n) for n in listed}
    absent = sum(not path.is_file() for path in paths.values())
    if absent:
        notes.append(f"{absent:,} of {len(paths):,} distractors have no image in {escaped_name(images.name)}.")
    return paths


def in_training(root: Path, tested: Iterable[str | None]) -> list[str]:
    """Folders of Training_Set, where it exists, named by the number of a tested identity; sorted."""
    numbers = set(tested)
    names = [path.name for path in folders_in(root / "Training_Set")]
    return [name for name in names if name.isascii() and name.isdigit() and str(int(name)) in numbers]


def misnamed(pairs: list[tuple[str, int]]) -> list[str]:
    """Names that begin with ``<number>_`` where the number differs from the listed identity."""
    heads = [(name, name.partition("_")[0], str(identity)) for name, identity in pairs if "_" in name]
    return [name for name, head, listed in heads if head.isascii() and head.isdigit() and head.lstrip("0") != listed]


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
