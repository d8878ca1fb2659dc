"""TinyFace: closed-set search of native low-resolution faces among 153,428 distractors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.io.textfiles import quote
from bench.types import CheckLine, IdentificationSet, Media, Role
from protocols.base.protocol import SampledProtocol
from protocols.base.root import escaped_name, find_root, names_in
from protocols.tinyface.files import (
    ALIGNED,
    DISTRACTORS,
    GALLERY,
    OFFICIAL,
    PROBES,
    distractor_files,
    image_files,
    in_training,
    match,
    misnamed,
    pairs_file,
    read_pairs,
)

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

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

    Media are RGB of any size; a template holds one image. ``official``: Euclidean distance, rank-1/5/10/20/50 and mAP
    by the trapezoid rule. ``adaface``: the AdaFace and CVLface evaluation: cosine, the embeddings of an image and
    of its mirror image added without scaling, rank-1/5/20.
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
            unit_length: scale embeddings to unit length, where Euclidean distance and cosine give the same ranks; False
                keeps their lengths, like the MATLAB script.
            similarity: how two embeddings are compared: as the ``variant`` does, or by cosine or Euclidean distance.
            flip: how the embedding of the mirror image is used: as the ``variant`` does, not at all (``none``), added
                (``sum``), or as the mean of both at unit length (``mean``).
            images: a folder in the data root whose Gallery_Match, Gallery_Distractor and Probe hold aligned versions of
                the images under the same names (AdaFace's aligned_pad_0.1_pad_high), used instead of the originals.

        Raises:
            UsageError: ``images`` leads out of the data root; or cosine is combined with ``unit_length=False``.
        """
        official = variant == "official"
        defaults: tuple[Literal["cosine", "euclidean"], Literal["none", "sum"]]
        defaults = ("euclidean", "none") if official else ("cosine", "sum")
        self.similarity = defaults[0] if similarity == "variant" else similarity
        self.flip = defaults[1] if flip == "variant" else flip
        if self.similarity == "cosine" and not unit_length:  # it would be a dot product
            raise UsageError("tinyface: similarity=cosine needs unit_length=true; use similarity=euclidean otherwise")
        self.ranks = (1, 5, 10, 20, 50) if official else (1, 5, 20)
        self.mean_average_precision = official
        self.unit_length = unit_length
        if images and (Path(images).is_absolute() or ".." in Path(images).parts or "\0" in images):
            raise UsageError(f"tinyface: images={images} leads out of the data root; give a folder in it.")
        self.images = images

    def image_folder(self, root: Path) -> Path:
        """Return the folder whose Gallery_Match, Gallery_Distractor and Probe hold the images that are read.

        Raises:
            DataError: the folder given by ``images`` is absent or holds none of the three.
        """
        if not self.images:
            return root / "Testing_Set"
        for folder in (root / self.images, root / self.images / "Testing_Set"):
            if any((folder / part).is_dir() for part in (PROBES, GALLERY, DISTRACTORS)):
                return folder
        names = ", ".join(names_in(root / self.images)[:5]) or "nothing"
        raise DataError(
            f"{root / self.images} (images={self.images}) holds no {PROBES}, {GALLERY} and {DISTRACTORS}; it holds "
            f"{names}."
        )

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the TinyFace sample."""
        from protocols.tinyface.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Testing_Set``: ``root`` itself or the folder ``tinyface`` in it.

        Raises:
            MissingError: ``root`` does not exist.
            DataError: it holds no TinyFace, or holds it deeper; the text names the folder to use.
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

        An image that a .mat file names but that is absent stays in the list and becomes a counted failure; the set is
        then not official.

        Raises:
            DataError: a folder or .mat file is missing or damaged, a name is ambiguous or leaves its folder, or a probe
                has no mate.
        """
        notes: list[str] = []
        folder = self.image_folder(root)
        gallery, complete_gallery = _read_listed(root, GALLERY, "gallery", folder, notes)
        probes, complete_probes = _read_listed(root, PROBES, "probe", folder, notes)
        files = distractor_files(root, folder, notes)
        keys = [f"{DISTRACTORS}/{escaped_name(name)}" for name in files]
        distractors = tuple(
            Media(key, path, "distractor", None, key) for key, path in zip(keys, files.values(), strict=True)
        )
        if self.images:
            notes.append(
                f"Images are read from {quote(self.images)} instead of the originals: the figures are not those of "
                "native faces."
            )
        elif (root / ALIGNED).is_dir():
            notes.append(
                f"{ALIGNED} (AdaFace's aligned images) is present too. The originals are measured; "
                f"tinyface:images={ALIGNED} uses the aligned ones."
            )
        people = {media.identity for media in gallery}
        unmated = [media for media in probes if media.identity not in people]
        if unmated:
            first = ", ".join(f"{media.key} ({media.identity})" for media in unmated[:5])
            raise DataError(
                f"{len(unmated)} of {len(probes)} probes have no mate in {GALLERY}: {first}. The .mat "
                "files must be of one release."
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
        official = counts == OFFICIAL and complete_gallery and complete_probes and not self.images
        return IdentificationSet(gallery, probes, distractors, official=official, notes=tuple(notes))

    def published_counts(self) -> dict[str, int]:
        """Images and people of the official test set."""
        named = {"probe identities" if name == "identities" else name: number for name, number in OFFICIAL.items()}
        return {**named, "searches": OFFICIAL["probe"]}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.tinyface.check`."""
        from protocols.base.checks import read_as_run
        from protocols.tinyface.check import check

        readable, study = read_as_run(lambda: self.read(root))
        try:
            folder = self.image_folder(root)
        except DataError:
            return [readable]
        return [*check(root, study, folder, replaced_by=self.images, progress=progress), readable]


def _read_listed(root: Path, folder: str, role: Role, images: Path, notes: list[str]) -> tuple[tuple[Media, ...], bool]:
    """The media that a .mat file lists, and whether all of their files exist."""
    source = pairs_file(root, folder)
    pairs = read_pairs(source, folder)
    names = [name for name, _ in pairs]
    base = images / folder
    files = image_files(root, base, recursive=False)
    matching = match(names, files)
    if matching.ambiguous:
        raise DataError(
            f"{folder}: {len(matching.ambiguous)} names are ambiguous; {matching.ambiguous[0]}. Keep one file, or name "
            "it as the .mat file does."
        )
    media = []
    for name, identity in pairs:
        path = files[matching.files[name]] if name in matching.files else base / name
        media.append(Media(f"{folder}/{name}", path, role, str(identity), f"{folder}/{name}"))
    if matching.absent:
        notes.append(
            f"{len(matching.absent)} of {len(pairs)} images that the .mat file of {folder} names are absent: "
            f"{matching.absent[0]}..."
        )
    if matching.extra:
        notes.append(f"{len(matching.extra)} images in {folder} are not in its .mat file and are left out.")
    wrong_names = misnamed(pairs)
    if wrong_names:
        notes.append(f"{len(wrong_names)} file names in {folder} begin with another identity than the .mat file gives.")
    if source.parent.name != "Testing_Set":
        notes.append(f"{source.name} is missing in Testing_Set; the copy in {source.parent.name} was used.")
    return tuple(media), not matching.absent
