"""Lists of pairs: a table, LFW's ``pairs.txt``, lines ``path path 1``, or a ``.bin`` file of insightface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from bench.io.textfiles import quote, read_lines, whole_number
from protocols.base.lfw_pairs import read_pairs
from protocols.base.root import escaped_name
from protocols.owndata.entries import Faults
from protocols.owndata.pair_bin import extract
from protocols.owndata.paths import OUTSIDE, OUTSIDE_ADVICE, Below, quoted
from protocols.owndata.table import ENDINGS, read_table

NEEDED = ("a", "b", "same")
KNOWN = (*NEEDED, "fold")
LIST_ENDINGS = (*ENDINGS, ".txt", ".bin")
_LABELS = {"1": True, "true": True, "same": True, "yes": True, "0": False, "-1": False, "false": False, "no": False}
_LABELS["different"] = False
_LABEL_ADVICE = "A label is 1 (one person) or 0 (two people)."


@dataclass(frozen=True, slots=True)
class ListedPair:
    """Two pictures by name, whether they show one person, and the fold as listed (None without folds)."""

    place: str
    first: str
    second: str
    same: bool
    fold: int | None


@dataclass(frozen=True)
class PairList:
    """The pairs of a data root.

    Attributes:
        source: the file that lists them.
        pairs: in the order of the list.
        files: file of each picture by its name.
        people: person of each picture by its name, where the list gives people.
        faults: what must be corrected before a run.
        in_bin: whether the list is a ``.bin`` file, whose folds are ten parts of its order.
    """

    source: Path
    pairs: tuple[ListedPair, ...]
    files: Mapping[str, Path]
    people: Mapping[str, str]
    faults: Faults
    in_bin: bool = False


def find_pair_list(root: Path, file: str) -> Path:
    """The list of pairs in a data root.

    Args:
        root: the folder.
        file: its name below the root; empty for ``pairs`` with one of `LIST_ENDINGS`, or the only file with one.

    Raises:
        DataError: it is absent or outside the root, or there are none or several.
    """
    if file:
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise DataError(f"pairs: file={file} leads out of the data root; name a file in {root}.")
        if not (root / file).is_file():
            raise DataError(f"{root / file} does not exist. pairs:file=NAME names the list below the data root.")
        return root / file
    lists = [p for p in sorted(root.iterdir()) if p.suffix.lower() in LIST_ENDINGS and not p.name.startswith(".")]
    named = [path for path in lists if path.stem.lower() == "pairs"] or lists
    if len(named) == 1:
        return named[0]
    if not named:
        raise DataError(f"{root} holds no list of pairs: no file with the ending {', '.join(LIST_ENDINGS)}. Add one.")
    listed = ", ".join(quote(path.name) for path in named[:5])
    raise DataError(f"{root} holds {len(named)} files that may list pairs: {listed}. Name one by pairs:file=NAME.")


def read_pair_list(root: Path, source: Path, scratch: Path) -> PairList:
    """Read a list of pairs.

    Args:
        root: the data root, below which all pictures lie; paths are relative to it.
        source: the list.
        scratch: cache folder, for the pictures in a ``.bin`` file.

    Raises:
        DataError: it cannot be read as a list of pairs.
        MissingError: see `read_table`.
    """
    ending = source.suffix.lower()
    if ending == ".bin":
        return _of_bin(source, scratch)
    faults, below = Faults(), Below(root)
    if ending in ENDINGS:
        content = read_table(source, NEEDED, KNOWN)
        rows = [(row.place, *(row.cells.get(name, "") for name in KNOWN)) for row in content.rows]
        return _of_rows(source, rows, below, content.faults, folded="fold" in content.columns)
    lines = read_lines(source)
    first = lines[0][1].split() if lines else []
    if first and len(first) < 3 and all(whole_number(field) is not None for field in first):
        return _of_lfw(root, source, below, faults)
    rows = []
    for number, text in lines:
        fields = [field.strip() for field in (text.split("\t") if "\t" in text else text.split())]
        if len(fields) in (3, 4):
            rows.append((f"line {number}", *fields, *[""] * (4 - len(fields))))
        else:
            advice = "A line is: path path 1; separate paths with spaces in them by tabs, or use a table."
            faults.add("lines that are no pair", quoted(f"line {number}", text), advice)
    return _of_rows(source, rows, below, faults, folded=any(row[-1] for row in rows))


def _of_rows(source: Path, rows: Sequence[tuple[str, ...]], below: Below, faults: Faults, *, folded: bool) -> PairList:
    """Pairs of rows (place, path, path, label, fold)."""
    files: dict[str, Path] = {}
    pairs = []
    for place, one, other, label, fold in rows:
        names = [_located(text, place, below, files, faults) for text in (one, other)]
        same = _LABELS.get(label.lower())
        if same is None:
            faults.add("rows with an unknown label", quoted(place, label), _LABEL_ADVICE)
        number = whole_number(fold) if folded else None
        if folded and number is None:
            faults.add("rows without a number of the fold", quoted(place, fold), "Number the folds, or give none.")
        if names[0] is not None and names[1] is not None and same is not None and (number is not None or not folded):
            pairs.append(ListedPair(place, names[0], names[1], same, number))
    return PairList(source, tuple(pairs), files, {}, faults)


def _located(text: str, place: str, below: Below, files: dict[str, Path], faults: Faults) -> str | None:
    located = below.locate(text)
    if located is None:
        if not text.strip():
            faults.add("rows without a path", place, "Give two pictures in each row.")
        else:
            faults.add(OUTSIDE, quoted(place, text), OUTSIDE_ADVICE)
        return None
    files[located[0]] = located[1]
    return located[0]


def _of_lfw(root: Path, source: Path, below: Below, faults: Faults) -> PairList:
    """Pairs of LFW's format: picture 2 of Ann is ``Ann/Ann_0002.jpg``, or with another ending."""
    files: dict[str, Path] = {}
    people: dict[str, str] = {}
    pairs = []
    for number, pair in enumerate(read_pairs(source), 1):
        names = []
        for person, index in (pair.first, pair.second):
            stem = f"{person}/{person}_{index:04d}"
            choices = [below.locate(stem + ending) for ending in IMAGE_ENDINGS]
            located = next((choice for choice in choices if choice and choice[2]), choices[0])
            if located is None:
                faults.add(OUTSIDE, quoted(f"pair {number}", stem), OUTSIDE_ADVICE)
                continue
            files[located[0]] = located[1]
            people[located[0]] = escaped_name(person)
            names.append(located[0])
        if len(names) == 2:
            pairs.append(ListedPair(f"pair {number}", names[0], names[1], pair.same, pair.fold))
    return PairList(source, tuple(pairs), files, people, faults)


def _of_bin(source: Path, scratch: Path) -> PairList:
    paths, labels = extract(source, scratch)
    files = {path.name: path for path in paths}
    pairs = tuple(
        ListedPair(f"pair {i + 1}", paths[2 * i].name, paths[2 * i + 1].name, same, None)
        for i, same in enumerate(labels)
    )
    return PairList(source, pairs, files, {}, Faults(), in_bin=True)
