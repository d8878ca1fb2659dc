"""TinyFace: closed-set search of native low-resolution faces among 153,428 distractors."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bench.errors import DataError, MissingError
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.types import CheckLine, IdentificationSet, Media, Role
from protocols.idpairs import read_id_pairs

GALLERY, DISTRACTORS, PROBES = "Gallery_Match", "Gallery_Distractor", "Probe"
OFFICIAL = {"gallery": 4443, "distractor": 153_428, "probe": 3728, "identities": 2569}
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_DEEPEST = 3
_MOST_LOOKED_AT = 100  # folders a level: a wrong root may hold the whole disk

Variant = Literal["official", "adaface"]
Similarity = Literal["cosine", "euclidean"]
Flip = Literal["none", "sum", "mean"]


@PROTOCOLS.register(
    "tinyface",
    summary="Closed-set 1:N search of native low-resolution faces; gallery plus distractors (Testing_Set).",
    source="Cheng, Zhu, Gong, Low-Resolution Face Recognition, ACCV 2018; official test_face_identification.m",
    licence="data set: non-commercial research, to be confirmed with its authors",
)
class TinyFace(EvalProtocol):
    """Every probe image is searched in Gallery_Match + Gallery_Distractor; every probe has a mate.

    Media are RGB of any size; a template holds one media. ``official``: Euclidean distance, rank-1/5/10/20/50 and mAP
    by the trapezoid rule. ``adaface``: the AdaFace and CVLface evaluation: cosine, embeddings of an image and of its
    mirror image added as they are, rank-1/5/20.
    """

    dataset = "tinyface"
    how_to_get = (
        "TinyFace (Cheng, Zhu, Gong 2018; 169,403 native low-resolution face images of 5,139 people) is given by its\n"
        "authors at Queen Mary University of London for non-commercial research: see qmul-tinyface.github.io.\n"
        "This suite never downloads it. Once you have it, point to the folder that holds Testing_Set:\n"
        "  bench run --protocol tinyface --data-root DIR\n"
        "  bench config set data.tinyface DIR\n"
        "  BENCH_DATA=DIR bench run --protocol tinyface      (DIR, or a folder in it)\n"
        "Then `bench data check tinyface` says whether it is whole."
    )

    def __init__(
        self,
        *,
        variant: Variant = "official",
        unit_length: bool = True,
        similarity: Similarity | None = None,
        flip: Flip | None = None,
    ) -> None:
        """Choose the rules.

        Args:
            variant: whose evaluation.
            unit_length: scale embeddings to unit length, on which Euclidean distance and cosine rank alike; False takes
                them as given, like the MATLAB script.
            similarity: overrides the variant's.
            flip: overrides the variant's.
        """
        official = variant == "official"
        self.similarity = similarity or ("euclidean" if official else "cosine")
        self.flip = flip or ("none" if official else "sum")
        self.ranks = (1, 5, 10, 20, 50) if official else (1, 5, 20)
        self.mean_average_precision = official
        self.unit_length = unit_length

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Testing_Set``: ``root`` itself or the folder ``tinyface`` in it.

        Raises:
            MissingError: ``root`` is no folder.
            DataError: it holds no TinyFace, or holds it deeper than it should; the text names the folder to use.
        """
        if not root.is_dir():
            raise MissingError(f"No folder {root}.\n{self.how_to_get}")
        for folder in (root, root / "tinyface"):
            if (folder / "Testing_Set").is_dir():
                return folder
        deeper = _find_deeper(root)
        if deeper:
            raise DataError(
                f"{root} holds TinyFace too deep, in {deeper.relative_to(root)}. Use --data-root {deeper} instead."
            )
        names = sorted(path.name for path in root.iterdir())
        there = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
        raise DataError(
            f"{root} is no TinyFace: expected the folder Testing_Set with Probe, {GALLERY}, {DISTRACTORS} and two .mat "
            f"files; found {there}."
        )

    def read(self, root: Path) -> IdentificationSet:
        """List the media under a located root in the order of the .mat files, distractors sorted by path.

        An image that a .mat file names but that is not there stays in the list and becomes a counted failure.

        Raises:
            DataError: a folder or .mat file is missing or damaged, a name is ambiguous or leaves its folder, or a probe
                has no mate.
        """
        notes: list[str] = []
        gallery = _listed(root, GALLERY, "gallery", notes)
        probes = _listed(root, PROBES, "probe", notes)
        distractors = tuple(
            Media(key, path, "distractor", None, key) for key, path in sorted(_images(root, DISTRACTORS).items())
        )
        people = {media.identity for media in gallery}
        strangers = [media for media in probes if media.identity not in people]
        if strangers:
            first = ", ".join(f"{media.key} ({media.identity})" for media in strangers[:5])
            raise DataError(
                f"{len(strangers)} of {len(probes)} probes have no mate in {GALLERY}: {first}. The .mat files of a "
                "release belong together; are they from two?"
            )
        counts = {
            "gallery": len(gallery),
            "distractor": len(distractors),
            "probe": len(probes),
            "identities": len({media.identity for media in probes}),
        }
        if counts != OFFICIAL:
            differences = "; ".join(
                f"{counts[k]:,} of {OFFICIAL[k]:,} {k}" for k in OFFICIAL if counts[k] != OFFICIAL[k]
            )
            notes.append(f"Not the official test set: {differences}.")
        return IdentificationSet(gallery, probes, distractors, official=counts == OFFICIAL, notes=tuple(notes))

    def check(self, root: Path) -> list[CheckLine]:
        """Compare with the official release; see `protocols.tinyface_check`."""
        from protocols.tinyface_check import check

        return check(root)


def pairs_file(root: Path, name: str) -> Path:
    """One of the .mat files: beside the images, else the copy beside the official script; DataError when absent."""
    places = [root / "Testing_Set" / name, root / "Face_Identification_Evaluation" / name]
    for path in places:
        if path.is_file():
            return path
    raise DataError(
        f"{name} is neither in {places[0].parent} nor in {places[1].parent}; it says which image shows whom."
    )


def read_pairs(root: Path, folder: str) -> list[tuple[str, int]]:
    """(file name, identity) of Gallery_Match or Probe, from its .mat file."""
    stem = "gallery_match" if folder == GALLERY else "probe"
    prefix = "gallery" if folder == GALLERY else "probe"
    return read_id_pairs(pairs_file(root, f"{stem}_img_ID_pairs.mat"), f"{prefix}_set", f"{prefix}_ids")


def _listed(root: Path, folder: str, role: Role, notes: list[str]) -> tuple[Media, ...]:
    """The media that a .mat file lists, found on disk by name or by name without its ending."""
    pairs = read_pairs(root, folder)
    files = _images(root, folder, recursive=False)
    find = _finder({Path(key).name: path for key, path in files.items()}, folder)
    media, used, absent = [], set(), []
    for name, identity in pairs:
        path = find(name)
        if path is None:
            absent.append(name)
        else:
            used.add(path)
        key = f"{folder}/{name}"
        there = path or root / "Testing_Set" / folder / name
        media.append(Media(key, there, role, str(identity), key))
    extra = len(files) - len(used)
    if absent:
        notes.append(
            f"{len(absent)} of {len(pairs)} images that the .mat file of {folder} names are absent: {absent[0]}..."
        )
    if extra:
        notes.append(f"{extra} images in {folder} are not in its .mat file and are left out.")
    strange = sum(_prefix(name) not in (None, identity) for name, identity in pairs)
    if strange:
        notes.append(f"{strange} file names in {folder} begin with another identity than the .mat file gives them.")
    return tuple(media)


def _images(root: Path, folder: str, *, recursive: bool = True) -> dict[str, Path]:
    """Image files of a folder of Testing_Set by their path in it; a link that leaves the root is refused."""
    base = root / "Testing_Set" / folder
    if not base.is_dir():
        raise DataError(f"{base} is not there; a TinyFace Testing_Set holds {GALLERY}, {DISTRACTORS} and {PROBES}.")
    home = root.resolve()
    found = {}
    for path in base.rglob("*") if recursive else base.iterdir():
        if path.suffix.lower() in IMAGE_ENDINGS:
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise DataError(f"{path} is a link that leaves {root}; refused.")
            found[f"{folder}/{path.relative_to(base).as_posix()}"] = path
    return found


def _finder(files: dict[str, Path], folder: str) -> Callable[[str], Path | None]:
    """Look up a listed name: as it is, in the other Unicode form, or by its stem with another image ending."""
    plain = {unicodedata.normalize("NFC", name): path for name, path in files.items()}
    stems: dict[str, list[Path]] = {}
    for name, path in plain.items():
        stems.setdefault(Path(name).stem, []).append(path)

    def find(name: str) -> Path | None:
        name = unicodedata.normalize("NFC", name)
        if name in plain:
            return plain[name]
        candidates = stems.get(Path(name).stem, [])
        if len(candidates) > 1:
            two = " and ".join(sorted(path.name for path in candidates))
            raise DataError(f"{folder}: {name} is not there, and both {two} could be meant. Keep one.")
        return candidates[0] if candidates else None

    return find


def _prefix(name: str) -> int | None:
    head = name.partition("_")[0]
    return int(head) if head.isascii() and head.isdigit() else None


def _find_deeper(root: Path) -> Path | None:
    folders = [root]
    for _ in range(_DEEPEST):
        folders = sorted(child for folder in folders for child in folder.iterdir() if child.is_dir())[:_MOST_LOOKED_AT]
        for folder in folders:
            if (folder / "Testing_Set").is_dir():
                return folder
    return None
