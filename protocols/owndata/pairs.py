"""The protocol ``pairs``: whether two pictures show one person, by a list of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bench.config import RunConfig, cache_folder
from bench.errors import BenchError, UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.io.textfiles import quote
from bench.studies import VerificationSet
from bench.types import CheckLine, Cut, Media, Points, Role
from protocols.base.checks import count_line, open_files, read_as_run, refused_line
from protocols.base.protocol import ScratchProtocol
from protocols.owndata.pair_lists import PairList, find_pair_list, read_pair_list
from protocols.owndata.paths import demand_folder_of_list
from protocols.owndata.protocol import OwnCrop
from protocols.views.detected import FRAME_OF, Detector, Framing, detect_faces, detection_notes, lr_side

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

BIN_FOLDS = 10  # insightface, verification.py: KFold of ten parts without shuffling


@PROTOCOLS.register(
    "pairs",
    summary="Your own pairs: a table a,b,same[,fold], LFW's pairs.txt, lines 'path path 1', insightface's .bin files.",
    source="the user's data; .bin: insightface, recognition/arcface_mxnet/verification.py",
    licence="the user's data",
)
class OwnPairs(ScratchProtocol):
    """The first picture of a pair is enrolled, the second one is verified.

    Media are RGB of any size. Pictures in a ``.bin`` file are written to the cache once.
    """

    dataset = "own-pairs"  # `restoration:source=pairs` reads pairs of another kind
    ranks = ()
    mean_average_precision = False
    false_positive_rates = (0.001, 0.01, 0.1)
    how_to_get = (
        "Give a folder with your pictures and one list of pairs:\n"
        "  a,b,same\n"
        "  ann/1.jpg,ann/2.jpg,1\n"
        "  ann/1.jpg,bob/1.jpg,0\n"
        "  bench run --protocol pairs --data-root DIR        DIR/pairs.csv; paths are relative to DIR\n"
        "LFW's pairs.txt, lines 'path path 1' and insightface's .bin files are read too: pairs:file=NAME.\n"
        "`bench data check pairs DIR` says what is wrong."
    )

    def __init__(
        self,
        *,
        file: str = "",
        folds: int | None = None,
        thresholds: Literal["exact", "grid"] = "exact",
        crop: OwnCrop = "none",
        lr: int | None = 0,
        detector: Detector = "mtcnn",
    ) -> None:
        """Choose the list, its folds, and how faces are cropped.

        Args:
            file: name of the list below the data root; empty for ``pairs.csv``, ``pairs.txt``... or the only list.
            folds: none for the folds of the list (of a .bin file: ten parts in its order, as insightface cuts them);
                0 for no folds; a number cuts the list into as many parts in its order.
            thresholds: threshold of a fold: the best of all (``exact``), or the best of insightface's ``grid``.
            crop: ``none`` uses pictures as they are; ``recogniser`` detects faces and crops the chip of 112 x 112
                pixels of ArcFace; ``frame`` crops 128 x 128 pixels as the hallucinators of this suite are trained.
            lr: side in pixels to which the second pictures of pairs are shrunk; 0 keeps their size.
            detector: detects faces, where ``crop`` is not ``none``.

        Raises:
            UsageError: an argument is out of range.
        """
        if folds is not None and (folds < 0 or folds == 1):
            raise UsageError(f"pairs: folds is {folds}; expected 2 or more, 0 for none, or none for those of the list.")
        self.file, self.folds, self.thresholds, self.detector = file, folds, thresholds, detector
        self.lr = lr_side("pairs", lr)
        self.framing = None if crop == "none" else Framing(crop, self.lr)
        if crop != "none":
            self.default_align = "landmarks"
            self.probe_frame = self.gallery_frame = FRAME_OF[crop]

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the sample."""
        from protocols.owndata.sample import PAIRS

        return PAIRS

    def locate(self, root: Path) -> Path:
        """Return the root if a list of pairs is in it.

        Raises:
            MissingError: it does not exist.
            DataError: it holds no list or several.
            UsageError: it is a file; the text says how to name it.
        """
        demand_folder_of_list(root, "pairs", self.how_to_get)
        find_pair_list(root, self.file)
        return root

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> VerificationSet:
        """List the pairs; with ``crop``, detect the face in each picture, cached under ``scratch``.

        A picture that is listed but absent or damaged stays in the list and becomes a counted failure.

        Raises:
            DataError: the list has faults; the text names each with its first places and what to do.
            MissingError: the package of the detector or of Parquet files is not installed.
        """
        listed = self.listing(root, scratch)
        listed.faults.refuse(listed.source)
        notes = _notes(listed)
        points: dict[Path, Points | None] = {}
        if self.framing is not None:
            files = list(listed.files.values())
            points = detect_faces(files, scratch, progress, detector=self.detector)
            notes += detection_notes(files, points)
        people = listed.people or people_of(listed)
        sides = [pair.first for pair in listed.pairs], [pair.second for pair in listed.pairs]
        return VerificationSet(
            self._media(listed, sides[0], "gallery", people, points),
            self._media(listed, sides[1], "probe", people, points),
            _places(sides[0]),
            _places(sides[1]),
            np.array([pair.same for pair in listed.pairs], bool),
            self._folds(listed),
            official=None,
            notes=tuple(notes),
        )

    def listing(self, root: Path, scratch: Path) -> PairList:
        """The pairs of a located root with all faults for which a run refuses them."""
        listed = read_pair_list(root, find_pair_list(root, self.file), scratch)
        add_faults(listed)
        if self.folds is not None and self.folds > len(listed.pairs) and listed.pairs:
            advice = "Choose fewer folds."
            listed.faults.add("lists with fewer pairs than folds", f"{len(listed.pairs)} pairs", advice)
        return listed

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Count pairs and pictures, name every fault, open every picture."""
        scratch = cache_folder(RunConfig(protocol=self.dataset)) / "derived" / self.dataset
        try:
            listed = self.listing(root, scratch)
        except BenchError as error:
            return [refused_line(error, "list of pairs")]
        uncropped = OwnPairs(file=self.file, folds=self.folds)  # faces are detected by a run, not here
        usable, _ = read_as_run(lambda: uncropped.read_with(root, scratch))
        same = sum(pair.same for pair in listed.pairs)
        lines = [
            count_line("pairs", len(listed.pairs), None),
            count_line("pairs of one person", same, None, needed=False),
            count_line("pictures", len(listed.files), None),
        ]
        lines += [CheckLine("ok", "note", note) for note in _notes(listed)]
        opened, _ = open_files(root, {"picture": list(listed.files.values())}, progress)
        return [*lines, *listed.faults.lines(), *opened, usable]

    def _folds(self, listed: PairList) -> NDArray[np.int64] | None:
        """Fold of each pair, from 0; None without folds."""
        count = len(listed.pairs)
        parts = BIN_FOLDS if self.folds is None and listed.in_bin and count >= BIN_FOLDS else self.folds
        if parts:
            sizes = [count // parts + (part < count % parts) for part in range(parts)]
            return np.repeat(np.arange(parts, dtype=np.int64), sizes)
        numbers = [pair.fold for pair in listed.pairs if pair.fold is not None]
        if self.folds == 0 or not numbers:
            return None
        places: NDArray[np.int64] = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
        return places

    def _media(
        self,
        listed: PairList,
        names: Sequence[str],
        role: Role,
        people: Mapping[str, str],
        points: Mapping[Path, Points | None],
    ) -> tuple[Media, ...]:
        media = []
        for name in dict.fromkeys(names):
            path, lr = listed.files[name], role == "probe"
            cut, landmarks = (Cut(side=self.lr) if lr and self.lr else None), None
            if self.framing is not None:
                cut, landmarks = self.framing.cut(points.get(path), lr=lr)
            key = f"{'second' if lr else 'first'}/{name}"
            media.append(Media(key, path, role, people[name], key, landmarks, cut=cut))
        return tuple(media)


def add_faults(listed: PairList) -> None:
    """Add to a list everything for which it is refused; no picture is opened."""
    faults = listed.faults
    labels: dict[frozenset[str], tuple[str, bool]] = {}
    for pair in listed.pairs:
        if pair.first == pair.second:
            advice = "Correct one of the two paths."
            faults.add("pairs of a picture with itself", f"{pair.place}: {quote(pair.first)}", advice)
            continue
        place, same = labels.setdefault(frozenset((pair.first, pair.second)), (pair.place, pair.same))
        if same != pair.same:
            faults.add("pairs with two labels", f"{place} and {pair.place}", "Correct one of them.")
        elif place != pair.place:
            faults.add("pairs that are listed twice", f"{place} and {pair.place}", "List each once.")
    if not listed.pairs and not faults:
        faults.add("lists without a pair", listed.source.name, "Add the pairs.")
    if listed.pairs and not any(isfile(path) for path in listed.files.values()):
        first = ", ".join(quote(name) for name in list(listed.files)[:5])
        faults.add("lists of which no file exists", first, "Paths are relative to the data root; correct one of both.")


def people_of(listed: PairList) -> dict[str, str]:
    """A person for each picture of a list without people: pictures that pairs of one person join, by union-find.

    Intervals over people need them. The person is named by the first picture in the order of the list.
    """
    parent = {name: name for name in listed.files}

    def root_of(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    order = {name: place for place, name in enumerate(listed.files)}
    for pair in listed.pairs:
        if pair.same:
            one, other = sorted((root_of(pair.first), root_of(pair.second)), key=order.__getitem__)
            parent[other] = one
    return {name: root_of(name) for name in listed.files}


def _notes(listed: PairList) -> list[str]:
    notes = []
    absent = [name for name, path in listed.files.items() if not isfile(path)]
    if absent:
        notes.append(
            f"{len(absent):,} of {len(listed.files):,} listed pictures are absent ({absent[0]}...): each is a failed "
            "image."
        )
    if not listed.people:
        people = people_of(listed)
        joined = [pair.place for pair in listed.pairs if not pair.same and people[pair.first] == people[pair.second]]
        if joined:
            notes.append(
                f"{len(joined):,} pairs of two people ({joined[0]}...) are of one person by other pairs of the list. "
                "Labels are used as listed."
            )
    return notes


def _places(names: Sequence[str]) -> NDArray[np.int64]:
    """Index of each name among the distinct ones in order of first appearance, int64 (N,)."""
    index = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([index[name] for name in names], np.int64)
