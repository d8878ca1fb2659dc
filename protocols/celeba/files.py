"""The files of CelebA: locations of images and lists in the common copies, and the content of the lists.

Supported are the authors' layout (``Img``, ``Anno``, ``Eval``), torchvision's (all in one folder), Kaggle's (images in
a folder nested in one of the same name, lists as CSV), and mixtures of them.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from bench.io.textfiles import quote, read_text, whole_number
from protocols.base.root import escaped_name, find_root, inside_of, is_plain_name

HOW_TO_GET = (
    "CelebA (Liu et al. 2015): 202,599 photographs of 10,177 celebrities, aligned to 178 x 218 pixels.\n"
    "The Multimedia Laboratory of the Chinese University of Hong Kong gives it out for non-commercial research only\n"
    "(mmlab.ie.cuhk.edu.hk/projects/CelebA.html); who is who (identity_CelebA.txt) formally on request: read its\n"
    "terms. This suite never downloads it.\n"
    "Once you have it, point to the folder that holds Img, Anno and Eval (or img_align_celeba and the lists):\n"
    "  bench run --protocol celeba --data-root DIR\n"
    "  bench config set data.celeba DIR\n"
    "  BENCH_DATA=DIR bench run --protocol celeba      (DIR, or a folder in it)\n"
    "Then `bench data check celeba` says whether it is whole."
)
OFFICIAL = {"rows": 202_599, "train": 162_770, "validation": 19_867, "test": 19_962, "identities": 10_177}
PAPER = {"gallery": 1000, "probe": 8000}
"""Images by role of the search of Zhang et al. 2021, Table V."""
IDENTITY, PARTITION, LANDMARKS = "identity_CelebA", "list_eval_partition", "list_landmarks_align_celeba"
ATTRIBUTES, BOXES, WILD = "list_attr_celeba", "list_bbox_celeba", "list_landmarks_celeba"
COLUMNS = {IDENTITY: 1, PARTITION: 1, LANDMARKS: 10, ATTRIBUTES: 40, BOXES: 4, WILD: 10}
"""Numbers in a row after the image's name."""
TRAIN, VALIDATION, TEST = 0, 1, 2
_PICTURES = ("img_align_celeba", "img_align_celeba_png", "img_align_celeba.jpg")
_PLACES = ("", "Anno", "Eval", "anno", "eval")


@dataclass(frozen=True, slots=True)
class Listing:
    """One list.

    Attributes:
        path: the file.
        rows: numbers by the image's name, in the order of the file.
        wrong: rows left out, with their fault, for messages.
        declared: number of rows in the file's first line; None where it has none.
    """

    path: Path
    rows: dict[str, tuple[int, ...]]
    wrong: tuple[str, ...]
    declared: int | None


def find_celeba(root: Path) -> Path:
    """The folder of images and lists; see `protocols.base.root.find_root` for what is raised."""
    return find_root(
        root,
        holds=lambda folder: picture_folder(folder) is not None and list_path(folder, PARTITION) is not None,
        name="CelebA",
        expected=f"pictures in Img/{_PICTURES[0]} or {_PICTURES[0]}, and {PARTITION}.txt in Eval or beside them",
        how_to_get=HOW_TO_GET,
        inside=("celeba", "CelebA"),
        nearly=_describe_half,
    )


def _describe_half(root: Path) -> str:
    """Which of images and lists is absent where the other exists; empty where both or neither do."""
    pictures, partition = picture_folder(root), list_path(root, PARTITION)
    if pictures is not None and partition is None:
        return f"the images are present, but {PARTITION}.txt (or .csv) is not"
    if pictures is None and partition is not None:
        return f"the lists are present, but the folder {_PICTURES[0]} is not; unpack it from {_PICTURES[0]}.zip"
    return ""


def picture_folder(root: Path) -> Path | None:
    """The folder of the aligned images, or None."""
    for name in _PICTURES:
        for folder in (root / "Img" / name, root / "img" / name, root / name):
            if folder.is_dir():
                inner = folder / name  # Kaggle's archive, unpacked
                return inner if inner.is_dir() else folder
    return None


def list_path(root: Path, name: str) -> Path | None:
    """Path of a list, text or CSV, or None."""
    files = [root / place / f"{name}{ending}" for place in _PLACES for ending in (".txt", ".csv")]
    return next((path for path in files if path.is_file() and inside_of(root, path)), None)


def read_list(root: Path, name: str) -> Listing:
    """Read a list; faulty rows are left out and described in `Listing.wrong`.

    Args:
        root: the data root.
        name: of the list without its ending.

    Raises:
        DataError: it is absent, not text, or has no valid row.
    """
    path = list_path(root, name)
    if path is None:
        needed = " It gives the identities and is available on request; without it no search is possible."
        raise DataError(
            f"{name}.txt (or .csv) is neither in {root} nor in Anno or Eval there.{needed if name == IDENTITY else ''}"
        )
    text = read_text(path)
    rows: dict[str, tuple[int, ...]] = {}
    wrong: list[str] = []
    declared: int | None = None
    comma = path.suffix.lower() == ".csv"
    headers = 1 if comma else 0 if name in (IDENTITY, PARTITION) else 2
    for number, cells in _cells(path, text, comma=comma):
        if number == 1 and len(cells) == 1 and whole_number(cells[0]) is not None:
            declared = whole_number(cells[0])
            continue
        fault = _fault(cells, COLUMNS[name])
        if fault and number <= headers and not rows:  # the names of the columns
            continue
        if not fault and cells[0] in rows:
            fault = "the image is listed twice"
        if fault:
            wrong.append(f"line {number}: {fault}")
        else:
            rows[cells[0]] = tuple(whole_number(cell) or 0 for cell in cells[1:])
    if not rows:
        raise DataError(f"{path} holds no row of an image's name and {COLUMNS[name]} whole numbers.")
    return Listing(path, rows, tuple(wrong), declared)


def picture_path(folder: Path, name: str) -> Path:
    """The file of an image: as named, else with another image ending; as named where neither exists."""
    named = folder / name
    if named.is_file():
        return named
    others = (named.with_suffix(ending) for ending in IMAGE_ENDINGS)
    return next((path for path in others if path.is_file()), named)


def pictures_in(folder: Path) -> list[str]:
    """Names of the images of a folder, sorted."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.lower().endswith(IMAGE_ENDINGS)]
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}).") from error
    return sorted(escaped_name(name) for name in names if not name.startswith("."))


def _cells(path: Path, text: str, *, comma: bool) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not empty, by number from 1, split into cells."""
    if comma:
        reader = csv.reader(io.StringIO(text))
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: not a row of a table ({error}).") from None
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, line.split()


def _fault(cells: list[str], columns: int) -> str:
    """The fault of a row; empty where there is none."""
    if len(cells) != columns + 1:
        return f"{len(cells)} cells, not {columns + 1}"
    name = cells[0]
    if not is_plain_name(name):
        return f"{quote(name)} is not a plain file name"
    for cell in cells[1:]:
        if whole_number(cell) is None:
            return f"{quote(cell, 20)} is not a whole number of at most 15 digits"
    return ""
