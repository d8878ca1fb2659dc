"""Strips of images for single probes: LR, outputs, mate and the best other person, with the ranks they led to."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.results import ProbeRow
from bench.results.folder import IMAGES_FILE
from reports.runs.load import Run
from reports.statistics.paired import Change, Pair, margin
from reports.text.numbers import ranked, score

if TYPE_CHECKING:
    from PIL.Image import Image

SHOWN = 8
SHOWN_OF_MANY = 3
_PNG = b"\x89PNG\r\n\x1a\n"
_REDUCED_TO = 128  # runs keep larger images at this size, so it says nothing of the original
_WIDEST = 1024  # pixels: a hostile picture of a few kilobytes may be of gigabytes
_LARGEST = 1 << 20  # bytes: a picture of a face is a few kilobytes


@dataclass(frozen=True, slots=True)
class Tile:
    """One image of a strip; ``uri`` is None where the run keeps none."""

    caption: str
    detail: str
    alt: str
    uri: str | None


@dataclass(frozen=True, slots=True)
class Strip:
    """One probe: its key, person, ranks (of a face: PSNR) in words, ``better`` or ``worse`` (or empty), and images."""

    key: str
    identity: str
    ranks: str
    tone: str
    tiles: tuple[Tile, ...]

    @property
    def has_images(self) -> bool:
        """Whether there is anything to see."""
        return any(tile.uri for tile in self.tiles)


@dataclass(frozen=True, slots=True)
class StripSet:
    """Strips of one kind.

    Attributes:
        title: what they have in common.
        total: probes of that kind.
        of: probes looked at.
        strips: the first of them.
        noun: what they are.
        measure: what goes by in choosing them, as a heading.
    """

    title: str
    total: int
    of: int
    strips: tuple[Strip, ...]
    noun: str = "probes"
    measure: str = "Rank"


class Pictures:
    """The images that runs keep; what cannot be read is remembered, not raised. Use it in a ``with`` block.

    Attributes:
        shown: False makes `find` find nothing.
        faults: sentences on what could not be read.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self.shown = shown
        self.faults: list[str] = []
        self._archives: dict[Path, zipfile.ZipFile | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._archives.values():
            if archive:
                archive.close()

    def find(self, run: Run, kind: str, place: int) -> bytes | None:
        """PNG bytes of one image, written anew, or None where the run keeps none that can be shown."""
        data = self.stored(run, kind, place) if self.shown else None
        image = self.decoded(run, data) if data else None
        if image is None:
            return None
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    def stored(self, run: Run, kind: str, place: int) -> bytes | None:
        """What the run keeps under the name of that image, if it looks like a PNG of a face; it may still be none."""
        member = f"{kind}/{place:06d}.png"
        try:
            archive = self._open(run)
            info = archive.NameToInfo.get(member) if archive else None
            if archive is None or info is None or not 24 <= info.file_size <= _LARGEST:
                return None
            data = archive.read(info)
        except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, zlib.error):  # a damaged member raises any of them
            self._archives.setdefault(run.folder, None)
            self._tell(f"{run.folder_name}: images.zip is damaged, so some images are missing below.")
            return None
        return data if data.startswith(_PNG) else None

    def decoded(self, run: Run, data: bytes) -> Image | None:
        """The picture, RGB; None where the bytes are no PNG, or one of a size that no run keeps."""
        from PIL import Image

        sides = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])  # of the head: read before Pillow allocates
        try:
            if max(sides) <= _WIDEST:
                with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                    return image.convert("RGB")
        except (OSError, ValueError, SyntaxError, zlib.error):  # what Pillow raises on damaged files
            pass
        self._tell(f"{run.folder_name}: some images in images.zip are no pictures of faces, and are missing below.")
        return None

    def _tell(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)

    def _open(self, run: Run) -> zipfile.ZipFile | None:
        """The archive of a run, its directory read once however many images are asked for."""
        if run.folder not in self._archives:
            path = run.folder / IMAGES_FILE
            self._archives[run.folder] = zipfile.ZipFile(path) if path.is_file() else None
        return self._archives[run.folder]


def changed(pair: Pair, pictures: Pictures, most: int = SHOWN) -> tuple[StripSet, StripSet]:
    """The probes most helped and most hurt by a run against its baseline, so many of each."""
    found = []
    for word, changes in (("helped", pair.helped), ("hurt", pair.hurt)):
        strips = tuple(_changed_strip(pair, change, pictures) for change in changes[:most])
        title = f"Most {word} by {pair.name} against {pair.baseline_name}"
        found.append(StripSet(title, len(changes), len(pair.changes), strips))
    return found[0], found[1]


def extremes(run: Run, name: str, pictures: Pictures) -> tuple[StripSet, StripSet]:
    """The surest hits and the worst misses of a run that is compared with none."""
    placed = run.head
    hits = [(i, row) for i, row in placed if row.rank == 1]
    hits.sort(key=lambda item: (-(margin(item[1]) or 0.0), item[1].key))
    misses = [(i, row) for i, row in placed if row.rank is not None and row.rank > 1]
    misses.sort(key=lambda item: (-(item[1].rank or 0), margin(item[1]) or 0.0, item[1].key))
    return (
        _extreme_set(f"Surest rank-1 hits of {name}", hits, run, name, pictures),
        _extreme_set(f"Worst misses of {name}", misses, run, name, pictures),
    )


def _extreme_set(
    title: str, found: Sequence[tuple[int, ProbeRow]], run: Run, name: str, pictures: Pictures
) -> StripSet:
    strips = []
    for place, row in found[:SHOWN]:
        lr, out = pictures.find(run, "lr", place), pictures.find(run, "out", place)
        tiles = [lr_tile(lr, "" if out else ranked(row.rank))]
        if out:
            tiles.append(tile(name, ranked(row.rank), f"output of {name}", out))
        strips.append(Strip(row.key, row.identity, _outcome(row), "", (*tiles, *_gallery(run, place, row, pictures))))
    return StripSet(title, len(found), len(run.head), tuple(strips))


def _changed_strip(pair: Pair, change: Change, pictures: Pictures) -> Strip:
    now, before = ranked(change.row.rank), ranked(change.base_row.rank)
    lr = pictures.find(pair.run, "lr", change.place) or pictures.find(pair.baseline, "lr", change.base_place)
    under_lr = []
    outputs = []
    for run, name, place, words in (
        (pair.baseline, pair.baseline_name, change.base_place, before),
        (pair.run, pair.name, change.place, now),
    ):
        out = pictures.find(run, "out", place)
        if out:
            outputs.append(tile(name, words, f"output of {name}", out))
        else:  # the recogniser saw the LR face itself
            under_lr.append(f"{name}: {words}")
    return Strip(
        change.row.key,
        change.row.identity,
        f"{_outcome(change.base_row)} → {_outcome(change.row)}",
        "better" if change.gain > 0 else "worse",
        (lr_tile(lr, "; ".join(under_lr)), *outputs, *_gallery(pair.run, change.place, change.row, pictures)),
    )


def _gallery(run: Run, place: int, row: ProbeRow, pictures: Pictures) -> tuple[Tile, Tile]:
    difference = margin(row)
    if difference is None:
        where = ""
    else:
        where = ", scored above the mate" if difference < 0 else ", tied" if difference == 0 else ", below the mate"
    return (
        tile(
            "mate",
            f"score {score(row.best_mated_score)}",
            f"best mate, {row.best_mated_key or 'none scored'}",
            pictures.find(run, "mate", place),
        ),
        tile(
            "impostor",
            f"score {score(row.best_nonmated_score)}{where}",
            f"best other person, {row.best_nonmated_key or 'none scored'}",
            pictures.find(run, "impostor", place),
        ),
    )


def _outcome(row: ProbeRow) -> str:
    return ranked(row.rank) if row.rank is not None else f"failed ({row.stage}: {row.reason})"


def lr_tile(data: bytes | None, detail: str) -> Tile:
    """The low-resolution face, its size in the caption where that is known."""
    if data is None:
        return Tile("LR", detail, "low-resolution probe", None)
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    size = f", {width} × {height} px" if max(width, height) < _REDUCED_TO else ""
    return tile(f"LR{size}", detail, "low-resolution probe", data)


def tile(caption: str, detail: str, alt: str, data: bytes | None) -> Tile:
    """One image, from PNG bytes or None."""
    uri = None if data is None else f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    return Tile(caption, detail, alt, uri)
