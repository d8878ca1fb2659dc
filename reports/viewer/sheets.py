"""One strip of square pictures for each probe: LR, outputs, mates, impostors, truth; equal ones once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.runs.images import Pictures
from reports.runs.run import Run

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 128  # pixels a side: runs keep no larger pictures
QUALITY = 90
NONE = 255  # no picture


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pictures of one probe.

    Attributes:
        data: JPEG of square tiles side by side.
        slots: which tile is the LR face, the truth, and for each run its output, best mate and best impostor;
            `NONE` where there is none.
    """

    data: bytes
    slots: tuple[int, ...]


def slot_count(runs: int) -> int:
    """Slots of a sheet: LR, truth, and three a run."""
    return 2 + 3 * runs


def make_sheet(runs: Sequence[Run], places: Sequence[int], pictures: Pictures) -> Sheet | None:
    """The sheet of one probe; None where no run keeps a picture of it.

    Args:
        runs: of the section.
        places: row of the probe in each run; negative where a run has it not.
        pictures: what runs keep.
    """
    found: dict[bytes, int] = {}
    tiles: list[Image] = []

    def slot(kind: str, *, of: Sequence[int]) -> int:
        for at in of:
            data = pictures.stored(runs[at], kind, places[at]) if places[at] >= 0 else None
            if data is None:
                continue
            if data not in found:
                image = pictures.decoded(runs[at], data)
                if image is None:
                    continue
                found[data] = len(tiles)
                tiles.append(image)
            return found[data]
        return NONE

    everyone = range(len(runs))
    slots = [slot("lr", of=everyone), slot("truth", of=everyone)]
    for at in everyone:
        slots += [slot(kind, of=[at]) for kind in ("out", "mate", "impostor")]
    if not tiles or len(tiles) >= NONE:
        return None
    return Sheet(_joined(tiles), tuple(slots))


def _joined(tiles: Sequence[Image]) -> bytes:
    """Tiles of one size side by side; small ones enlarged by whole pixels, so that nothing is made up."""
    from PIL import Image

    side = min(LARGEST, max(max(tile.size) for tile in tiles))
    sheet = Image.new("RGB", (side * len(tiles), side))
    for place, tile in enumerate(tiles):
        scale = side / max(tile.size)
        size = max(1, round(tile.width * scale)), max(1, round(tile.height * scale))
        way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
        fitted = tile if size == tile.size else tile.resize(size, way)
        sheet.paste(fitted, (place * side + (side - size[0]) // 2, (side - size[1]) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()
