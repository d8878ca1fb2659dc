"""The protocol ``csv-restoration``: LR pictures and their ground truth, by a table of the user."""

from __future__ import annotations

from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

from bench.errors import BenchError, DataError
from bench.images import open_image
from bench.interfaces import PROTOCOLS, Progress
from bench.io.filekinds import read_plain
from bench.io.textfiles import quote
from bench.media.similarity import resized_points
from bench.studies import RestorationSet
from bench.types import CheckLine, Media, Points
from protocols.base.checks import count_line, open_files, read_as_run, refused_line
from protocols.base.protocol import ScratchProtocol
from protocols.base.root import escaped_name
from protocols.owndata.csv_list import POINTS, RESTORED, read_numbers, rows_of_split
from protocols.owndata.entries import Faults, composed
from protocols.owndata.paths import OUTSIDE, OUTSIDE_ADVICE, Below, demand_folder_of_list, quoted
from protocols.owndata.table import Row, find_table, read_table
from protocols.views.detected import Detector, detect_faces, detection_notes

KNOWN = (*RESTORED, "identity", "split", "yaw", *POINTS)


@dataclass(frozen=True, slots=True)
class RestoredPair:
    """An LR picture and its ground truth; ``points`` are five points in pixels of the ground truth, or None."""

    key: str
    lr: Path
    hr: Path
    person: str
    points: Points | None
    attributes: dict[str, str | float]


@dataclass(frozen=True)
class RestoredList:
    """The pairs of a table, its faults and its notes."""

    source: Path
    pairs: tuple[RestoredPair, ...]
    faults: Faults
    notes: tuple[str, ...]


@PROTOCOLS.register(
    "csv-restoration",
    summary="Your own LR pictures and their ground truth by a table: lr, hr; also identity, yaw, five points.",
    source="the user's data",
    licence="the user's data",
)
class OwnRestoration(ScratchProtocol):
    """Every picture of the column ``lr`` is hallucinated and compared with that of the column ``hr``.

    Nothing is shrunk or moved. Faces are detected in the ground truth where the table gives no points.
    """

    dataset = "own-csv-restoration"
    default_align = "landmarks"
    wanted_frame = ""  # ground truths have the frame of their LR pictures
    how_to_get = (
        "Give a folder with your pictures and one table that lists them:\n"
        "  lr,hr,identity\n"
        "  small/1.png,large/1.png,ann\n"
        "  bench run --protocol csv-restoration --hallucinator NAME --data-root DIR      paths are relative to DIR"
    )

    def __init__(self, *, file: str = "", split: str = "", detector: Detector = "mtcnn") -> None:
        """Choose the table and its rows.

        Args:
            file: name of the table below the data root; empty for the only one there.
            split: value of the column ``split`` whose rows are used; ``all`` uses every row.
            detector: detects faces in the ground truth, where the table gives no points.
        """
        self.file, self.split, self.detector = file, split, detector

    def locate(self, root: Path) -> Path:
        """Return the root if a table is in it; raises as `find_table`, and UsageError for a file."""
        demand_folder_of_list(root, "csv-restoration", self.how_to_get)
        find_table(root, self.file, protocol="csv-restoration", needed=RESTORED)
        return root

    def listing(self, root: Path) -> RestoredList:
        """The pairs of a located root with all faults for which a run refuses them."""
        source = find_table(root, self.file, protocol="csv-restoration", needed=RESTORED)
        table = read_table(source, RESTORED, KNOWN)
        rows, notes = rows_of_split(source, table.rows, self.split)
        faults, below = table.faults, Below(root)
        columns = [name for name in table.columns if name and name not in KNOWN]
        pairs: dict[str, RestoredPair] = {}
        for row in rows:
            pair = _pair(row, below, columns, faults)
            if pair is not None and pair.key in pairs:
                faults.add("LR pictures that are listed twice", quoted(row.place, pair.key), "List each once.")
            elif pair is not None:
                pairs[pair.key] = pair
        ordered = tuple(pairs[key] for key in sorted(pairs))
        sizes = [(one, other) for p in ordered if (one := _size(p.lr)) and (other := _size(p.hr))]
        if ordered and not any(isfile(p.lr) and isfile(p.hr) for p in ordered):
            advice = "Paths are relative to the data root; correct one of both."
            faults.add("tables of which no pair of files exists", quote(ordered[0].key), advice)
        elif sizes and all(one[0] > other[0] and one[1] > other[1] for one, other in sizes):
            faults.add("tables with LR pictures larger than their ground truth", source.name, "Swap lr and hr.")
        if not ordered and not faults:
            faults.add("tables without a pair", source.name, "Add the pairs.")
        return RestoredList(source, ordered, faults, tuple(notes))

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> RestorationSet:
        """List the pairs; detect the face in each ground truth without points, cached under ``scratch``.

        Raises:
            DataError: the table has faults; the text names each with its first places and what to do.
            MissingError: the package of the detector or of Parquet files is not installed.
        """
        listed = self.listing(root)
        listed.faults.refuse(listed.source)
        files = [pair.hr for pair in listed.pairs if pair.points is None]
        detected = detect_faces(files, scratch, progress, detector=self.detector) if files else {}
        faces, truths = [], []
        for pair in listed.pairs:
            five = pair.points or detected.get(pair.hr)
            facts = dict(pair.attributes)
            faces.append(Media(pair.key, pair.lr, "probe", pair.person, pair.key, _scaled(five, pair), facts))
            truths.append(Media(f"truth of {pair.key}", pair.hr, "gallery", pair.person, pair.key, five))
        notes = (*listed.notes, *detection_notes(files, detected))
        return RestorationSet(tuple(faces), tuple(truths), official=None, notes=notes)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Count pairs, name every fault, open every picture."""
        try:
            listed = self.listing(root)
        except BenchError as error:
            return [refused_line(error, "table of pairs")]
        parts = {"lr": [pair.lr for pair in listed.pairs], "hr": [pair.hr for pair in listed.pairs]}
        opened, _ = open_files(root, parts, progress)

        def study() -> RestorationSet:
            listed.faults.refuse(listed.source)
            media = [
                (Media(p.key, p.lr, "probe", p.person, p.key), Media(p.key, p.hr, "gallery", p.person, p.key))
                for p in listed.pairs
            ]
            return RestorationSet(tuple(one for one, _ in media), tuple(other for _, other in media), official=None)

        usable, _ = read_as_run(study)
        return [count_line("pairs", len(listed.pairs), None), *listed.faults.lines(), *opened, usable]


def _pair(row: Row, below: Below, columns: list[str], faults: Faults) -> RestoredPair | None:
    """The pair of a row; None where the row has a fault."""
    cells, place = row.cells, row.place
    located = {}
    for name in RESTORED:
        found = below.locate(cells.get(name, ""))
        if name not in cells:
            faults.add(f"rows without a path in the column {name}", place, "Fill it, or remove the row.")
        elif found is None:
            faults.add(OUTSIDE, quoted(place, cells[name]), OUTSIDE_ADVICE)
        else:
            located[name] = found
    numbers = read_numbers(cells, place, faults)
    if len(located) < len(RESTORED) or numbers is None:
        return None
    key, lr, _ = located["lr"]
    hr_name, hr, _ = located["hr"]
    if lr == hr:
        faults.add("rows with one picture as LR and ground truth", quoted(place, key), "Correct one of both paths.")
        return None
    attributes: dict[str, str | float] = {name: escaped_name(cells[name]) for name in columns if name in cells}
    if "yaw" in cells:
        attributes["yaw_deg"] = float(cells["yaw"])
    person = composed(escaped_name(cells["identity"])) if "identity" in cells else hr_name
    return RestoredPair(key, lr, hr, person, numbers[2], attributes)


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height by the header of a picture; None where it cannot be read."""
    try:
        with open_image(read_plain(path)) as image:
            return image.size
    except DataError:
        return None


def _scaled(five: Points | None, pair: RestoredPair) -> Points | None:
    """Points of the ground truth in pixels of its LR picture."""
    one, other = _size(pair.hr), _size(pair.lr)
    if five is None or one is None or other is None:
        return None
    return resized_points(five, one[::-1], other[::-1])
