"""Inputs of the paper's tables: run folders, folders of ablations and tallies, recognised by their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError, MissingError
from bench.io.strictfiles import read_json
from bench.io.typed import as_type
from reports.runs.load import load
from reports.runs.run import Run, Skipped

ABLATION, TALLY, RUN = "table.json", "tally.json", "run.json"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a variant, with its 95 % interval over people and its number of probes."""

    value: float
    low: float | None
    high: float | None
    probes: int


@dataclass(frozen=True, slots=True)
class NoMeasure:
    """A figure that a variant does not have."""

    value: None


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of ``bench ablate``: ``cells`` by ``psnr_db``, ``ssim``, ``rank_1``; empty where it failed."""

    variant: str
    label: str
    cells: Mapping[str, Measure | NoMeasure]
    failure: str

    @property
    def measures(self) -> dict[str, Measure]:
        """The figures of the variant."""
        return {name: cell for name, cell in self.cells.items() if isinstance(cell, Measure)}


@dataclass(frozen=True, slots=True)
class Ablation:
    """A table of ``bench ablate``; ``lr`` is the side of its LR faces in pixels, ``told`` its facts by name."""

    folder_name: str
    lr: int
    smoke: bool
    told: Mapping[str, str]
    variants: tuple[Variant, ...]

    @property
    def banners(self) -> tuple[str, ...]:
        """To show above its figures."""
        return ("SMOKE RUN - not a result",) if self.smoke else ()


@dataclass(frozen=True, slots=True)
class Vote:
    """How often participants picked a method; ``share`` is of all answers."""

    method: str
    picks: int
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Votes:
    """A tally of ``bench userstudy tally --out``."""

    source: str
    participants: int
    answered: int
    shares: tuple[Vote, ...]
    notes: tuple[str, ...]

    @property
    def banners(self) -> tuple[str, ...]:
        """To show above it: the notes on sample and smoke runs."""
        return tuple(note for note in self.notes if "SAMPLE" in note.upper() or "SMOKE" in note.upper())


@dataclass(frozen=True, slots=True)
class PaperInputs:
    """The inputs of the user, and those that cannot be used."""

    runs: tuple[Run, ...]
    ablations: tuple[Ablation, ...]
    votes: tuple[Votes, ...]
    skipped: tuple[Skipped, ...]


def read_inputs(paths: Sequence[Path]) -> PaperInputs:
    """Read the inputs; damaged ones are named and left out if others are usable.

    Raises:
        UsageError: no inputs, or smoke runs on other probes than the others.
        MissingError: a path does not exist.
        DataError: all are damaged.
    """
    absent = [path for path in paths if not path.exists()]
    if absent:
        raise MissingError(
            f"These do not exist: {', '.join(map(str, absent))}. Give run folders, folders of `bench ablate` or "
            "tallies."
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
            runs, damaged = load(folders)
        except DataError as error:
            if not ablations and not votes:
                raise
            damaged = [Skipped(", ".join(path.name for path in folders), str(error))]
        skipped += damaged
    if not runs and not ablations and not votes:
        raise DataError("; ".join(f"{item.folder_name}: {item.reason}" for item in skipped))
    return PaperInputs(tuple(runs), tuple(ablations), tuple(votes), tuple(skipped))


def _ablation(folder: Path) -> Ablation:
    try:
        raw = read_json(folder / ABLATION)
        facts = raw["facts"]
        fields = {"lr": facts["recipe"]["lr"], "smoke": facts["smoke"], "told": facts["told"]}
        return as_type(Ablation, {"folder_name": folder.name, "variants": raw["variants"], **fields})
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{ABLATION} is no table of `bench ablate` ({type(error).__name__}: {error}).") from error


def _votes(path: Path, name: str) -> Votes:
    try:
        return as_type(Votes, {**read_json(path), "source": name})
    except (TypeError, ValueError) as error:
        raise DataError(f"{path.name} is no tally of `bench userstudy tally` ({error}).") from error
