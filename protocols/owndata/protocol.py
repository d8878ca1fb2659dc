"""Protocols for the user's own pictures: a folder a person, or a table of paths, people and roles."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.errors import UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, IdentificationSet
from protocols.base.protocol import SampledProtocol
from protocols.owndata.csv_list import NEEDED, read_list
from protocols.owndata.entries import Listing
from protocols.owndata.folder import locate_folder, read_folder
from protocols.owndata.manifest_list import read_manifest_list
from protocols.owndata.paths import demand_folder_of_list
from protocols.owndata.study import Finder, Rules, check_entries, search_set
from protocols.owndata.table import find_table
from protocols.views.detected import FRAME_OF, Crop, Detector, Framing, detect_faces, lr_side

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

OwnCrop = Literal["none", "recogniser", "frame"]
OwnTemplates = Literal["image", "person"]


class OwnFaces(SampledProtocol):
    """Base of ``folder`` and ``csv``: both become the same list, so equal data give equal figures.

    Attributes:
        protocol: name of the protocol. The name of its data is another one, because ``restoration:source=folder`` reads
            a folder of another kind.
    """

    protocol: ClassVar[str]
    ranks = (1, 5, 10, 20)

    def __init__(
        self,
        *,
        open_set: bool,
        templates: OwnTemplates,
        fusion: Literal["mean", "unit", "media"],
        crop: OwnCrop,
        lr: int | None,
        detector: Detector,
    ) -> None:
        """Store the arguments that both share.

        Raises:
            UsageError: ``lr`` is out of range.
        """
        side = lr_side(self.protocol, lr)
        cropped: Crop | None = None if crop == "none" else crop
        self.templates, self.fusion, self.detector = templates, fusion, detector
        self.rules = Rules(
            open_set, Framing(cropped, side) if cropped else None, side, self.protocol, fusion == "media"
        )
        if cropped:
            self.default_align = "landmarks"
            self.probe_frame = self.gallery_frame = FRAME_OF[cropped]

    @abstractmethod
    def list_pictures(self, root: Path) -> Listing:
        """The pictures of a located root, as the user gave them."""

    def listing(self, root: Path) -> Listing:
        """The pictures of a located root with all faults for which a search is refused."""
        listing = self.list_pictures(root)
        check_entries(listing, self.rules)
        return listing

    def read(self, root: Path) -> IdentificationSet:
        """List the media without detecting faces; raises as `read_with`."""
        return search_set(self.listing(root), self.rules, None)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """List the media; with ``crop``, detect the face in each picture without points.

        Detections are cached under ``scratch``. A picture that is listed but absent or damaged stays in the list and
        becomes a counted failure.

        Raises:
            DataError: the list has faults; the text names each with its first places and what to do.
            MissingError: the package of the detector or of Parquet files is not installed.
        """
        detect: Finder = partial(detect_faces, scratch=scratch, progress=progress, detector=self.detector)
        return search_set(self.listing(root), self.rules, detect)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Count people and pictures, name every fault, open every picture; see `protocols.owndata.check`."""
        from protocols.owndata.check import check

        return check(root, lambda: self.listing(root), lambda: self.read(root), progress)


@PROTOCOLS.register(
    "folder",
    summary="Your own pictures in a folder a person: gallery/, probe/ and distractor/, or one tree with enrol=1.",
    source="the user's data",
    licence="the user's data",
)
class Folder(OwnFaces):
    """Every picture below ``probe/`` is searched among those below ``gallery/`` and ``distractor/``.

    Media are RGB of any size. The first folder below each of the three is the person.
    """

    dataset = "own-folder"
    protocol = "folder"
    how_to_get = (
        "Give a folder with your pictures, a folder a person:\n"
        "  DIR/gallery/PERSON/*.jpg   enrolled\n"
        "  DIR/probe/PERSON/*.jpg     searched\n"
        "  DIR/distractor/*.jpg       optional: people who are not searched\n"
        "  bench run --protocol folder --data-root DIR\n"
        "Of one tree DIR/PERSON/*.jpg, folder:enrol=1 enrols the first picture of each person.\n"
        "`bench data check folder DIR` says what is wrong."
    )

    def __init__(
        self,
        *,
        enrol: int = 0,
        open_set: bool = False,
        templates: OwnTemplates = "image",
        fusion: Literal["mean", "unit"] = "mean",
        crop: OwnCrop = "none",
        lr: int | None = 0,
        detector: Detector = "mtcnn",
    ) -> None:
        """Choose what is enrolled, and how faces are cropped.

        Args:
            enrol: for one tree of people: how many pictures of each person, first by path, are enrolled; 0 for folders
                gallery and probe.
            open_set: whether people may be searched who are not enrolled; figures of open-set identification are
                then reported.
            templates: ``image``: each picture is compared alone; ``person``: the pictures of a person in a role are
                fused.
            fusion: of the pictures of a template: ``mean`` of their embeddings, or ``unit``, each scaled to unit length
                first.
            crop: ``none`` uses pictures as they are; ``recogniser`` detects faces and crops the chip of 112 x 112
                pixels of ArcFace; ``frame`` crops 128 x 128 pixels as the hallucinators of this suite are trained.
            lr: side in pixels to which probes are shrunk; 0 keeps their size.
            detector: detects faces, where ``crop`` is not ``none``.

        Raises:
            UsageError: an argument is out of range.
        """
        if enrol < 0:
            raise UsageError(f"folder: enrol is {enrol}; expected 1 or more, or 0 for folders gallery and probe.")
        super().__init__(open_set=open_set, templates=templates, fusion=fusion, crop=crop, lr=lr, detector=detector)
        self.enrol = enrol

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the sample."""
        from protocols.owndata.sample import FOLDER

        return FOLDER

    def locate(self, root: Path) -> Path:
        """Return the root; see `protocols.owndata.folder.locate_folder`."""
        return locate_folder(root, self.how_to_get, enrol=self.enrol)

    def list_pictures(self, root: Path) -> Listing:
        """The pictures of the folders."""
        return read_folder(root, enrol=self.enrol, templates=self.templates == "person")


@PROTOCOLS.register(
    "csv",
    summary="Your own pictures by a table (CSV, TSV, Parquet): path, identity, role; also boxes, points, yaw, groups.",
    source="the user's data",
    licence="the user's data",
)
class Csv(OwnFaces):
    """Every row with the role probe is searched among the rows with the roles gallery and distractor.

    Media are RGB of any size. Further columns are copied to the rows of the results.
    """

    dataset = "own-csv"
    protocol = "csv"
    how_to_get = (
        "Give a folder with your pictures and one table that lists them:\n"
        "  path,identity,role\n"
        "  a/1.jpg,ann,gallery\n"
        "  a/2.jpg,ann,probe\n"
        "  bench run --protocol csv --data-root DIR          DIR/faces.csv; paths are relative to DIR\n"
        "A role is gallery, probe or distractor. `bench data check csv DIR` says what is wrong."
    )

    def __init__(
        self,
        *,
        file: str = "",
        split: str = "",
        open_set: bool = False,
        templates: OwnTemplates = "image",
        fusion: Literal["mean", "unit", "media"] = "mean",
        crop: OwnCrop = "none",
        lr: int | None = 0,
        detector: Detector = "mtcnn",
    ) -> None:
        """Choose the table, its rows, and how faces are cropped.

        Args:
            file: name of the table below the data root, or of a manifest (.json) that ``bench data manifest`` wrote for
                a search; empty for the only table there.
            split: value of the column ``split`` whose rows are used; ``all`` uses every row.
            open_set: whether people may be searched who are not enrolled; figures of open-set identification are
                then reported.
            templates: of rows without the column ``template``: ``image``: each picture is compared alone; ``person``:
                the pictures of a person in a role are fused.
            fusion: of the pictures of a template: ``mean`` of their embeddings, ``unit`` (each scaled to unit length
                first), or ``media`` (pictures of one value of the column ``media`` are averaged, then added).
            crop: ``none`` uses pictures or their boxes as they are; ``recogniser`` crops the chip of 112 x 112 pixels
                of ArcFace by five points, which are detected where the table gives none; ``frame`` crops 128 x 128
                pixels as the hallucinators of this suite are trained.
            lr: side in pixels to which probes are shrunk; 0 keeps their size.
            detector: detects faces, where ``crop`` is not ``none``.

        Raises:
            UsageError: ``lr`` is out of range.
        """
        super().__init__(open_set=open_set, templates=templates, fusion=fusion, crop=crop, lr=lr, detector=detector)
        self.file, self.split = file, split

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the sample."""
        from protocols.owndata.sample import CSV

        return CSV

    def locate(self, root: Path) -> Path:
        """Return the root if a table is in it.

        Raises:
            MissingError: it does not exist.
            DataError: it is a file, or holds no table or several.
        """
        demand_folder_of_list(root, "csv", self.how_to_get)
        find_table(root, self.file, protocol="csv", needed=NEEDED)
        return root

    def list_pictures(self, root: Path) -> Listing:
        """The pictures of the table."""
        table = find_table(root, self.file, protocol="csv", needed=NEEDED)
        if table.suffix.lower() == ".json":
            return read_manifest_list(root, table)
        return read_list(root, table, split=self.split, templates=self.templates == "person")
