"""The parts of a report, as templates lay them out: a page of sections, a section of runs and their figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.page.glossary import Terms
from reports.page.strips import StripSet
from reports.page.vocabulary import Words
from reports.runs.run import Run, Skipped
from reports.statistics.confusion import Matrix
from reports.statistics.paired import Pair
from reports.statistics.pairwise import Delta, Standing
from reports.statistics.values import direction


@dataclass(frozen=True, slots=True)
class Entry:
    """One run inside a section.

    Attributes:
        name: its name in the report.
        run: the run.
        pair: its comparison with a baseline, or None.
        delta: what it gains on that baseline in the first figure, or None.
        base: whether it is the run that others are compared with.
        base_place: place of its baseline in the section; its own where it has none.
        total: probes, pairs, faces or passes.
        lines: of those, how many did not fail, or are ties: words, a number, words.
    """

    name: str
    run: Run
    pair: Pair | None
    delta: Delta | None
    base: bool
    base_place: int
    total: int
    lines: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one part of a run, for the table that comes folded.

    Attributes:
        part: a yaw, a gallery, a class; empty for more of the whole.
        entry: the run.
        names: full name of the figure of each column, or None where there is none.
    """

    part: str
    entry: Entry
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """All about one group of comparable runs.

    Attributes:
        number: 1-based.
        protocol: the protocol with its arguments.
        short: with those that other sections of it have otherwise.
        dataset: name of the data set.
        banners: what must stand above its figures, with the runs concerned.
        official: whether the data are the published set, or none is meant.
        facts: terms and descriptions of what was measured on what.
        notes: sentences of the protocol about the data, and on the comparison.
        kind: what kind of study.
        words: how this kind speaks.
        searched: whether probes are searched: then there are curves, and pairs of runs.
        over: the searches that figures of the whole, curves and pairs are over.
        metrics: names of the figures that stand side by side, in the order of the columns.
        standings: which run is best in each of them, and which cannot be told from it; empty for one run.
        delta: the figure that differences to the baseline are of; empty where there are none.
        units: what stands beside a name.
        columns: of the folded table: names of figures without their part, and their units.
        parts: its rows.
        entries: the runs.
        below: sentences on runs that are worse than the LR face of the section, by the name of the run.
        matrices: confusion of expressions, where those were told.
        picture_sets: strips of images.
        picture_notes: what to know about the images.
        has_images: whether any strip has an image.
    """

    number: int
    protocol: str
    short: str
    dataset: str
    banners: tuple[str, ...]
    official: bool
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    kind: str
    words: Words
    searched: bool
    over: str
    metrics: tuple[str, ...]
    standings: Mapping[str, Standing]
    delta: str
    units: Mapping[str, str]
    columns: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    entries: tuple[Entry, ...]
    below: Mapping[str, str]
    matrices: tuple[Matrix, ...]
    picture_sets: tuple[StripSet, ...]
    picture_notes: tuple[str, ...]
    has_images: bool

    @property
    def pairs(self) -> list[Pair]:
        """The comparisons, in the order of the runs."""
        return [entry.pair for entry in self.entries if entry.pair]

    def mark(self, metric: str, place: int) -> str:
        """``best``, ``tied`` or nothing, for a figure of the run at that place."""
        return self.standings[metric].mark(place) if metric in self.standings else ""

    @property
    def noun(self) -> str:
        """What is counted: probes, pairs, faces."""
        return self.words.items.lower()

    @property
    def untold(self) -> list[str]:
        """Figures with a best run of which ties cannot be told."""
        return [name for name, found in self.standings.items() if found.best and not found.told]

    @property
    def better(self) -> dict[str, str]:
        """Which way each figure is better, ``higher`` or ``lower``; empty where neither is."""
        records = [entry.run.record.metrics for entry in self.entries]
        found = {name: figure.unit for metrics in reversed(records) for name, figure in metrics.items()}
        return {name: direction(name, found[name]) or "" for name in self.metrics}

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts that the folded table has figures of."""
        return tuple(dict.fromkeys(row.part for row in self.parts if row.part))

    @property
    def baselines(self) -> set[str]:
        """Names of the runs that others are compared with."""
        return {entry.delta.to for entry in self.entries if entry.delta}

    @property
    def picked(self) -> dict[str, list[str]]:
        """What was picked where users left it open, each sentence with the names of the runs concerned."""
        found: dict[str, list[str]] = {}
        for entry in self.entries:
            for text in entry.run.picked:
                found.setdefault(text, []).append(entry.name)
        return found

    @property
    def warnings(self) -> dict[str, list[str]]:
        """Sentences that belong beside the figures, each with the names of the runs concerned."""
        found: dict[str, list[str]] = {}
        for entry in self.entries:
            for text in entry.run.record.warnings:
                found.setdefault(text, []).append(entry.name)
        for name, text in self.below.items():
            found.setdefault(text, []).append(name)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes:
        title: of the page.
        banners: what must stand on top, with the runs concerned.
        skipped: run folders that could not be used.
        sections: one for each group.
        reading: terms and what they mean.
    """

    title: str
    banners: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    sections: tuple[Section, ...]
    reading: Terms
