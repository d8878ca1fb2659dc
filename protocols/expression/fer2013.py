"""The table of FER2013: 48 x 48 grey faces, unpacked once into PNG files."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.digests.closure import closure_digest
from bench.errors import DataError
from bench.interfaces import Progress
from bench.io.atomic import explain_os_errors, replace_folder
from bench.io.file_digests import digest_of, file_digest
from bench.io.textfiles import open_text, quote, whole_number
from protocols.base.root import find_root, inside_of
from protocols.expression.folds import check_folds

SIDE = 48
CODES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""In the order of the emotion codes 0 to 6."""
OFFICIAL = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}
USAGES = tuple(OFFICIAL)
TRAINED, TESTED = USAGES.index("Training"), USAGES.index("PrivateTest")
NEUTRAL = 6198  # number of neutral faces among these
FILES = ("fer2013.csv", "icml_face_data.csv")
HOW_TO_GET = (
    "FER2013 (Goodfellow et al. 2013): 35,887 grey faces of 48 x 48 pixels found by web search, seven expressions.\n"
    "It is on Kaggle (Challenges in Representation Learning: Facial Expression Recognition): read the terms there.\n"
    "This suite never downloads it. Once you have it, point to the folder that holds fer2013.csv:\n"
    "  bench run --protocol mmi-expression:source=fer2013 --data-root DIR\n"
    "  bench config set data.fer2013 DIR\n"
    "Then `bench data check mmi-expression:source=fer2013` says whether it is whole."
)
_COLUMNS = ("emotion", "pixels", "Usage")
_INDEX = "index.json"
_TELL_EVERY = 256


@dataclass(frozen=True, slots=True)
class Row:
    """One face of the table.

    Attributes:
        number: of the row, from 0.
        emotion: the code, 0 to 6 for those of `CODES`.
        usage: ``Training``, ``PublicTest`` or ``PrivateTest``.
    """

    number: int
    emotion: int
    usage: str

    @property
    def expression(self) -> str | None:
        """Name of the emotion; None where the code has no name."""
        return CODES[self.emotion] if 0 <= self.emotion < len(CODES) else None

    @property
    def name(self) -> str:
        """File name of the unpacked face, and its key: ``Training/000017.png``."""
        return f"{self.usage}/{self.number:06d}.png"


def find_fer2013(root: Path) -> Path:
    """The folder that holds ``fer2013.csv``; see `protocols.base.root.find_root` for what is raised.

    The competition's files (``train.csv``, ``test.csv``) are not supported: they lack the labels of the test faces.
    """
    return find_root(
        root,
        holds=lambda folder: table_of(folder) is not None,
        name="FER2013",
        expected="fer2013.csv (train.csv and test.csv of the competition hold no labels for the test)",
        how_to_get=HOW_TO_GET,
        inside=("fer2013", "FER2013"),
        nearly=_unusable,
    )


def _unusable(folder: Path) -> str:
    """Why a table that is there cannot be used."""
    name = next((name for name in FILES if os.path.lexists(folder / name)), None)
    if name is None:
        return ""
    outside = (folder / name).exists() and not inside_of(folder, folder / name)
    return f"{name} is {'a link that leads out of the folder' if outside else 'no plain file'}"


def table_of(root: Path) -> Path | None:
    """Path of the table in a folder, or None."""
    return next((root / name for name in FILES if (root / name).is_file() and inside_of(root, root / name)), None)


def read_rows(path: Path) -> Iterator[tuple[Row, NDArray[np.uint8]]]:
    """Read the rows of the table with their pixels, uint8 (48, 48).

    Raises:
        DataError: a column is missing, or a label, usage or pixel is invalid; the text names the line.
    """
    try:
        with open_text(path) as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if sorted(header) != sorted(_COLUMNS):
                raise DataError(f"{path} has the columns {quote(', '.join(header))}; expected {', '.join(_COLUMNS)}.")
            emotion, pixels, usage = (header.index(name) for name in _COLUMNS)
            for number, cells in enumerate(reader):
                where = f"{path.name}, line {reader.line_num}"
                if len(cells) != len(header):
                    raise DataError(
                        f"{where}: {len(cells)} columns, expected {len(header)}; the file may be truncated."
                    )
                code = whole_number(cells[emotion])
                if code is None:
                    raise DataError(f"{where}: the emotion {quote(cells[emotion], 20)} is not a whole number.")
                row = Row(number, code, cells[usage].strip())
                if row.usage not in OFFICIAL:
                    raise DataError(f"{where}: the usage {quote(row.usage, 20)} is not one of {', '.join(OFFICIAL)}.")
                yield row, _pixels(cells[pixels], where)
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table: {error}.") from None


def unpacked(path: Path, scratch: Path, progress: Progress | None = None) -> tuple[Path, tuple[Row, ...]]:
    """Unpack the table into PNG files once, in a folder named after the digests of the table and of this code.

    Args:
        path: the table.
        scratch: parent of that folder.
        progress: called with (faces done, all as published).

    Returns:
        The folder, and the rows; the face of a row is ``folder / row.name``.

    Raises:
        DataError: see `read_rows`; or there is no row.
        BenchError: the folder cannot be written.
    """
    folder = scratch / f"faces-{digest_of([file_digest(path), closure_digest(__name__)])[:16]}"
    rows_there = _index(folder)
    if rows_there:
        return folder, rows_there
    from bench.images import encode_png

    rows = []
    with explain_os_errors(f"Cannot unpack {path.name} into {scratch}"), replace_folder(folder, sync=False) as new:
        for usage in OFFICIAL:
            (new / usage).mkdir()
        for row, pixels in read_rows(path):
            grey = np.repeat(pixels[:, :, None], 3, axis=2)
            (new / row.name).write_bytes(encode_png(grey))
            rows.append(row)
            if progress and len(rows) % _TELL_EVERY == 0:
                progress(len(rows), max(len(rows), sum(OFFICIAL.values())))
        if not rows:
            raise DataError(f"{path} holds no face.")
        index = [[row.number, row.emotion, row.usage] for row in rows]
        (new / _INDEX).write_text(json.dumps(index), encoding="utf-8")
    return folder, tuple(rows)


def count_rows(path: Path) -> tuple[Counter[tuple[str, int]], dict[bytes, set[str]]]:
    """Count faces by usage and emotion code, and collect the usages of each face by the digest of its pixels."""
    import hashlib

    faces: Counter[tuple[str, int]] = Counter()
    usages_of_face: dict[bytes, set[str]] = {}
    for row, pixels in read_rows(path):
        faces[row.usage, row.emotion] += 1
        usages_of_face.setdefault(hashlib.sha256(pixels.tobytes()).digest(), set()).add(row.usage)
    return faces, usages_of_face


def check_split(faces: Iterable[tuple[str, str]]) -> None:
    """Refuse a table whose split cannot be run.

    Args:
        faces: usage and expression of each face that the run uses.

    Raises:
        DataError: PrivateTest has no face, or Training has fewer than two expressions.
    """
    shown = ((USAGES.index(usage), expression) for usage, expression in faces)
    check_folds(shown, tested=(TESTED,), trained=(TRAINED,), names=USAGES)


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        if not text.isascii() or "_" in text:  # NumPy takes digits of other scripts, and 1_0 for 10
            raise ValueError
        values = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DataError(f"{where}: pixels are not whole numbers.") from None
    if len(values) != SIDE * SIDE:
        raise DataError(f"{where}: {len(values):,} pixels, expected {SIDE * SIDE:,}; the file may be truncated.")
    if values.min() < 0 or values.max() > 255:
        raise DataError(f"{where}: pixels from {values.min()} to {values.max()}, expected 0 to 255.")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _index(folder: Path) -> tuple[Row, ...]:
    """Rows of an unpacked table; empty where it is absent or incomplete."""
    try:
        rows = tuple(Row(int(n), int(e), str(u)) for n, e, u in json.loads((folder / _INDEX).read_text("utf-8")))
        names = {f"{usage}/{entry.name}" for usage in OFFICIAL for entry in os.scandir(folder / usage)}
    except (OSError, ValueError, TypeError):
        return ()
    return rows if names == {row.name for row in rows} else ()
