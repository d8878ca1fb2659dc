"""One sheet of square images for each probe: LR, outputs, mates, non-mates, ground truth; equal images once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.runs.images import Pictures
from reports.runs.run import Run

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 128  # pixels a side: runs store no larger images
QUALITY = 90
NONE = 255  # no image


@dataclass(frozen=True, slots=True)
class Sheet:
    """The images of one probe.

    Attributes:
        data: JPEG of square tiles side by side.
        slots: which tile is the LR face, the ground truth, and for each run its output, best mate and best non-mate;
            `NONE` where there is none.
    """

    data: bytes
    slots: tuple[int, ...]


def slot_count(runs: int) -> int:
    """Number of slots of a sheet: LR, ground truth, and three for each run."""
    return 2 + 3 * runs


def make_sheet(runs: Sequence[Run], places: Sequence[int], pictures: Pictures) -> Sheet | None:
    """The sheet of one probe; None where no run keeps an image of it.

    Args:
        runs: of the section.
        places: index of the row of the probe in each run; negative where a run lacks the probe.
        pictures: reads the images of the runs.
    """
    tile_of: dict[bytes, int] = {}
    tiles: list[Image] = []

    def slot(kind: str, *, of: Sequence[int]) -> int:
        for at in of:
            data = pictures.stored(runs[at], kind, places[at]) if places[at] >= 0 else None
            if data is None:
                continue
            if data not in tile_of:
                image = pictures.decoded(runs[at], data)
                if image is None:
                    continue
                tile_of[data] = len(tiles)
                tiles.append(image)
            return tile_of[data]
        return NONE

    everyone = range(len(runs))
    slots = [slot("lr", of=everyone), slot("truth", of=everyone)]
    for at in everyone:
        slots += [slot(kind, of=[at]) for kind in ("out", "mate", "impostor")]
    if not tiles or len(tiles) >= NONE:
        return None
    return Sheet(_joined(tiles), tuple(slots))


def _joined(tiles: Sequence[Image]) -> bytes:
    """Tiles of one size side by side; small ones are enlarged by nearest neighbour, without interpolation."""
    from PIL import Image

    side = min(LARGEST, max(max(tile.size) for tile in tiles))
    sheet = Image.new("RGB", (side * len(tiles), side))
    for place, tile in enumerate(tiles):
        scale = side / max(tile.size)
        size = max(1, round(tile.width * scale)), max(1, round(tile.height * scale))
        method = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
        fitted = tile if size == tile.size else tile.resize(size, method)
        sheet.paste(fitted, (place * side + (side - size[0]) // 2, (side - size[1]) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()
