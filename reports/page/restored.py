"""Strips of restored faces: LR, output and truth of those with the highest and with the lowest PSNR."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results import ItemRow
from reports.page.strips import SHOWN, Pictures, Strip, StripSet, lr_tile, tile
from reports.runs.items import QUALITIES, quality
from reports.runs.load import Run
from reports.text.numbers import measured

_PSNR = QUALITIES["psnr_db"]


def restored(run: Run, name: str, pictures: Pictures) -> tuple[StripSet, StripSet]:
    """The faces nearest to their truth and farthest from it; a face that failed has no place among them."""
    found = [(value, i, item) for i, item in enumerate(run.items) if (value := quality(item, _PSNR)) is not None]
    best = sorted(found, key=lambda entry: (-entry[0], entry[2].key))
    worst = sorted(found, key=lambda entry: (entry[0], entry[2].key))
    half = (len(found) + 1) // 2  # few faces are not shown as both
    return (
        _set(f"Highest PSNR of {name}", best[: min(SHOWN, half)], run, name, pictures),
        _set(f"Lowest PSNR of {name}", worst[: min(SHOWN, len(found) - half)], run, name, pictures),
    )


def _set(title: str, found: Sequence[tuple[float, int, ItemRow]], run: Run, name: str, pictures: Pictures) -> StripSet:
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
