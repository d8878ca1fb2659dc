"""Example images: probes with their ranks under the runs, restored faces with their ground truth and PSNR."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from bench.evaluation.restoration.figures import finite_quality
from bench.metrics.identification import is_hit
from bench.results import ItemRow, ProbeRow
from reports.runs.images import Pictures
from reports.runs.run import Run
from reports.statistics.paired import BaselineComparison, ProbeChange, margin
from reports.text.numbers import measured, ranked, score

SHOWN = 8
SHOWN_OF_MANY = 3
_REDUCED_TO = 128  # larger images are stored at this size, so the original size is unknown
_PSNR = "psnr_db"


@dataclass(frozen=True, slots=True)
class Tile:
    """One image of an example; ``uri`` is None where the run keeps none."""

    caption: str
    detail: str
    alt: str
    uri: str | None


@dataclass(frozen=True, slots=True)
class Example:
    """One probe or face with its images.

    Attributes:
        key: of the probe.
        identity: its person.
        outcome: its ranks, or the PSNR of a face, in words.
        tone: ``better`` or ``worse`` than under the baseline; empty where there is no baseline.
        tiles: its images.
    """

    key: str
    identity: str
    outcome: str
    tone: str
    tiles: tuple[Tile, ...]

    @property
    def has_images(self) -> bool:
        """Whether any tile has an image."""
        return any(tile.uri for tile in self.tiles)


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """Examples chosen by one criterion.

    Attributes:
        title: what they have in common.
        total: number of probes that meet the criterion.
        of: number of probes among which they were looked for.
        examples: the first of them.
        noun: ``probes`` or ``faces``.
        measure: heading of the column with their outcomes.
    """

    title: str
    total: int
    of: int
    examples: tuple[Example, ...]
    noun: str = "probes"
    measure: str = "Rank"


def choose_changed(
    comparison: BaselineComparison, pictures: Pictures, limit: int = SHOWN
) -> tuple[ExampleSet, ExampleSet]:
    """The probes most helped and most hurt by a run against its baseline, at most ``limit`` of each."""
    helped, hurt = (
        ExampleSet(
            f"Most {word} by {comparison.name} against {comparison.baseline_name}",
            len(changes),
            len(comparison.changes),
            tuple(_changed_example(comparison, change, pictures) for change in changes[:limit]),
        )
        for word, changes in (("helped", comparison.helped), ("hurt", comparison.hurt))
    )
    return helped, hurt


def choose_extremes(run: Run, name: str, pictures: Pictures) -> tuple[ExampleSet, ExampleSet]:
    """The hits with the largest margins and the worst misses of a run that is compared with none."""
    hits = [(i, row) for i, row in run.head if is_hit(row.rank)]
    hits.sort(key=lambda item: (-(margin(item[1]) or 0.0), item[1].key))
    misses = [(i, row) for i, row in run.head if row.rank is not None and row.rank > 1]
    misses.sort(key=lambda item: (-(item[1].rank or 0), margin(item[1]) or 0.0, item[1].key))
    return (
        _extreme_set(f"Rank-1 hits of {name} with the largest margins", hits, run, name, pictures),
        _extreme_set(f"Worst misses of {name}", misses, run, name, pictures),
    )


def choose_restored(run: Run, name: str, pictures: Pictures) -> tuple[ExampleSet, ExampleSet]:
    """The faces with the highest and the lowest PSNR; failed faces are left out."""
    faces = [(value, i, item) for i, item in enumerate(run.items) if (value := finite_quality(item, _PSNR)) is not None]
    best = sorted(faces, key=lambda entry: (-entry[0], entry[2].key))
    worst = sorted(faces, key=lambda entry: (entry[0], entry[2].key))
    half = (len(faces) + 1) // 2  # no face is shown as both
    return (
        _restored_set(f"Highest PSNR of {name}", best[: min(SHOWN, half)], run, name, pictures),
        _restored_set(f"Lowest PSNR of {name}", worst[: min(SHOWN, len(faces) - half)], run, name, pictures),
    )


def _extreme_set(
    title: str, rows: Sequence[tuple[int, ProbeRow]], run: Run, name: str, pictures: Pictures
) -> ExampleSet:
    examples = []
    for place, row in rows[:SHOWN]:
        lr, out = pictures.find(run, "lr", place), pictures.find(run, "out", place)
        tiles = [lr_tile(lr, "" if out else ranked(row.rank))]
        if out:
            tiles.append(image_tile(name, ranked(row.rank), f"output of {name}", out))
        tiles += _gallery_tiles(run, place, row, pictures)
        examples.append(Example(row.key, row.identity, _outcome(row), "", tuple(tiles)))
    return ExampleSet(title, len(rows), len(run.head), tuple(examples))


def _restored_set(
    title: str, faces: Sequence[tuple[float, int, ItemRow]], run: Run, name: str, pictures: Pictures
) -> ExampleSet:
    examples = []
    for value, place, item in faces:
        lr, out = pictures.find(run, "lr", place), pictures.find(run, "out", place)
        tiles = [lr_tile(lr, "" if out else "also the output" if lr else "")]
        if out:
            tiles.append(image_tile(name, "", f"output of {name}", out))
        tiles.append(image_tile("ground truth", "", "ground-truth face", pictures.find(run, "truth", place)))
        outcome = f"{measured(value, 'dB')} dB"
        examples.append(Example(item.key, item.identity, outcome, "", tuple(tiles)))
    return ExampleSet(title, len(faces), len(run.items), tuple(examples), "faces", "PSNR")


def _changed_example(comparison: BaselineComparison, change: ProbeChange, pictures: Pictures) -> Example:
    rank, base_rank = ranked(change.row.rank), ranked(change.base_row.rank)
    lr = pictures.find(comparison.run, "lr", change.place)
    lr = lr or pictures.find(comparison.baseline, "lr", change.base_place)
    under_lr = []
    outputs = []
    for run, name, place, text in (
        (comparison.baseline, comparison.baseline_name, change.base_place, base_rank),
        (comparison.run, comparison.name, change.place, rank),
    ):
        out = pictures.find(run, "out", place)
        if out:
            outputs.append(image_tile(name, text, f"output of {name}", out))
        else:  # the recogniser was given the LR face itself
            under_lr.append(f"{name}: {text}")
    gallery = _gallery_tiles(comparison.run, change.place, change.row, pictures)
    return Example(
        change.row.key,
        change.row.identity,
        f"{_outcome(change.base_row)} → {_outcome(change.row)}",
        "better" if change.gain > 0 else "worse",
        (lr_tile(lr, "; ".join(under_lr)), *outputs, *gallery),
    )


def _gallery_tiles(run: Run, place: int, row: ProbeRow, pictures: Pictures) -> tuple[Tile, Tile]:
    difference = margin(row)
    if difference is None:
        where = ""
    else:
        where = (
            ", scored above the mate"
            if difference < 0
            else ", equal to the mate"
            if difference == 0
            else ", below the mate"
        )
    return (
        image_tile(
            "mate",
            f"score {score(row.best_mated_score)}",
            f"best mate, {row.best_mated_key or 'none scored'}",
            pictures.find(run, "mate", place),
        ),
        image_tile(
            "best non-mate",
            f"score {score(row.best_nonmated_score)}{where}",
            f"best non-mate, {row.best_nonmated_key or 'none scored'}",
            pictures.find(run, "impostor", place),
        ),
    )


def _outcome(row: ProbeRow) -> str:
    return ranked(row.rank) if row.rank is not None else f"failed ({row.stage}: {row.reason})"


def lr_tile(data: bytes | None, detail: str) -> Tile:
    """The low-resolution face, with its size in the caption where that is known."""
    if data is None:
        return Tile("LR", detail, "low-resolution probe", None)
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    size = f", {width} × {height} px" if max(width, height) < _REDUCED_TO else ""
    return image_tile(f"LR{size}", detail, "low-resolution probe", data)


def image_tile(caption: str, detail: str, alt: str, data: bytes | None) -> Tile:
    """One image, from PNG bytes or None."""
    uri = None if data is None else f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    return Tile(caption, detail, alt, uri)
