"""Strips of images: of a probe with the ranks it led to, of a restored face with its truth and PSNR."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from bench.results import ItemRow, ProbeRow
from reports.runs.images import Pictures
from reports.runs.items import QUALITIES, quality
from reports.runs.run import Run
from reports.statistics.paired import Change, Pair, margin
from reports.text.numbers import measured, ranked, score

SHOWN = 8
SHOWN_OF_MANY = 3
_REDUCED_TO = 128  # runs keep larger images at this size, so it says nothing of the original
_PSNR = QUALITIES["psnr_db"]


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


def restored(run: Run, name: str, pictures: Pictures) -> tuple[StripSet, StripSet]:
    """The faces nearest to their truth and farthest from it; a face that failed has no place among them."""
    found = [(value, i, item) for i, item in enumerate(run.items) if (value := quality(item, _PSNR)) is not None]
    best = sorted(found, key=lambda entry: (-entry[0], entry[2].key))
    worst = sorted(found, key=lambda entry: (entry[0], entry[2].key))
    half = (len(found) + 1) // 2  # few faces are not shown as both
    return (
        _restored_set(f"Highest PSNR of {name}", best[: min(SHOWN, half)], run, name, pictures),
        _restored_set(f"Lowest PSNR of {name}", worst[: min(SHOWN, len(found) - half)], run, name, pictures),
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


def _restored_set(
    title: str, found: Sequence[tuple[float, int, ItemRow]], run: Run, name: str, pictures: Pictures
) -> StripSet:
    strips = []
    for value, place, item in found:
        lr, out = pictures.find(run, "lr", place), pictures.find(run, "out", place)
        tiles = [lr_tile(lr, "" if out else "its own output" if lr else "")]
        if out:
            tiles.append(tile(name, "", f"output of {name}", out))
        tiles.append(tile("truth", "", "true face", pictures.find(run, "truth", place)))
        words = f"{measured(value, 'dB')} dB"
        strips.append(Strip(item.key, item.identity, words, "", tuple(tiles)))
    return StripSet(title, len(found), len(run.items), tuple(strips), "faces", "PSNR")


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
