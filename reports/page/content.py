"""What a report says, in order, free of any markup: the templates for HTML and Markdown only lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.page.description import comparison_notes, facts
from reports.page.glossary import Terms, reading
from reports.page.restored import restored
from reports.page.sentences import banners, below, over
from reports.page.strips import SHOWN, SHOWN_OF_MANY, Pictures, StripSet, changed, extremes
from reports.page.vocabulary import Words, counted, in_parts, units, words_of
from reports.runs.figure_names import split
from reports.runs.groups import Group, short_names
from reports.runs.items import EFFICIENCY, EXPRESSION, RESTORATION, VERIFICATION
from reports.runs.load import Run, Skipped
from reports.statistics.confusion import Matrix, matrices
from reports.statistics.deltas import Delta, delta_name, deltas
from reports.statistics.paired import Pair, compare
from reports.statistics.pairwise import Standing, standings
from reports.statistics.values import direction

_RECOGNISING = "Recognition via hallucination"
_FEW = 3  # pairs of runs with as many strips as there is room for


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
    def has_identities(self) -> bool:
        """Whether any run says how many people it is of."""
        return any(entry.run.identities is not None for entry in self.entries)

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


def make_page(
    groups: Sequence[Group], skipped: Sequence[Skipped], *, baseline: str | None, pictures: bool = True
) -> Page:
    """Put everything together.

    Args:
        groups: at least one.
        skipped: folders to name as unusable.
        baseline: the baseline asked for, or None for the default.
        pictures: whether to show any.
    """
    short = short_names(groups)
    sections = tuple(_section(group, name, baseline, pictures) for group, name in zip(groups, short, strict=True))
    names = [f"{run.record.label} ({run.folder_name})" for group in groups for run in group.runs]
    runs = [run for group in groups for run in group.runs]
    what = _RECOGNISING if any(run.searched or run.kind == VERIFICATION for run in runs) else "Face hallucination"
    title = f"{what}: {', '.join(short)}"
    terms = reading((run.kind for run in runs), parts=in_parts([run for run in runs if run.searched]))
    return Page(title, banners(names, runs), tuple(skipped), sections, terms)


def _section(group: Group, short: str, baseline: str | None, shown: bool) -> Section:
    pairs = compare(group)
    standing = standings(group)
    gains = deltas(group, pairs, standing)
    bases = set(group.baselines)
    entries: list[Entry] = []
    sets: list[StripSet] = []
    most = SHOWN if len(pairs) <= _FEW else SHOWN_OF_MANY
    with Pictures(shown=shown) as pictures:
        for place, (name, run) in enumerate(zip(group.names, group.runs, strict=True)):
            pair = pairs.get(place)
            entries.append(
                Entry(name, run, pair, gains.get(place), place in bases, group.baselines[place], *counted(run))
            )
            if pair:
                sets += changed(pair, pictures, most)
            elif run.kind == RESTORATION:
                sets += restored(run, name, pictures)
            elif len(group.runs) == 1 and run.searched:
                sets += extremes(run, name, pictures)
    record = group.first.record
    columns, parts = _parts(group, entries)
    return Section(
        number=group.number,
        protocol=group.protocol,
        short=short,
        dataset=group.dataset,
        banners=banners(group.names, group.runs),
        official=record.data.get("official") is True or group.kind == EFFICIENCY,
        facts=tuple(facts(group)),
        notes=(*record.data.get("notes", []), *comparison_notes(group, pairs, baseline)),
        kind=group.kind,
        words=words_of(group),
        searched=group.first.searched,
        over=over(group),
        metrics=group.headlines,
        standings=standing,
        delta=delta_name(group) if gains else "",
        units=units(group),
        columns=columns,
        parts=parts,
        entries=tuple(entries),
        below=below(group),
        matrices=tuple(_matrices(group)),
        picture_sets=tuple(sets),
        picture_notes=tuple(pictures.faults),
        has_images=any(strip.has_images for found in sets for strip in found.strips),
    )


def _parts(group: Group, entries: Sequence[Entry]) -> tuple[tuple[tuple[str, str], ...], tuple[Part, ...]]:
    """Columns and rows of the folded table: a row a part and run, as far as it has any of the figures."""
    names = {split(name): name for name in group.metrics if name not in group.headlines}
    named = units(group)
    columns = {base: named[name] for (base, _), name in names.items()}
    rows = []
    for part in dict.fromkeys(part for _, part in names):
        for entry in entries:
            own = tuple(names.get((base, part)) for base in columns)
            if any(name in entry.run.record.metrics for name in own if name):
                rows.append(Part(part, entry, own))
    return tuple(columns.items()), tuple(rows)


def _matrices(group: Group) -> list[Matrix]:
    """The confusion matrices of all runs."""
    if group.kind != EXPRESSION:
        return []
    labels = group.first.record.protocol["labels"]
    return [
        found for name, run in zip(group.names, group.runs, strict=True) for found in matrices(name, run.items, labels)
    ]
