"""TinyFace: closed-set search of native low-resolution faces among 153,428 distractors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.io.textfiles import quoted
from bench.types import CheckLine, IdentificationSet, Media, Role
from protocols.base.protocol import SampledProtocol
from protocols.base.root import find_root, folders_in, names_in, printable
from protocols.tinyface.files import image_files, match
from protocols.tinyface.idpairs import read_id_pairs

GALLERY, DISTRACTORS, PROBES = "Gallery_Match", "Gallery_Distractor", "Probe"
ALIGNED = "aligned_pad_0.1_pad_high"
OFFICIAL = {"gallery": 4443, "distractor": 153_428, "probe": 3728, "identities": 2569}

Variant = Literal["official", "adaface"]
Similarity = Literal["variant", "cosine", "euclidean"]
Flip = Literal["variant", "none", "sum", "mean"]


@PROTOCOLS.register(
    "tinyface",
    summary="Closed-set 1:N search of native low-resolution faces; gallery plus distractors (Testing_Set).",
    source="Cheng, Zhu, Gong, Low-Resolution Face Recognition, ACCV 2018; official test_face_identification.m",
    licence="data set: its authors' terms; treat as non-commercial research and confirm",
)
class TinyFace(SampledProtocol):
    """Every probe image is searched in Gallery_Match + Gallery_Distractor; every probe has a mate.

    Media are RGB of any size; a template holds one media. ``official``: Euclidean distance, rank-1/5/10/20/50 and mAP
    by the trapezoid rule. ``adaface``: the AdaFace and CVLface evaluation: cosine, embeddings of an image and of its
    mirror image added as they are, rank-1/5/20.
    """

    dataset = "tinyface"
    lr_sides = "both"
    how_to_get = (
        "TinyFace (Cheng, Zhu, Gong 2018): 169,403 native low-resolution face images, 5,139 people with a name.\n"
        "Its authors at Queen Mary University of London give it out (qmul-tinyface.github.io): read their terms, and\n"
        "take it as for non-commercial research unless they say otherwise. This suite never downloads it.\n"
        "Once you have it, point to the folder that holds Testing_Set:\n"
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
        similarity: Similarity = "variant",
        flip: Flip = "variant",
        images: str = "",
    ) -> None:
        """Choose the rules.

        Args:
            variant: whose rules: ``official`` (Euclidean distance, rank-1 to rank-50, mAP) or ``adaface`` (the AdaFace
                and CVLface code: cosine, each image added to its mirror image, rank-1, 5, 20).
            unit_length: scale embeddings to unit length, on which Euclidean distance and cosine rank alike; False takes
                them as given, like the MATLAB script.
            similarity: how two embeddings are compared: as the ``variant`` does, or by cosine or Euclidean distance.
            flip: how an image is joined with its mirror image: as the ``variant`` does, not (``none``), by adding the
                two embeddings (``sum``), or by the mean of both at unit length (``mean``).
            images: a folder in the data root whose Gallery_Match, Gallery_Distractor and Probe hold aligned versions of
                the images under the same names (AdaFace's aligned_pad_0.1_pad_high), taken in place of the originals.

        Raises:
            UsageError: ``images`` leads out of the data root; or the cosine of features that are not scaled to unit
                length is asked for.
        """
        official = variant == "official"
        own: tuple[Literal["cosine", "euclidean"], Literal["none", "sum"]]
        own = ("euclidean", "none") if official else ("cosine", "sum")
        self.similarity = own[0] if similarity == "variant" else similarity
        self.flip = own[1] if flip == "variant" else flip
        if self.similarity == "cosine" and not unit_length:  # the plain dot product that it would be is no cosine
            raise UsageError("tinyface: similarity=cosine needs unit_length=true; use similarity=euclidean otherwise")
        self.ranks = (1, 5, 10, 20, 50) if official else (1, 5, 20)
        self.mean_average_precision = official
        self.unit_length = unit_length
        if images and (Path(images).is_absolute() or ".." in Path(images).parts or "\0" in images):
            raise UsageError(f"tinyface: images={images} leads out of the data root; give a folder in it.")
        self.images = images

    def image_folder(self, root: Path) -> Path:
        """The folder whose Gallery_Match, Gallery_Distractor and Probe hold the images that are read.

        Raises:
            DataError: the one that was given is not there, or holds none of the three.
        """
        if not self.images:
            return root / "Testing_Set"
        for folder in (root / self.images, root / self.images / "Testing_Set"):
            if any((folder / part).is_dir() for part in (PROBES, GALLERY, DISTRACTORS)):
                return folder
        there = ", ".join(names_in(root / self.images)[:5]) or "nothing"
        raise DataError(
            f"{root / self.images} (images={self.images}) holds no {PROBES}, {GALLERY} and {DISTRACTORS}; it holds "
            f"{there}."
        )

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Testing_Set``: ``root`` itself or the folder ``tinyface`` in it.

        Raises:
            MissingError: ``root`` is no folder.
            DataError: it holds no TinyFace, or holds it deeper than it should; the text names the folder to use.
        """
        return find_root(
            root,
            holds=lambda folder: (folder / "Testing_Set").is_dir(),
            name="TinyFace",
            expected=f"the folder Testing_Set with {PROBES}, {GALLERY}, {DISTRACTORS} and two .mat files",
            how_to_get=self.how_to_get,
            inside=("tinyface", "TinyFace"),
        )

    def read(self, root: Path) -> IdentificationSet:
        """List the media under a located root in the order of the .mat files, distractors sorted by path.

        An image that a .mat file names but that is not there stays in the list, becomes a counted failure, and makes
        the set no official one.

        Raises:
            DataError: a folder or .mat file is missing or damaged, a name is ambiguous or leaves its folder, or a probe
                has no mate.
        """
        notes: list[str] = []
        folder = self.image_folder(root)
        gallery, whole_gallery = _listed(root, GALLERY, "gallery", folder, notes)
        probes, whole_probes = _listed(root, PROBES, "probe", folder, notes)
        files = distractor_files(root, folder, notes)
        keys = [f"{DISTRACTORS}/{printable(name)}" for name in files]
        distractors = tuple(
            Media(key, path, "distractor", None, key) for key, path in zip(keys, files.values(), strict=True)
        )
        if self.images:
            notes.append(
                f"Images are those of {quoted(self.images)} in place of the originals: figures are not those of native "
                "faces."
            )
        elif (root / ALIGNED).is_dir():
            notes.append(
                f"{ALIGNED} is here too, AdaFace's aligned images. The originals are measured; "
                f"tinyface:images={ALIGNED} takes the aligned ones."
            )
        people = {media.identity for media in gallery}
        strangers = [media for media in probes if media.identity not in people]
        if strangers:
            first = ", ".join(f"{media.key} ({media.identity})" for media in strangers[:5])
            raise DataError(
                f"{len(strangers)} of {len(probes)} probes have no mate in {GALLERY}: {first}. The .mat files of a "
                "release belong together; are they from two?"
            )
        trained = in_training(root, people)
        if trained:
            notes.append(
                f"{len(trained):,} people of the test set are in Training_Set too ({trained[0]}...): a network trained "
                "on it has seen them."
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
        official = counts == OFFICIAL and whole_gallery and whole_probes and not self.images
        return IdentificationSet(gallery, probes, distractors, official=official, notes=tuple(notes))

    def published_counts(self) -> dict[str, int]:
        """Images and people of the official test set."""
        named = {"probe identities" if name == "identities" else name: number for name, number in OFFICIAL.items()}
        return {**named, "searches": OFFICIAL["probe"]}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.tinyface.check`."""
        from protocols.tinyface.check import check

        return check(root, progress, protocol=self)


def pairs_files(root: Path, folder: str) -> list[Path]:
    """Where the .mat file of Gallery_Match or Probe may lie: beside the images, or beside the official script."""
    name = f"{'gallery_match' if folder == GALLERY else 'probe'}_img_ID_pairs.mat"
    return [root / "Testing_Set" / name, root / "Face_Identification_Evaluation" / name]


def pairs_file(root: Path, folder: str) -> Path:
    """The .mat file of Gallery_Match or Probe; DataError when there is none."""
    places = pairs_files(root, folder)
    for path in places:
        if path.is_file():
            return path
    raise DataError(
        f"{places[0].name} is neither in {places[0].parent} nor in {places[1].parent}; it says which image shows whom."
    )


def read_pairs(path: Path, folder: str) -> list[tuple[str, int]]:
    """(file name, identity) of Gallery_Match or Probe, from its .mat file."""
    prefix = "gallery" if folder == GALLERY else "probe"
    return read_id_pairs(path, f"{prefix}_set", f"{prefix}_ids")


def distractor_files(root: Path, images: Path, notes: list[str]) -> dict[str, Path]:
    """Distractors by their path in Gallery_Distractor, sorted.

    Of images in place of the originals, the originals say which there are: what has no other version stays in the list
    as an absent file, and is counted in a note.
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
        notes.append(f"{absent:,} of {len(paths):,} distractors have no image in {printable(images.name)}.")
    return paths


def _listed(root: Path, folder: str, role: Role, images: Path, notes: list[str]) -> tuple[tuple[Media, ...], bool]:
    """The media that a .mat file lists, found on disk, and whether all were."""
    source = pairs_file(root, folder)
    pairs = read_pairs(source, folder)
    names = [name for name, _ in pairs]
    base = images / folder
    files = image_files(root, base, recursive=False)
    matching = match(names, files)
    if matching.ambiguous:
        raise DataError(
            f"{folder}: it is not clear which image is meant in {len(matching.ambiguous)} cases; "
            f"{matching.ambiguous[0]}. Keep one, or name it as the .mat file does."
        )
    media = []
    for name, identity in pairs:
        path = files[matching.found[name]] if name in matching.found else base / name
        media.append(Media(f"{folder}/{name}", path, role, str(identity), f"{folder}/{name}"))
    if matching.absent:
        notes.append(
            f"{len(matching.absent)} of {len(pairs)} images that the .mat file of {folder} names are absent: "
            f"{matching.absent[0]}..."
        )
    if matching.extra:
        notes.append(f"{len(matching.extra)} images in {folder} are not in its .mat file and are left out.")
    strange = misnamed(pairs)
    if strange:
        notes.append(f"{len(strange)} file names in {folder} begin with another identity than the .mat file gives.")
    if source.parent.name != "Testing_Set":
        notes.append(f"{source.name} is missing in Testing_Set; the copy in {source.parent.name} was used.")
    return tuple(media), not matching.absent


def in_training(root: Path, tested: Iterable[str | None]) -> list[str]:
    """Folders of Training_Set, where there is one, that are named by the number of somebody tested; sorted."""
    known = set(tested)
    names = [path.name for path in folders_in(root / "Training_Set")]
    return [name for name in names if name.isascii() and name.isdigit() and str(int(name)) in known]


def misnamed(pairs: list[tuple[str, int]]) -> list[str]:
    """Names that begin with ``<number>_``, and the number is not the identity given."""
    heads = [(name, name.partition("_")[0], str(identity)) for name, identity in pairs if "_" in name]
    return [name for name, head, own in heads if head.isascii() and head.isdigit() and head.lstrip("0") != own]
