"""What a user gives: run folders, folders of ablations and tallies of user studies, told apart by the files in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DataError, MissingError
from bench.io.strictfiles import read_json
from reports.runs.load import load
from reports.runs.run import Run, Skipped

ABLATION, TALLY, RUN = "table.json", "tally.json", "run.json"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a variant, with its 95 % interval over people and the probes it is over."""

    value: float
    low: float | None
    high: float | None
    probes: int


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of ``bench ablate``: ``measures`` by ``psnr_db``, ``ssim``, ``rank_1``; empty where it failed."""

    name: str
    label: str
    measures: Mapping[str, Measure]
    failure: str


@dataclass(frozen=True, slots=True)
class Ablation:
    """A table of ``bench ablate``; ``lr`` is the side of its LR faces, ``told`` what stands above it."""

    folder_name: str
    lr: int
    smoke: bool
    told: Mapping[str, str]
    variants: tuple[Variant, ...]

    @property
    def banners(self) -> tuple[str, ...]:
        """What must stand above its figures."""
        return ("SMOKE RUN - not a result",) if self.smoke else ()


@dataclass(frozen=True, slots=True)
class Vote:
    """How often people picked a method; ``share`` of all answers."""

    method: str
    picks: int
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Votes:
    """A tally of ``bench study tally --out``."""

    source: str
    participants: int
    answered: int
    votes: tuple[Vote, ...]
    notes: tuple[str, ...]

    @property
    def banners(self) -> tuple[str, ...]:
        """What must stand above it: its notes say whether sample or smoke runs were shown."""
        return tuple(note for note in self.notes if "SAMPLE" in note.upper() or "SMOKE" in note.upper())


@dataclass(frozen=True, slots=True)
class Given:
    """All that was given, and what of it cannot be used."""

    runs: tuple[Run, ...]
    ablations: tuple[Ablation, ...]
    votes: tuple[Votes, ...]
    skipped: tuple[Skipped, ...]


def read(paths: Sequence[Path]) -> Given:
    """Read what was given; a damaged one beside good ones is named and left out.

    Raises:
        UsageError: nothing was given, or smoke runs on other probes than the others.
        MissingError: a path does not exist.
        DataError: all are damaged.
    """
    absent = [path for path in paths if not path.exists()]
    if absent:
        raise MissingError(
            f"Not there: {', '.join(map(str, absent))}. Give run folders, folders of `bench ablate`, or tallies."
        )
    ablations: list[Ablation] = []
    votes: list[Votes] = []
    skipped: list[Skipped] = []
    folders = []
    for path in dict.fromkeys(path.resolve() for path in paths):
        try:
            if path.is_dir() and (path / RUN).exists():
                folders.append(path)
            elif path.is_file() or (path / TALLY).is_file():
                votes.append(_votes(path if path.is_file() else path / TALLY, path.name))
            elif (path / ABLATION).is_file():
                ablations.append(_ablation(path))
            else:
                folders.append(path)
        except DataError as error:
            skipped.append(Skipped(path.name, str(error)))
    runs: list[Run] = []
    if folders or not paths:
        try:
            runs, bad = load(folders)
        except DataError as error:
            if not ablations and not votes:
                raise
            bad = [Skipped(", ".join(path.name for path in folders), str(error))]
        skipped += bad
    if not runs and not ablations and not votes:
        raise DataError("; ".join(f"{item.folder_name}: {item.reason}" for item in skipped))
    return Given(tuple(runs), tuple(ablations), tuple(votes), tuple(skipped))


def _json(path: Path) -> Any:
    return read_json(path)


def _ablation(folder: Path) -> Ablation:
    raw = _json(folder / ABLATION)
    try:
        facts = raw["facts"]
        variants = tuple(
            Variant(
                str(item["variant"]),
                str(item["label"]),
                {name: m for name, cell in item["cells"].items() if (m := _measure(cell)) is not None},
                str(item["failure"]),
            )
            for item in raw["variants"]
        )
        told = {str(key): str(text) for key, text in facts["told"].items()}
        return Ablation(folder.name, int(facts["recipe"]["lr"]), bool(facts["smoke"]), told, variants)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{ABLATION} is no table of `bench ablate` ({type(error).__name__}: {error}).") from error


def _measure(cell: Mapping[str, Any]) -> Measure | None:
    if cell["value"] is None:
        return None
    low, high = (None if cell[key] is None else float(cell[key]) for key in ("low", "high"))
    return Measure(float(cell["value"]), low, high, int(cell["probes"]))


def _votes(path: Path, name: str) -> Votes:
    raw = _json(path)
    try:
        votes = tuple(
            Vote(
                str(item["method"]),
                int(item["picks"]),
                float(item["share"]),
                *(None if item[key] is None else float(item[key]) for key in ("low", "high")),
            )
            for item in raw["shares"]
        )
        return Votes(name, int(raw["participants"]), int(raw["answered"]), votes, tuple(map(str, raw["notes"])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path.name} is no tally of `bench study tally` ({type(error).__name__}: {error}).") from error
