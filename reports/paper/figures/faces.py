"""Grids of faces, and the rule by which the faces are chosen."""

from __future__ import annotations

import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.evaluation.restoration.figures import finite_quality
from bench.results import ItemRow, yaw_deg
from reports.paper.figures.canvas import canvas, name, save
from reports.runs.images import Pictures
from reports.runs.run import Run

if TYPE_CHECKING:
    from PIL.Image import Image

RULE = (
    "Faces are chosen by a rule: at each yaw the one with the median PSNR of the last method among those that all "
    "methods restored, of people not shown yet if there are any."
)
_SIDE = 128
_LARGEST = 1024  # pixels of a side
_PSNR, _SSIM = "psnr_db", "ssim"


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of a grid: its label, and an image (PNG bytes) or None for each column."""

    label: str
    tiles: tuple[bytes | None, ...]
    captions: tuple[str, ...] = ()


def median_faces(runs: Sequence[Run], yaws: Sequence[float]) -> list[tuple[float, str]]:
    """For each yaw the key of a face; a yaw that no face has in all runs is left out.

    Args:
        runs: of restoration on the same data; the last one decides.
        yaws: signed, degrees; a yaw may be repeated.
    """
    shared = set.intersection(*({i.key for i in run.items if finite_quality(i, _PSNR) is not None} for run in runs))
    taken: set[str] = set()
    people: set[str] = set()
    faces = []
    for yaw in yaws:
        candidates = [i for i in runs[-1].items if i.key in shared - taken and yaw_deg(i) == yaw]
        candidates = [item for item in candidates if item.identity not in people] or candidates
        if not candidates:
            continue
        values = {item.key: finite_quality(item, _PSNR) or 0.0 for item in candidates}
        middle = statistics.median(values.values())
        chosen = min(candidates, key=lambda item: (abs(values[item.key] - middle), item.key))
        taken.add(chosen.key)
        people.add(chosen.identity)
        faces.append((yaw, chosen.key))
    return faces


def place_of(run: Run, key: str) -> int | None:
    """Index of a row in its run, which is the number of its images."""
    return next((at for at, item in enumerate(run.items) if item.key == key), None)


def picture(run: Run | None, kind: str, key: str, pictures: Pictures) -> bytes | None:
    """An image of a row; the LR face where the output is the LR face itself."""
    place = None if run is None else place_of(run, key)
    if run is None or place is None:
        return None
    image = pictures.find(run, kind, place)
    return pictures.find(run, "lr", place) if image is None and kind == "out" else image


def caption(run: Run | None, key: str) -> str:
    """PSNR and SSIM of a restored face, as under figure 8."""
    item: ItemRow | None = next((i for i in run.items if i.key == key), None) if run else None
    if item is None:
        return ""
    psnr, ssim = finite_quality(item, _PSNR), finite_quality(item, _SSIM)
    return "" if psnr is None or ssim is None else f"{psnr:.3f}/{ssim:.3f}"


def draw(
    heads: Sequence[str], strips: Sequence[Strip], banners: Sequence[str], *, inch: float = 0.8
) -> tuple[bytes, bytes]:
    """A grid as SVG and PDF; a missing image is an empty box with a dash."""
    room = 0.2 if any(strip.captions for strip in strips) else 0.06
    above = 0.1 + 0.13 * max(head.count("\n") + 1 for head in heads) + 0.2 * len(banners)
    left = 0.05 + 0.15 * max(strip.label.count("\n") + bool(strip.label) for strip in strips)
    wide, high = left + (inch + 0.05) * len(heads), above + (inch + room) * len(strips)
    with canvas(wide, high, banners, layout=None) as figure:
        for y, strip in enumerate(strips):
            for x, data in enumerate(strip.tiles):
                corner = (left + x * (inch + 0.05), high - above - inch - y * (inch + room))
                box = figure.add_axes((corner[0] / wide, corner[1] / high, inch / wide, inch / high))
                box.set(xticks=[], yticks=[], xlim=(0, _SIDE), ylim=(_SIDE, 0))
                image = None if data is None else _decoded(data)
                if image is None:
                    box.text(_SIDE / 2, _SIDE / 2, "–", ha="center", va="center", color="#777777")
                    box.spines[:].set(visible=True, color="#bbbbbb")
                else:
                    box.imshow(image, extent=(0, _SIDE, _SIDE, 0))
                    box.spines[:].set_visible(False)
                if y == 0:
                    box.set_title(heads[x], fontsize=6.5, pad=3)
                if x == 0:
                    box.set_ylabel("\n".join(map(name, strip.label.split("\n"))), fontsize=6.5, labelpad=2)
                if strip.captions:
                    box.set_xlabel(strip.captions[x], fontsize=6, labelpad=2)
        return save(figure)


def letters(names: Sequence[str]) -> list[str]:
    """Headings like those of the paper: ``(a)`` above a name, with line breaks in long names."""
    return [f"({chr(ord('a') + at % 26)})\n{_broken(name(text, 36))}" for at, text in enumerate(names)]


def banners_of(runs: Mapping[str, Run] | Sequence[Run]) -> tuple[str, ...]:
    """The banners of all runs shown."""
    shown = runs.values() if isinstance(runs, Mapping) else runs
    return tuple(dict.fromkeys(banner for run in shown for banner in run.banners))


def _broken(text: str) -> str:
    lines = [""]
    for word in text.replace("+ ", "+ \0").split(" "):
        word = word.lstrip("\0")
        if lines[-1] and len(lines[-1]) + 1 + len(word) > 13:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _decoded(data: bytes) -> Image | None:
    """An image of 128 x 128 pixels; small images are enlarged by nearest neighbour."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
            if max(opened.size) > _LARGEST:
                return None
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
    small = max(image.size) < _SIDE / 2
    return image.resize((_SIDE, _SIDE), Image.Resampling.NEAREST if small else Image.Resampling.BICUBIC)
